"""Brings the index up to date with log files: what is new in them is read, what was read before is not."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from bursar.logs.call import LoggedCall
from bursar.logs.claude.places import LogFile
from bursar.logs.claude.records import MARKER, read_line
from bursar.logs.index import CallPrices, FileMark, LogIndex
from bursar.logs.lines import LineFinder

_HEAD_BYTES = 1024
_TAIL_BYTES = 256
_FILES_AT_ONCE = 200


@dataclass
class ReadingResult:
    """What was looked at: how many files there are, how many had something new, and which could not be read (why)."""

    files: int = 0
    changed: int = 0
    calls: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)


def update_index(index: LogIndex, source: str, files: Iterable[LogFile], prices: CallPrices) -> ReadingResult:
    """The index has every call of the files as they are now; a file that cannot be read is named in the answer."""
    result, marks = ReadingResult(), index.marks()
    changed = [file for file in files if _is_changed(file, marks, result)]
    if changed:
        prices.load()
    for start in range(0, len(changed), _FILES_AT_ONCE):
        with index.adding(prices) as adding:
            for file in changed[start : start + _FILES_AT_ONCE]:
                try:
                    mark, calls = read_new(file, marks.get(file.path))
                except OSError as error:
                    result.unreadable[file.path] = error.strerror or str(error)
                    continue
                adding.add(source, calls)
                adding.mark(mark)
                result.changed += 1
                result.calls += len(calls)
    return result


def _is_changed(file: LogFile, marks: Mapping[str, FileMark], result: ReadingResult) -> bool:
    result.files += 1
    mark = marks.get(file.path)
    return mark is None or (mark.size, mark.changed) != (file.size, file.changed)


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
