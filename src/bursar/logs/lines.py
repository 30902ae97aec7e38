"""A file of many lines in blocks of whole ones, and how far it was read. Every byte is looked at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

BLOCK_BYTES = 1 << 19
LONGEST_LINE = 64 << 20

_room = bytearray()
"""One for all files: a new one for each block would have to be given and cleared by the kernel each time."""


class _File(Protocol):
    """A file that is read without a buffer of its own."""

    def seek(self, offset: int, /) -> int: ...

    def readinto(self, buffer: memoryview, /) -> int | None: ...


class LineBlocks:
    """Whole lines of a file from an offset on, many at once. One file at a time: they share a buffer.

    Attributes:
        offset: what follows the last whole line that was read; a line that is being written is left for the next time.
        torn: that last line without an end; it may be all there, or not.
        too_long: how many lines were longer than `LONGEST_LINE`, and left out.
    """

    def __init__(self, file: _File, offset: int = 0) -> None:
        self._file = file
        self._skipped = 0
        self.offset = offset
        self.torn = b""
        self.too_long = 0

    def blocks(self) -> Iterator[memoryview]:
        """Lines with their ends; what was given is no longer true when the next is asked for."""
        global _room
        if len(_room) != BLOCK_BYTES:
            _room = bytearray(BLOCK_BYTES)
        self._file.seek(self.offset)
        room, rest = _room, 0
        while read := self._file.readinto(memoryview(room)[rest:]):
            filled = rest + read
            end = room.rfind(b"\n", rest, filled) + 1
            if end:
                start = self._skip(room, rest, filled)
                if start < end:
                    yield memoryview(room)[start:end]
                self.offset += end
                room[: filled - end] = room[end:filled]
            rest = filled - end
            if self._skipped or rest > LONGEST_LINE:
                self._skipped, rest = self._skipped + rest, 0
            elif rest == len(room):
                room = room + bytearray(len(room))
        self.torn = b"" if self._skipped else bytes(room[:rest])

    def _skip(self, room: bytearray, start: int, filled: int) -> int:
        """Where the lines begin: behind the end of one that is too long, if that is being skipped."""
        if not self._skipped:
            return 0
        self.offset += self._skipped
        self._skipped = 0
        self.too_long += 1
        return room.find(b"\n", start, filled) + 1


def lines_with(block: memoryview, markers: re.Pattern[bytes]) -> Iterator[bytes]:
    """The lines of a block that hold a marker, without their ends."""
    data = bytes(block)
    start = 0
    while found := markers.search(data, start):
        first = data.rfind(b"\n", start, found.start()) + 1 or start
        start = (data.find(b"\n", found.start()) + 1) or len(data) + 1
        yield data[first : start - 1]
