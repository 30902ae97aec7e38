"""Worktrees that are used again: in a large repository most of an attempt's own cost is writing files that are there.

Nothing that an attempt has left is believed. Git's state of the worktree is thrown away whole; its index is a copy that
was made before the agent came. Of the files everything goes that this index does not name (ignored files, repositories,
pipes), and what it names stays only where size, inode and times are as they were: ctime cannot be set back (git counts
it in seconds, and reads again what is as young as its index). All else is written anew. Where that fails, there is no
pool, and the next attempt has a worktree of its own.

Source: docs/decisions/0048-a-sandbox-and-limits.md
"""

from __future__ import annotations

import os
import shutil
import stat
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bursar.errors import BursarError
from bursar.worktrees.collecting import keep_index
from bursar.worktrees.folders import clear_folder, remove_folder
from bursar.worktrees.git import git
from bursar.worktrees.objects import read_tree
from bursar.worktrees.registry import has_more_state, register, unregister
from bursar.worktrees.repository import Repository
from bursar.worktrees.worktree import Worktree, create, remove

ENOUGH_FILES = 1_000  # with fewer it is cheaper to write them than to look at what is there
_STRICT = ("-c", "core.trustCTime=true", "-c", "core.checkStat=default", "-c", "core.untrackedCache=false")


@dataclass(frozen=True, slots=True)
class _Spare:
    """A worktree that nobody uses, and the index that tells which of its files are as git wrote them."""

    path: Path
    index: Path


class Pool:
    """The worktrees of one run."""

    def __init__(self, repository: Repository, folder: Path, *, most: int, enough_files: int = ENOUGH_FILES) -> None:
        """`folder` is the pool's alone, on the worktrees' file system; what an earlier process left there goes."""
        self._repository = repository
        self._folder = folder
        self._most = most
        self._enough_files = enough_files
        self._guard = threading.Lock()
        self._spares: list[_Spare] = []
        self._used: dict[Path, Path] = {}
        self._count = 0
        remove_folder(folder)

    def create(self, path: Path, base: str, contents: str | None = None) -> Worktree:
        """As `worktrees.create`, from a worktree that is not used any more where there is one.

        Raises:
            GitFailed: `base` could not be checked out; nothing is left of the worktree.
            SetupError: the folders could not be made.
        """
        worktree = self._take(path, base, contents) or create(self._repository, path, base, contents)
        self._note_index(worktree)
        return worktree

    def remove(self, path: Path) -> None:
        """As `worktrees.remove`: nobody finds anything there. Its files may be kept for the next."""
        with self._guard:
            index = self._used.pop(path, None)
            is_wanted = index is not None and len(self._spares) < self._most and path.is_dir()
            self._count += 1
            spare = _Spare(self._folder / f"{self._count}", index or self._folder)
        if is_wanted:
            with suppress(OSError):
                unregister(self._repository, path.name)
                path.rename(spare.path)
                with self._guard:
                    self._spares.append(spare)
                return
        remove(self._repository, path)

    def close(self) -> None:
        """No worktree is kept any more."""
        with self._guard:
            self._spares.clear()
            self._used.clear()
        remove_folder(self._folder)

    def _take(self, path: Path, base: str, contents: str | None) -> Worktree | None:
        with self._guard:
            spare = self._spares.pop() if self._spares else None
        if spare is None:
            return None
        try:
            _sweep(spare.path, self._tracked(spare.index))
            path.parent.mkdir(parents=True, exist_ok=True)
            spare.path.rename(path)
            worktree = Worktree(path, register(self._repository, path, base, is_there=True), base)
            shutil.copy2(spare.index, worktree.state_dir / "index")  # with its time: git compares files as old as that
            self._check_out(worktree, contents or base)
            keep_index(self._repository, worktree.state_dir)
        except (OSError, BursarError):
            remove_folder(spare.path)
            remove(self._repository, path)
            return None
        finally:
            spare.index.unlink(missing_ok=True)
        return worktree

    def _check_out(self, worktree: Worktree, commit: str) -> None:
        where = {"GIT_DIR": str(worktree.state_dir), "GIT_WORK_TREE": str(worktree.path)}
        where |= self._repository.gits.trusted.overrides(worktree.state_dir)
        how = ("read-tree", "-u", "--reset", "--no-recurse-submodules", commit)
        git(worktree.path, *_STRICT, *how, environment=where)

    def _note_index(self, worktree: Worktree) -> None:
        """What git knows of the worktree now, before an agent comes, where it is worth to be used again."""
        if has_more_state(self._repository) or b".gitmodules" in read_tree(self._repository, worktree.base):
            return
        if "core.splitindex" in self._repository.gits.settings:
            return
        with suppress(OSError):
            source = worktree.state_dir / "index"
            if _count_entries(source) < self._enough_files:
                return
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            target = self._folder / f"{worktree.path.name}.index"
            shutil.copy2(source, target)
            self._used[worktree.path] = target

    def _tracked(self, index: Path) -> set[bytes]:
        where = {"GIT_DIR": str(self._repository.common_dir), "GIT_INDEX_FILE": str(index)}
        _, listed = git(self._repository.root, "ls-files", "-z", "--cached", environment=where)
        return {os.fsencode(name) for name in listed.split("\0") if name}


def _count_entries(index: Path) -> int:
    """How many files an index has. Source: gitformat-index(5): signature, version, count, each four bytes."""
    with index.open("rb") as file:
        return int.from_bytes(file.read(12)[8:], "big")


def _sweep(top: Path, tracked: set[bytes]) -> None:
    """Nothing is left but tracked names, and the folders on the way to them, which are as new ones would be.

    Raises:
        OSError: something resists.
    """
    folders = {b""}
    for name in tracked:
        while name := name.rpartition(b"/")[0]:
            if name in folders:
                break
            folders.add(name)
    umask = _umask()
    queue = [b""]
    while queue:
        within = queue.pop()
        path = os.path.join(os.fsencode(top), within)
        _make_plain(path, os.stat(path).st_mode, 0o777 & ~umask)
        with os.scandir(path) as entries:
            listed = list(entries)
        for entry in listed:
            name = within + b"/" + entry.name if within else entry.name
            if not entry.is_dir(follow_symlinks=False):
                mode = entry.stat(follow_symlinks=False).st_mode
                if name not in tracked:
                    os.unlink(entry.path)
                elif stat.S_ISREG(mode):
                    _make_plain(entry.path, mode, (0o777 if mode & 0o100 else 0o666) & ~umask)
            elif name in folders:
                queue.append(name)
            else:
                clear_folder(entry.path)


def _make_plain(path: bytes, mode: int, wanted: int) -> None:
    """Rights and attributes are those of a new one. Git sees them only in the second after it has written a file."""
    if stat.S_IMODE(mode) != wanted:
        os.chmod(path, wanted)
    for attribute in os.listxattr(path, follow_symlinks=False):
        with suppress(OSError):
            os.removexattr(path, attribute, follow_symlinks=False)


def _umask() -> int:
    """Read, not set and set back: other threads make files meanwhile."""
    with open("/proc/self/status", "rb") as status:
        line = next(line for line in status if line.startswith(b"Umask:"))
    return int(line.split()[1], 8)
