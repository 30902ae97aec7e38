"""Files in a git directory, where agents may have put anything else in their place: read and written as files, or not.

A pipe holds nobody up, a device is no endless file, and nothing is written where a link leads.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_MOST_BYTES = 1 << 26


def read_plain(path: Path) -> bytes:
    """What the file holds, which may be reached through a link.

    Raises:
        OSError: there is none, it is no file, or too large for a list that people write.
    """
    with open(_open(path, os.O_RDONLY), "rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise OSError(errno.EFBIG, "it is too large for what it is", str(path))
    return content


def append_plain(path: Path, content: bytes) -> None:
    """The file, which need not have been there, ends with this.

    Raises:
        OSError: it is no file, a link stands in its place, or the disk is full.
    """
    with open(_open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW), "ab", buffering=0) as file:
        file.write(content)


def open_lock(path: Path) -> int:
    """A descriptor of the file, to lock it by.

    Raises:
        OSError: it is no file, or a link stands in its place.
    """
    return _open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def _open(path: Path, flags: int, mode: int = 0o666) -> int:
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, mode)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no file", str(path))
    return descriptor
