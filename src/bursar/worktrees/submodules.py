"""Submodules in worktrees: their files are there to be read and built, and changing them is not lost silently.

A worktree of git has empty folders where submodules are. Here each that the user has checked out is filled with the
files of the commit that the superproject names, without a `.git`: nothing an agent does there can reach the submodule's
repository. What it changes there cannot become a commit of the superproject, so it is refused, and said, and kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bursar.errors import SetupError
from bursar.worktrees.git import GitFailed, git
from bursar.worktrees.trees import REPOSITORY


@dataclass(frozen=True, slots=True)
class Submodule:
    """One that the user has checked out.

    Attributes:
        path: from the top of the superproject.
        commit: what the superproject names.
        git_dir: its repository.
    """

    path: str
    commit: str
    git_dir: Path


class SubmoduleChanged(SetupError):
    """Files of a submodule were changed in a worktree, and bursar makes no commits in submodules."""


def find_submodules(root: Path, commit: str, within: str = "") -> Iterator[Submodule]:
    """Submodules of `commit` that are checked out below `root` with the commit that is named, those inside them too."""
    _, listed = git(root, "ls-tree", "-r", "-z", "--full-tree", commit)
    for entry in listed.split("\0"):
        about, _, path = entry.partition("\t")
        if about.startswith(REPOSITORY.decode()) and (root / path / ".git").exists():
            yield from _open(root / path, about.split()[2], within + path)


def _open(folder: Path, commit: str, path: str) -> Iterator[Submodule]:
    """The submodule in the user's checkout, and those inside it; nothing where it does not have the commit."""
    try:
        _, said = git(folder, "rev-parse", "--absolute-git-dir", f"{commit}^{{commit}}")
    except GitFailed:
        return
    yield Submodule(path, commit, Path(said.splitlines()[0]))
    yield from find_submodules(folder, commit, path + "/")


def fill_submodule(submodule: Submodule, worktree: Path, index: Path) -> None:
    """The submodule's folder in the worktree has its files; `index` is what to compare them with later.

    Raises:
        GitFailed: they could not be written.
    """
    index.parent.mkdir(exist_ok=True)
    (worktree / submodule.path).mkdir(parents=True, exist_ok=True)
    where = _where(submodule, worktree, index)
    git(worktree, "read-tree", submodule.commit, environment=where)
    git(worktree / submodule.path, "checkout-index", "--all", "--force", "--quiet", environment=where)


def changes_in_submodule(submodule: Submodule, worktree: Path, index: Path) -> list[str]:
    """Paths below the submodule's folder that are not as they were filled in; what git ignores there does not count.

    Raises:
        GitFailed: git cannot tell.
    """
    where = _where(submodule, worktree, index)
    folder = worktree / submodule.path
    if not folder.is_dir() or (folder / ".git").exists():
        return [submodule.path]  # removed, replaced, or made a repository of its own
    if not index.exists():  # a power cut has lost it
        git(worktree, "read-tree", submodule.commit, environment=where)
    git(folder, "add", "--all", environment=where)
    _, changed = git(folder, "diff-index", "--cached", "--name-only", "-z", submodule.commit, environment=where)
    return [f"{submodule.path}/{path}" for path in changed.split("\0") if path]


def _where(submodule: Submodule, worktree: Path, index: Path) -> dict[str, str]:
    return {
        "GIT_DIR": str(submodule.git_dir),
        "GIT_WORK_TREE": os.path.realpath(worktree / submodule.path),
        "GIT_INDEX_FILE": str(index),
        "GIT_LITERAL_PATHSPECS": "1",
    }
