"""What the sandbox of one attempt shows and lets change: its workspace, its home, and a git directory of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bursar.agents import Launch
from bursar.journal import AttemptRow
from bursar.paths import VIEW_FOLDER
from bursar.sandbox import Network, Placed, tool_folders
from bursar.worktrees import list_lenders, open_view

if TYPE_CHECKING:
    from bursar.run.context import RunContext


_BLOCKS = 2  # `ulimit -f` of a POSIX shell counts blocks of 512 bytes


def confine_agent(context: RunContext, launch: Launch, row: AttemptRow) -> list[str]:
    """The agent's argv, in a sandbox if the run has one.

    Raises:
        UserError: the workspace cannot be one.
        SetupError: its git directory could not be made.
    """
    sandbox = context.sandbox
    if sandbox is None:
        return list(launch.argv)
    home = launch.home
    logins = () if home is None else (*home.shared.values(), *home.reached)
    prefix = sandbox.prefix(
        Path(row.worktree),
        has_network=sandbox.network is not Network.OFF,
        hidden=_checkout(context),
        readable=[*tool_folders(launch.argv[0], launch.environment, sandbox.home), *_git_data(context)],
        writable=[*(() if home is None else (home.folder,)), *logins],
        placed=_own_git(context, row),
        sealed=_sealed(context, row),
    )
    # Folders are seen where they really are; the last link is the program's own way to know what it is part of.
    folder, name = os.path.split(launch.argv[0])
    return [*prefix, os.path.join(os.path.realpath(folder), name), *launch.argv[1:]]


def confine_commands(context: RunContext, row: AttemptRow) -> list[str]:
    """What stands before the attempt's verify commands: the sandbox, if the run has one, and a limit of files.

    Raises:
        UserError: the workspace cannot be one.
    """
    sandbox, kilobytes = context.sandbox, context.settings.limits.file_bytes // 1024
    limit = ["/bin/sh", "-c", f'ulimit -f {kilobytes * _BLOCKS} && exec "$@"', "sh"] if kilobytes else []
    if sandbox is None:
        return limit
    return limit + sandbox.prefix(
        Path(row.worktree),
        has_network=sandbox.network is Network.ON,
        hidden=_checkout(context),
        readable=[*tool_folders("/bin/sh", context.environment, sandbox.home), *_git_data(context)],
        sealed=_sealed(context, row),
    )


def _checkout(context: RunContext) -> list[Path]:
    """The user's own, where there is one beside the worktrees: what it has committed is in each of those."""
    return [] if context.checkout is None else [context.checkout.root]


def _git_data(context: RunContext) -> list[Path]:
    """The repository's own, and that of repositories whose objects it borrows."""
    if context.checkout is None:
        return []
    common_dir = context.checkout.common_dir
    return [common_dir, *list_lenders(common_dir)]


def _own_git(context: RunContext, row: AttemptRow) -> list[Placed]:
    """A git directory of the attempt's own in the place of the repository's, which is seen within it.

    Raises:
        SetupError: it could not be made.
    """
    if context.checkout is None:
        return []
    view = open_view(context.checkout, Path(row.worktree).name, Path(row.directory) / VIEW_FOLDER)
    return [Placed(view.folder, view.place, is_writable=True), Placed(view.place, view.borrowed)]


def _sealed(context: RunContext, row: AttemptRow) -> list[Path]:
    """The repository of a workspace that is a checkout. A worktree's `.git` is a file that nobody believes."""
    folder = Path(row.worktree) / ".git"
    return [folder] if context.checkout is None and folder.is_dir() else []
