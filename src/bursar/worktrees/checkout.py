"""The one place where the user's checkout is touched: it is fast-forwarded to what was merged, or left as it is."""

from __future__ import annotations

from dataclasses import dataclass

from bursar.worktrees.git import GitFailed, git
from bursar.worktrees.merge import contains
from bursar.worktrees.repository import Repository, read_head, worktree_list


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
    try:
        with worktree_list(repository):
            git(
                repository.root,
                "fetch",
                "--quiet",
                ".",
                f"{commit}:refs/heads/{branch}",
                environment=repository.gits.trusted.overrides(),
            )
    except GitFailed as failed:
        return FastForward(done=False, obstacle=f"branch {branch} could not be moved: {failed.output.strip()}")
    return FastForward(done=True)


def _fast_forward_checkout(repository: Repository, stands_at: str, commit: str) -> FastForward:
    if contains(repository, stands_at, commit):
        return FastForward(done=True)
    if not contains(repository, commit, stands_at):
        return FastForward(done=False, obstacle="new commits were made on it meanwhile")
    try:
        git(
            repository.root,
            "merge",
            "--quiet",
            "--ff-only",
            "--no-autostash",
            commit,
            environment=repository.gits.trusted.overrides(),
        )
    except GitFailed as failed:
        return FastForward(done=False, obstacle=f"files in the checkout are in the way: {failed.output.strip()}")
    return FastForward(done=True)
