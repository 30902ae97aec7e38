"""Files in folders that an agent may write: read, taken away and put there without following any link of its making."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_MOST_BYTES = 1 << 20  # no login is larger
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class PlainFile:
    """What a file held, and when that was written."""

    content: bytes
    written_ns: int


def open_plain(path: Path, *, follows: bool = False) -> int:
    """A descriptor to read the file with; a pipe in its place holds nobody up.

    Args:
        follows: the file itself may be a link.

    Raises:
        OSError: there is none, it is no plain file, or it cannot be read.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follows else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no plain file", str(path))
    return descriptor


@contextmanager
def open_folder(top: Path, place: str) -> Iterator[int]:
    """A descriptor of the folder that `place` (a file, relative to `top`) lies in.

    Raises:
        OSError: it is not there, or a link stands in its way.
    """
    descriptor = os.open(top, _DIRECTORY)
    try:
        for part in Path(place).parts[:-1]:
            inner = os.open(part, _DIRECTORY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def read_plain(folder: int, name: str) -> PlainFile | None:
    """The file of that name; None where it is empty, too large for what it should be, or no file at all.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        return None
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with open(descriptor, "rb") as file:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):  # swapped since
            return None
        content = file.read(_MOST_BYTES + 1)
    return PlainFile(content, seen.st_mtime_ns) if 0 < len(content) <= _MOST_BYTES else None


def put_plain(folder: int, name: str, file: PlainFile, *, mode: int = 0o600) -> None:
    """The file is there, at once and as a whole, as old as it was.

    Raises:
        OSError: it could not be written; what was there still is.
    """
    draft = f".{name}.bursar-{os.getpid()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(draft, flags, mode, dir_fd=folder), "wb") as target:
            target.write(file.content)
            target.flush()
            os.fchmod(target.fileno(), mode)
            os.utime(target.fileno(), ns=(file.written_ns, file.written_ns))
        os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        remove_name(folder, draft)
        raise


def remove_name(folder: int, name: str) -> None:
    """No file of that name is there."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass
