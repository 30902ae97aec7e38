"""Git's list of worktrees: one folder each in `.git/worktrees`, which any git may read at any time.

`git worktree add` and `remove` make and unmake such a folder file by file, by three processes; a git that reads the
list meanwhile can fail (see `worktree_list`). Here an entry is written aside and renamed into the list whole, and
renamed out of it before it is removed: cheaper, and nobody ever sees half of one.

Source: gitrepository-layout(5), `worktrees/`
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from bursar.errors import SetupError
from bursar.worktrees.git import git
from bursar.worktrees.repository import Repository, worktree_list

# Extensions that say nothing about worktrees. With any other, only git knows what a worktree consists of.
_HARMLESS = {f"extensions.{name}" for name in ("objectformat", "partialclone", "preciousobjects", "noop")}


def register(repository: Repository, path: Path, base: str, *, is_there: bool = False) -> Path:
    """An empty worktree lies at `path`, detached at `base` (a full id), and git knows it; the folder of its state.

    Args:
        is_there: its folder is, and becomes the worktree with what is in it; only where worktrees have no more state.

    Raises:
        GitFailed: git could not make it.
        SetupError: there is one of that name, or the folders cannot be written; git's list is as it was.
    """
    listed = repository.common_dir / "worktrees" / path.name
    path.parent.mkdir(parents=True, exist_ok=True)
    if has_more_state(repository):
        with worktree_list(repository):
            git(repository.root, "worktree", "add", "--quiet", "--no-checkout", "--detach", "--force", str(path), base)
        return listed
    try:
        path.mkdir(exist_ok=is_there)
        draft = _write_draft(repository, path, base)
        with worktree_list(repository):
            listed.parent.mkdir(exist_ok=True)
            draft.rename(listed)
    except OSError as error:
        raise SetupError(f"no worktree can be made at {path}: {error.strerror}") from error
    return listed


def unregister(repository: Repository, name: str) -> None:
    """Git's list has no worktree of that name, locked or not, and no draft of one is left."""
    aside = _aside(repository, name)
    shutil.rmtree(aside, ignore_errors=True)
    listed = repository.common_dir / "worktrees" / name
    with worktree_list(repository), suppress(OSError):  # not listed at all, or not the last
        listed.rename(aside)
        listed.parent.rmdir()  # as git does with the last one
    shutil.rmtree(aside, ignore_errors=True)


def _write_draft(repository: Repository, path: Path, base: str) -> Path:
    draft, listed = _aside(repository, path.name), repository.common_dir / "worktrees" / path.name
    shutil.rmtree(draft, ignore_errors=True)  # of a process that was killed
    draft.mkdir()
    (draft / "gitdir").write_bytes(os.fsencode(os.path.realpath(path)) + b"/.git\n")
    (draft / "commondir").write_bytes(b"../..\n")
    (draft / "HEAD").write_bytes(base.encode() + b"\n")
    (path / ".git").write_bytes(b"gitdir: " + os.fsencode(os.path.realpath(listed)) + b"\n")
    return draft


def _aside(repository: Repository, name: str) -> Path:
    return repository.common_dir / f"bursar-worktree-{name}"


def has_more_state(repository: Repository) -> bool:
    """Whether worktrees of this repository consist of more than we know how to write."""
    settings = repository.gits.settings
    extensions = {name for name in settings if name.startswith("extensions.")}
    return bool(extensions - _HARMLESS or settings.keys() & {"core.sparsecheckout", "core.sharedrepository"})
