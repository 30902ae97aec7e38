"""What bursar may have left in a repository, as git lists it: worktrees, drafts of worktrees, refs of runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bursar.worktrees.folders import remove_folder
from bursar.worktrees.git import git
from bursar.worktrees.plain_files import read_plain
from bursar.worktrees.repository import Repository, worktree_list
from bursar.worktrees.worktree import Worktree

_DRAFT = "bursar-worktree-*"
_RUNS = "refs/bursar/"


@dataclass(frozen=True, slots=True)
class RunRef:
    """The merged work of a run that has not come to its end: its id and the commit."""

    run_id: str
    commit: str


def list_worktrees(repository: Repository, below: Path) -> Sequence[Worktree]:
    """Worktrees that git lists and that lie, or lay, below a folder; `base` is where each stands, empty if unknown."""
    found = []
    with worktree_list(repository):
        for listed in sorted((repository.common_dir / "worktrees").glob("*")):
            path = _path_of(listed)
            if path is not None and path.is_relative_to(below):
                found.append(Worktree(path, listed, _head_of(listed)))
    return found


def list_drafts(repository: Repository) -> Sequence[Path]:
    """Folders of worktrees that were being made, or unmade, by a process that may have been killed."""
    return sorted(path for path in repository.common_dir.glob(_DRAFT) if path.is_dir())


def remove_drafts(drafts: Sequence[Path]) -> None:
    """They are gone. Nobody makes worktrees in their repository meanwhile."""
    for draft in drafts:
        remove_folder(draft)


def list_run_refs(repository: Repository) -> Sequence[RunRef]:
    """Refs that hold the merged work of runs."""
    _, output = git(repository.root, "for-each-ref", "--format=%(refname) %(objectname)", _RUNS)
    pairs = (line.split() for line in output.splitlines())
    return [RunRef(name.removeprefix(_RUNS), commit) for name, commit in pairs]


def _path_of(listed: Path) -> Path | None:
    try:
        return Path(os.fsdecode(read_plain(listed / "gitdir").strip())).parent
    except OSError:
        return None


def _head_of(listed: Path) -> str:
    try:
        head = read_plain(listed / "HEAD").decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return "" if head.startswith("ref:") else head
