"""The file and its directory: made for the owner only, trusted only when nobody else could have put them there.

The lock file next to the database remembers that there was a database: it is empty until the first schema has been
committed, and not empty ever after. A database that is missing or empty beside a lock file that is not has been lost.
"""

from __future__ import annotations

import os
import stat

from bursar.errors import StoreError

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_MAGIC = b"SQLite format 3\x00"
_SMALLEST = 512
KEEP_HINT = "keep a copy of it and of its `-wal` file, then restore a backup"
_MARK = b"a database was made beside this file; if it is gone, it was lost\n"


def check_place(path: str) -> None:
    """The directory of `path`, and `path` where it exists, are ours, no symlinks, and closed to other writers.

    Raises:
        StoreError: one of them is not.
    """
    directory = os.path.dirname(path)
    if os.path.lexists(directory):
        _check_ours(directory, stat.S_IFDIR, "directory")
    if os.path.lexists(path):
        _check_ours(path, stat.S_IFREG, "file")


def make_place(path: str) -> None:
    """The directory of `path` exists; what had to be made is for the owner only (0700)."""
    missing: list[str] = []
    directory = os.path.dirname(path)
    while not os.path.lexists(directory):
        missing.append(directory)
        directory = os.path.dirname(directory)
    for made in reversed(missing):
        try:
            os.mkdir(made, 0o700)
        except FileExistsError:
            continue  # another process was quicker


def sync_place(path: str) -> None:
    """The directory of `path`, and those above it that are ours, survive a power cut, whoever has made them.

    Another process may have made one and not synced it yet, or been killed before it could.
    """
    directory = os.path.dirname(path)
    parent = os.path.dirname(directory)
    while parent != directory and os.lstat(directory).st_uid == os.geteuid() and os.access(parent, os.R_OK):
        sync_directory(parent)
        directory, parent = parent, os.path.dirname(parent)


def make_file(path: str) -> None:
    """An empty file at `path` for the owner only (0600), which SQLite's side files take their mode from."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    os.close(os.open(path, flags, 0o600))
    os.chmod(path, 0o600)
    sync_directory(os.path.dirname(path))


def is_empty(path: str) -> bool:
    """There is nothing at `path`, or a file of no bytes."""
    try:
        return os.stat(path).st_size == 0
    except FileNotFoundError:
        return True


def check_header(path: str, hint: str) -> None:
    """The file begins as an SQLite database does. SQLite itself takes a stump of one for an empty file, and fills it.

    Args:
        hint: what to do about it if it does not.

    Raises:
        StoreError: it begins otherwise, or ends too soon.
    """
    if os.path.lexists(path + "-journal"):
        return  # the first page was being written when the power went; SQLite will take that back
    with open(path, "rb") as file:
        head = file.read(_SMALLEST)
    if len(head) < _SMALLEST or not head.startswith(_MAGIC):
        raise StoreError(f"`{path}` is corrupt or no database at all; it is left as it is", hint=hint)


def mark(descriptor: int) -> None:
    """The open lock file says from now on that there is a database beside it."""
    if os.fstat(descriptor).st_size == 0:
        os.write(descriptor, _MARK)
        os.fsync(descriptor)


def sync_directory(directory: str) -> None:
    """The names in `directory` survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_ours(path: str, format_bits: int, kind: str) -> None:
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        raise StoreError(f"`{path}` is a symlink; it is not followed", hint="name the real place instead")
    if stat.S_IFMT(found.st_mode) != format_bits:
        raise StoreError(f"`{path}` is not a {kind}")
    if found.st_uid != os.geteuid():
        raise StoreError(f"`{path}` belongs to another user", hint="use a directory of your own")
    if found.st_mode & _OTHERS_WRITE:
        raise StoreError(f"`{path}` can be written by other users", hint=f"close it with `chmod go-w {path}`")
