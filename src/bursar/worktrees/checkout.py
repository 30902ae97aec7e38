"""The one place where the user's checkout is touched: it is fast-forwarded to what was merged, or left as it is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from bursar.worktrees.git import GitFailed, git
from bursar.worktrees.merge import advance, contains, read_ref
from bursar.worktrees.plain_files import read_plain
from bursar.worktrees.repository import Repository, read_head, worktree_list

# Files of a checkout that name the branch which it has left for a while.
_UNDER_WAY = {"rebase-merge/head-name": "rebase", "rebase-apply/head-name": "rebase", "BISECT_START": "bisection"}


@dataclass(frozen=True, slots=True)
class FastForward:
    """Whether the branch now has the merged work; if not, `obstacle` says in words what was in the way."""

    done: bool
    obstacle: str = ""


def fast_forward(repository: Repository, branch: str | None, commit: str) -> FastForward:
    """`branch` (None: the detached HEAD) stands at `commit`, if that needs no merge and loses nothing of the user's."""
    head = read_head(repository)
    if head.branch == branch:
        return _fast_forward_checkout(repository, head.commit, commit)
    if branch is None:
        return FastForward(done=False, obstacle="another branch was checked out meanwhile")
    return _fast_forward_branch(repository, f"refs/heads/{branch}", commit)


def _fast_forward_branch(repository: Repository, ref: str, commit: str) -> FastForward:
    """A branch that is not checked out here. By its ref alone: git would reach this repository as its settings say."""
    branch = ref.removeprefix("refs/heads/")
    stands_at = read_ref(repository, ref)
    if stands_at is not None and contains(repository, stands_at, commit):
        return FastForward(done=True)
    if stands_at is not None and not contains(repository, commit, stands_at):
        return FastForward(done=False, obstacle=f"branch {branch} could not be moved: it has new commits")
    try:
        with worktree_list(repository):
            if use := _use_of(repository, ref):
                return FastForward(done=False, obstacle=f"branch {branch} could not be moved: {use}")
            advance(repository, ref, commit, stands_at)
    except GitFailed as failed:
        return FastForward(done=False, obstacle=f"branch {branch} could not be moved: {failed.output.strip()}")
    return FastForward(done=True)


def _use_of(repository: Repository, ref: str) -> str:
    """What somebody is doing with a branch, in one of the repository's checkouts; empty for nothing."""
    _, place = git(repository.root, "for-each-ref", "--format=%(worktreepath)", ref)
    if place.strip():
        return f"it is checked out at {place.strip()}"
    for state in (repository.common_dir, *sorted((repository.common_dir / "worktrees").glob("*"))):
        for name, what in _UNDER_WAY.items():
            with suppress(OSError, UnicodeDecodeError):
                if read_plain(state / name).decode().strip() in (ref, ref.removeprefix("refs/heads/")):
                    return f"a {what} of it is under way"
    return ""


def _fast_forward_checkout(repository: Repository, stands_at: str, commit: str) -> FastForward:
    if contains(repository, stands_at, commit):
        return FastForward(done=True)
    if not contains(repository, commit, stands_at):
        return FastForward(done=False, obstacle="new commits were made on it meanwhile")
    try:
        git(
            repository.root,
            *("-c", "submodule.recurse=false"),  # they stay as they are, and their own settings are not asked
            *("merge", "--quiet", "--ff-only", "--no-autostash", commit),
            environment=repository.gits.trusted.overrides(),
        )
    except GitFailed as failed:
        return FastForward(done=False, obstacle=f"files in the checkout are in the way: {failed.output.strip()}")
    return FastForward(done=True)
