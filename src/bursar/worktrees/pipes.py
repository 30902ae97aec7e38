"""Pipes in the place of files that git reads by itself: whoever waits at one is told that it is empty.

`mkfifo .gitignore` is enough to hold up every git that looks at the folder, for ever. There is no way to tell git to
read plain files alone, and looking for pipes beforehand costs a walk through every worktree; so it is done when a git
has not ended for a while.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_READ_IN_FOLDERS = (".gitignore", ".gitattributes", ".gitmodules")
_READ_OF_REPOSITORY = (
    *("HEAD", "config", "config.worktree", "commondir", "gitdir", "index", "packed-refs", "shallow"),
    *("info/exclude", "info/attributes", "info/grafts", "info/sparse-checkout", "objects/info/alternates"),
)


def release_pipes(folder: Path, git_dirs: tuple[Path, ...]) -> int:
    """Every git that waits for somebody to write into such a pipe reads its end instead; how many were found.

    Args:
        folder: a work tree; no others of its pipes are touched.
        git_dirs: folders of repositories, and of worktrees' state.
    """
    named = (git_dir / name for git_dir in git_dirs for name in _READ_OF_REPOSITORY)
    return sum(_release(path) for path in (*named, *_in_folders(folder)))


def _in_folders(folder: Path) -> Iterator[Path]:
    for within, folders, files in os.walk(folder):
        yield from (Path(within, name) for name in _READ_IN_FOLDERS if name in files)
        if ".git" in folders:
            folders.remove(".git")


def _release(path: Path) -> bool:
    try:
        if not stat.S_ISFIFO(path.lstat().st_mode):
            return False
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC))
    except OSError as error:
        return error.errno == errno.ENXIO  # nobody waits there now
    return True
