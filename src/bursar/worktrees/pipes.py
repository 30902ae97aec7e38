"""Pipes, and other things that are no files, in the place of files that git reads by itself.

`mkfifo .gitignore` is enough to hold up every git that looks at the folder, for ever. There is no way to tell git to
read plain files alone, and looking for pipes beforehand costs a walk through every worktree; so it is done when a git
has not ended for a while. At a pipe in the place of a list that may as well be empty it is told that it is; at any
other it is ended, because what it would do with an empty one is not what the repository is.

Source: docs/decisions/0054-a-git-directory-per-attempt.md
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

_READ_IN_FOLDERS = (".gitignore", ".gitattributes", ".gitmodules")
_MAY_BE_EMPTY = ("info/exclude", "info/attributes")
_HAS_TO_BE_FILE = (
    *("HEAD", "config", "config.worktree", "commondir", "gitdir", "packed-refs", "shallow", "index"),
    *("info/exclude", "info/attributes", "info/grafts", "info/sparse-checkout", "objects/info/alternates"),
)
_MOST_BYTES = 1 << 30
_MOST_LOOKS = 50
_DEVICE = "a device"
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFDIR: "a folder",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: _DEVICE,
    stat.S_IFBLK: _DEVICE,
}
# Where the kernel has a process wait that opens a pipe for which there is no writer (see fs/pipe.c).
_AT_A_PIPE = frozenset({"wait_for_partner", "fifo_open"})


class Patience:
    """With one git that is running: what it may be waiting for, whenever nothing was heard of it for a while."""

    def __init__(self, pid: int, folder: Path, git_dirs: Sequence[Path]) -> None:
        """`folder` is the work tree, or a folder in it; `git_dirs` of repositories, and of worktrees' state."""
        self._pid = pid
        self._folder = folder
        self._git_dirs = git_dirs
        self._looks = 0

    def look(self) -> str:
        """For what it would wait for ever, in words; empty where it goes on, or where that cannot be told."""
        is_at_pipe = any(_waits_at_pipe(pid) for pid in (self._pid, *_children(self._pid)))
        released = release_pipes(self._folder, self._git_dirs)
        if not is_at_pipe:
            return find_swapped(self._git_dirs, only_endless=True)
        self._looks += 1
        if released and self._looks < _MOST_LOOKS:
            return ""
        return find_swapped(self._git_dirs) or "a pipe stands in the place of a file that git reads"


def release_pipes(folder: Path, git_dirs: Sequence[Path]) -> int:
    """Every git that waits for somebody to write into such a list reads its end instead; how many pipes that were.

    Args:
        folder: a work tree; no others of its pipes are touched.
        git_dirs: folders of repositories, and of worktrees' state.
    """
    named = (git_dir / name for git_dir in git_dirs for name in _MAY_BE_EMPTY)
    return sum(_release(path) for path in (*named, *_in_folders(folder)))


def find_swapped(git_dirs: Sequence[Path], *, only_endless: bool = False) -> str:
    """Which of git's own files there is no file, or too large for one, in words; empty where all are.

    With `only_endless` those that a git reads on and on.
    """
    for git_dir in git_dirs:
        refs = (path for path in _below(git_dir / "refs") if not path.is_dir())
        for path in (*(git_dir / name for name in _HAS_TO_BE_FILE), *refs):
            if words := describe_swapped(path, only_endless=only_endless):
                return words
    return ""


def describe_swapped(path: Path, *, only_endless: bool = False) -> str:
    """What stands in the place of the file, in words; empty for a file, which need not be there."""
    try:
        seen = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return "" if only_endless else f"{path} cannot be read: {error.strerror}"
    link = "a link to " if path.is_symlink() else ""
    kind = _KINDS.get(stat.S_IFMT(seen.st_mode))
    if kind is not None:
        return "" if only_endless and kind != _DEVICE else f"{path} is {link}{kind}, where git has a file"
    return f"{path} has {seen.st_size:,} bytes, which is too large for what it is" if seen.st_size > _MOST_BYTES else ""


def _in_folders(folder: Path) -> Iterator[Path]:
    for within, folders, files in os.walk(folder):
        yield from (Path(within, name) for name in _READ_IN_FOLDERS if name in files)
        if ".git" in folders:
            folders.remove(".git")


def _below(folder: Path) -> Iterator[Path]:
    yield folder
    for within, _, files in os.walk(folder):
        yield from (Path(within, name) for name in files)


def _release(path: Path) -> bool:
    try:
        if not stat.S_ISFIFO(path.stat().st_mode):
            return False
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError:  # nobody waits there
        return False
    return True


def _waits_at_pipe(pid: int) -> bool:
    with suppress(OSError):
        return Path("/proc", str(pid), "wchan").read_text(encoding="ascii") in _AT_A_PIPE
    return False


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(each) for each in Path("/proc", str(pid), "task", str(pid), "children").read_text().split()]
    return []
