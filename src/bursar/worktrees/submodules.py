"""Submodules in worktrees: their files are there to be read and built, and changing them is not lost silently.

A worktree of git has empty folders where submodules are. Here each that the user has checked out is filled with the
files of the commit that the superproject names, without a `.git`: nothing an agent does there can reach the submodule's
repository. What it changes there cannot become a commit of the superproject, so it is refused, and said, and kept.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bursar.errors import SetupError
from bursar.worktrees.git import GitFailed, git
from bursar.worktrees.trees import REPOSITORY
from bursar.worktrees.trusted import TrustedSettings


@dataclass(frozen=True, slots=True)
class Submodule:
    """One that the user has checked out.

    Attributes:
        path: from the top of the superproject.
        commit: what the superproject names.
        git_dir: its repository.
        trusted: that one's settings.
    """

    path: str
    commit: str
    git_dir: Path
    trusted: TrustedSettings


class SubmoduleChanged(SetupError):
    """Files of a submodule were changed in a worktree, and bursar makes no commits in submodules."""


class Submodules:
    """The submodules of one checkout, each with the repository and the settings that it had when it was first seen.

    An agent can rewrite the `.git` file in a submodule's folder, and the settings of its repository, as it can those of
    the superproject.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._guard = threading.Lock()
        self._known: dict[str, tuple[Path, TrustedSettings]] = {}

    def find(self, commit: str) -> list[Submodule]:
        """Those of a commit that are checked out, and have the commit that is named; those inside them too."""
        with self._guard:
            return list(self._find(self._root, {}, commit, ""))

    def _find(self, folder: Path, where: dict[str, str], commit: str, within: str) -> Iterator[Submodule]:
        _, listed = git(folder, "ls-tree", "-r", "-z", "--full-tree", commit, environment=where)
        for entry in listed.split("\0"):
            about, _, path = entry.partition("\t")
            if about.startswith(REPOSITORY.decode()):
                yield from self._open(within + path, about.split()[2])

    def _open(self, path: str, commit: str) -> Iterator[Submodule]:
        """The submodule in the user's checkout, and those inside it; nothing where it does not have the commit."""
        if path not in self._known and not (self._root / path / ".git").exists():
            return
        try:
            git_dir, trusted = self._known.get(path) or self._see(path)
            where = {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(git_dir)}  # not the checkout, which may be gone
            git(git_dir, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", environment=where)
        except GitFailed:
            return
        self._known[path] = git_dir, trusted
        yield Submodule(path, commit, git_dir, trusted)
        yield from self._find(git_dir, where, commit, path + "/")

    def _see(self, path: str) -> tuple[Path, TrustedSettings]:
        _, said = git(self._root / path, "rev-parse", "--absolute-git-dir")
        git_dir = Path(said.rstrip("\n"))
        return git_dir, TrustedSettings(git_dir, bare=True)


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
        **submodule.trusted.overrides(),
    }
