"""What is new in one log file."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import BinaryIO

from bursar.logs.call import LoggedCall
from bursar.logs.claude.places import LogFile
from bursar.logs.claude.records import MARKER, read_line
from bursar.logs.index import FileMark
from bursar.logs.lines import LineFinder

_HEAD_BYTES = 1024
_TAIL_BYTES = 256
_FILES_AT_ONCE = 200


def read_new(file: LogFile, mark: FileMark | None) -> tuple[FileMark, list[LoggedCall]]:
    """What stands in the file behind the mark, and the new mark; all of it where the file is another one now.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    with open(file.path, "rb", buffering=0) as opened:
        status = os.fstat(opened.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "is not a regular file")
        goes_on = (
            mark is not None and mark.inode == status.st_ino and _fingerprint(opened, mark.offset) == mark.fingerprint
        )
        finder = LineFinder(opened, MARKER, mark.offset if goes_on and mark is not None else 0)
        found = (read_line(line, file.project, file.session) for line in finder.lines())
        calls = [call for call in found if call is not None]
        torn = read_line(finder.torn, file.project, file.session) if finder.torn else None
        if torn is not None and torn.message:  # without an id it would count again once its line has an end
            calls.append(torn)
        fingerprint = _fingerprint(opened, finder.offset)
    return (
        FileMark(
            file.path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, finder.offset, fingerprint
        ),
        calls,
    )


def _fingerprint(file: BinaryIO, offset: int) -> bytes:
    """A digest of the first bytes and the last ones before `offset`: the same where the file has only grown since."""
    ends = (0, min(offset, _HEAD_BYTES)), (max(0, offset - _TAIL_BYTES), offset)
    digest = hashlib.sha256()
    for start, end in ends:
        file.seek(start)
        digest.update(data := file.read(end - start))
        if len(data) < end - start:
            return b""
    return digest.digest()
