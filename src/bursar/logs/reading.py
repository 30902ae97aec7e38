"""What is new in one log file of lines."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from io import FileIO
from typing import NamedTuple, Protocol
from zlib import crc32

from bursar.logs.call import CallRow, best_of
from bursar.logs.columns import PackedCalls
from bursar.logs.files import LogFile
from bursar.logs.index import FileMark
from bursar.logs.lines import LineBlocks

_HEAD_BYTES = 1024
_TAIL_BYTES = 256
_LARGEST_WHOLE = 256 << 20


class LogReader(Protocol):
    """Reads the lines of one log in their order, and raises nothing.

    Attributes:
        state: what the lines so far say about those to come, as text.
        refused: how many lines told of a call that cannot have been: a date that is none, an absurd count.
        limits: what the provider said of its limits meanwhile.
    """

    @property
    def state(self) -> str: ...

    @property
    def refused(self) -> int: ...

    @property
    def limits(self) -> list[LimitRow]: ...

    def read(self, block: memoryview) -> Iterable[CallRow]:
        """The calls that a block of whole lines tells of."""
        ...


LimitRow = tuple[str, int, float, int, int]
"""What a provider says of a limit of a subscription: its name, its length in minutes, percent used, when it begins anew
(s since 1970; 0: not said), and when it said so (ms)."""

MakeReader = Callable[[LogFile, str], LogReader]


class NewCalls(NamedTuple):
    """What was read of a file: from one mark to another. `refused` and `limits`: see `LogReader`.

    Attributes:
        packed: the calls, where they are not in `calls`.
    """

    before: FileMark | None
    after: FileMark
    calls: list[CallRow]
    refused: int = 0
    limits: Sequence[LimitRow] = ()
    packed: PackedCalls | None = None


def read_new(file: LogFile, mark: FileMark | None, make_reader: MakeReader) -> NewCalls:
    """What stands in the file behind the mark; all of it where the file is another one now.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    with FileIO(file.path) as opened:
        status = os.fstat(opened.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "is not a regular file")
        goes_on = (
            mark is not None and mark.inode == status.st_ino and _fingerprint(opened, mark.offset) == mark.fingerprint
        )
        offset, state = (mark.offset, mark.state) if goes_on and mark is not None else (0, "")
        reader = make_reader(file, state)
        lines = LineBlocks(opened, offset)
        calls = [call for block in lines.blocks() for call in reader.read(block)]
        state = reader.state
        # A last line without an end is read again once it has one. A call without an id would count again then.
        torn = make_reader(file, state).read(memoryview(lines.torn)) if lines.torn else ()
        calls += [call for call in torn if call[0]]
        fingerprint = _fingerprint(opened, lines.offset)
    after = FileMark(
        file.path,
        status.st_size,
        status.st_mtime_ns,
        status.st_dev,
        status.st_ino,
        lines.offset,
        fingerprint,
        state,
    )
    return NewCalls(mark, after, best_of(calls), reader.refused + lines.too_long, reader.limits)


def read_whole(path: str) -> tuple[os.stat_result, bytes]:
    """A file that is written anew each time.

    Raises:
        OSError: it cannot be read, is no regular file, or larger than any of its kind.
    """
    with FileIO(path) as opened:
        status = os.fstat(opened.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "is not a regular file")
        if status.st_size > _LARGEST_WHOLE:
            raise OSError(0, f"is larger than {_LARGEST_WHOLE >> 20} MiB")
        return status, opened.read()


def mark_of(path: str, status: os.stat_result, state: str = "") -> FileMark:
    """A file that was read as a whole."""
    return FileMark(path, status.st_size, status.st_mtime_ns, status.st_dev, status.st_ino, 0, b"", state)


def _fingerprint(file: FileIO, offset: int) -> bytes:
    """Checksums of the first bytes and the last ones before `offset`: the same where the file has only grown since."""
    checksums = b""
    for start, end in (0, min(offset, _HEAD_BYTES)), (max(0, offset - _TAIL_BYTES), offset):
        file.seek(start)
        data = file.read(end - start)
        checksums += crc32(data).to_bytes(4, "big")
        if len(data) < end - start:
            return b""
    return checksums
