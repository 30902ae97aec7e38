"""What an agent has left in a worktree, as a tree: its files, whatever it has told git about them.

Its index is looked at for one thing only, ignored files that it has added. What git compares the files with is the
index as it was before the agent came: in the agent's own, files can be marked as not to be looked at, paths can be
unmerged, and it need not be an index at all. Where git's state of the worktree is broken, it is done without.

Source: docs/decisions/0054-a-git-directory-per-attempt.md
"""

from __future__ import annotations

import filecmp
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bursar.worktrees.folders import remove_folder
from bursar.worktrees.git import GitFailed, git
from bursar.worktrees.index_file import parse_index
from bursar.worktrees.objects import compare, write_files
from bursar.worktrees.pipes import describe_swapped
from bursar.worktrees.plain_files import read_plain
from bursar.worktrees.registry import has_more_state
from bursar.worktrees.repository import Repository
from bursar.worktrees.trees import REPOSITORY, Difference, Tree

_BEGUN = "index.begun"
_STATE_FILES = ("HEAD", "commondir", "gitdir", "config.worktree")  # that git reads whatever index it is given
_MOST_INDEX_BYTES = 1 << 30
_MOST_READ_BYTES = 1 << 16  # some 700 files


@dataclass(frozen=True, slots=True)
class Left:
    """A worktree that an agent has left.

    Attributes:
        state_dir: git's state of it.
        base: the commit that it started from.
        view_index: of the git directory that the agent had to itself, if it had one.
    """

    path: Path
    state_dir: Path
    base: str
    view_index: Path | None = None


def keep_index(repository: Repository, state_dir: Path) -> None:
    """The worktree's index as it is now is what its files will be compared with, whatever becomes of it."""
    if "core.splitindex" in repository.gits.settings:  # it lies in two files
        return
    with suppress(OSError):
        shutil.copy2(state_dir / "index", state_dir / _BEGUN)  # with its time: git compares files as old as that


def collect_tree(repository: Repository, left: Left) -> tuple[str, list[Difference]]:
    """All that git does not ignore, and what it does where the agent has added it; and what differs from the base.

    Raises:
        GitFailed: git cannot take it in; the files are as they were.
    """
    begun, index = left.state_dir / _BEGUN, left.state_dir / "index"
    for name in ("index.lock", f"{_BEGUN}.lock"):  # of a git that was killed; the agent runs no more
        with suppress(OSError):
            (left.state_dir / name).unlink()
    if any(describe_swapped(left.state_dir / name) for name in _STATE_FILES):
        return _anew(repository, left)
    where = _where(repository, left)
    if not _is_index(begun):
        where |= {"GIT_INDEX_FILE": str(index)}
        if not _is_index(index):
            return _anew(repository, left)
        return _collect(repository, left, where, _forced(left, where, ()))
    own = () if _is_index(index) and filecmp.cmp(index, begun, shallow=False) else (index,)
    where |= {"GIT_INDEX_FILE": str(begun)}
    try:
        found = _collect(repository, left, where, _forced(left, where, own))
    except GitFailed:
        if has_more_state(repository):
            raise
        return _anew(repository, left)
    with suppress(OSError):
        if index.is_dir() and not index.is_symlink():
            remove_folder(index)
        begun.replace(index)
    return found


def _where(repository: Repository, left: Left) -> dict[str, str]:
    place = {"GIT_DIR": str(left.state_dir), "GIT_WORK_TREE": str(left.path), "GIT_LITERAL_PATHSPECS": "1"}
    return place | dict(repository.gits.trusted.overrides(left.state_dir))


def _anew(repository: Repository, left: Left) -> tuple[str, list[Difference]]:
    """The same from the files alone, with nothing of git's state of the worktree.

    Raises:
        GitFailed: that says which files are not to be there (a sparse checkout): they would be taken for deleted.
    """
    if has_more_state(repository):
        raise GitFailed(("add", "--all"), 128, "git's state of the worktree is gone")
    with tempfile.TemporaryDirectory(prefix="bursar-index-") as folder:
        where = {"GIT_DIR": str(repository.common_dir), "GIT_WORK_TREE": str(left.path), "GIT_LITERAL_PATHSPECS": "1"}
        where |= {"GIT_INDEX_FILE": str(Path(folder) / "index"), **repository.gits.trusted.overrides()}
        git(left.path, "read-tree", left.base, environment=where)
        return _collect(repository, left, where, _forced(left, where, ()))


def _collect(
    repository: Repository, left: Left, where: Mapping[str, str], forced: Sequence[str]
) -> tuple[str, list[Difference]]:
    tree = _write_tree(repository, left, where)
    if forced:
        tree = _add_forced(left.path, where, forced) or tree
    changed = compare(repository, left.base, tree)
    if inner := _new_repositories(changed):
        _take_in(left.path, where, inner)
        tree = _write_tree(repository, left, where)
        changed = compare(repository, left.base, tree)
    return tree, changed


def _write_tree(repository: Repository, left: Left, where: Mapping[str, str]) -> str:
    """All that git does not ignore, as a tree; in a sparse checkout also what lies outside of it."""
    path = left.path
    add = ("add", "--all", *(("--sparse",) if "core.sparsecheckout" in repository.gits.settings else ()))
    code, _ = git(path, *add, environment=where, accept=(0, 128))
    if code:  # git refuses a repository inside that has no commit yet
        _, others = git(path, "ls-files", "-z", "--others", "--exclude-standard", environment=where)
        _take_in(path, where, [other.rstrip("/") for other in others.split("\0") if other.endswith("/")])
        git(path, *add, environment=where)
    files = _read_index(Path(where["GIT_INDEX_FILE"]), left.base)
    tree = None if files is None else write_files(repository, left.base, files)
    return tree or git(path, "write-tree", environment=where)[1].strip()


def _read_index(path: Path, base: str) -> Tree | None:
    """The files that an index names; None where it is not plain, or so large that git has read it sooner."""
    with suppress(OSError):
        if path.stat().st_size <= _MOST_READ_BYTES:
            return parse_index(read_plain(path), len(base) // 2)
    return None


def _forced(left: Left, where: Mapping[str, str], own: Sequence[Path]) -> list[str]:
    """Ignored files that the agent has added, by indexes of its own; those may hold anything."""
    found: set[str] = set()
    for index in (*own, *([] if left.view_index is None else [left.view_index])):
        if _is_index(index):
            listing = ("ls-files", "-z", "--cached", "--ignored", "--exclude-standard")
            with suppress(GitFailed):
                found.update(
                    git(left.path, *listing, environment={**where, "GIT_INDEX_FILE": str(index)})[1].split("\0")
                )
    return sorted(path for path in found if _lies_within(left.path, path))


def _add_forced(path: Path, where: Mapping[str, str], forced: Sequence[str]) -> str | None:
    """The tree with these files; None where git does not take them."""
    named = "\0".join(forced).encode("utf-8", "surrogateescape")
    add = ("add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul")
    code, _ = git(path, *add, environment=where, stdin=named, accept=(0, 1, 128))
    return None if code else git(path, "write-tree", environment=where)[1].strip()


def _is_index(path: Path) -> bool:
    """Whether it is a file at all: a pipe would hold git up for ever."""
    try:
        seen = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(seen.st_mode) and 0 < seen.st_size < _MOST_INDEX_BYTES


def _lies_within(folder: Path, path: str) -> bool:
    """Whether there is such a file, and no link or `..` on the way to it."""
    parts = path.split("/")
    if not {"", ".", ".."}.isdisjoint(parts) or any(part.lower() == ".git" for part in parts):
        return False
    above = [folder.joinpath(*parts[:number]) for number in range(1, len(parts))]
    end = folder / path
    return not any(each.is_symlink() for each in above) and (end.is_symlink() or end.is_file())


def _new_repositories(changed: Iterable[Difference]) -> list[str]:
    """Paths that are repositories of their own and were none before: a submodule that the base knows is no such."""
    return [
        os.fsdecode(path)
        for path, before, after in changed
        if after is not None and after.mode == REPOSITORY and (before is None or before.mode != REPOSITORY)
    ]


def _take_in(folder: Path, where: Mapping[str, str], inner: Sequence[str]) -> None:
    """The repositories inside are plain folders of the worktree."""
    for path in inner:
        out = ("rm", "--quiet", "--cached", "--force", "--ignore-unmatch", "--", path)
        git(folder, *out, environment=where)
        marker = folder / path / ".git"
        if marker.is_dir() and not marker.is_symlink():
            shutil.rmtree(marker)
        else:
            marker.unlink(missing_ok=True)
