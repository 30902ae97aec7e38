"""Finds the lines that matter in a file of many, and says how far the file was read. Every byte is looked at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

BLOCK_BYTES = 1 << 20
LONGEST_LINE = 64 << 20


class LineFinder:
    """Lines of a file that hold a marker, from an offset on.

    Attributes:
        offset: what follows the last whole line that was read; a line that is being written is left for the next time.
        torn: that last line without an end, if it holds the marker; it may be all there, or not.
    """

    def __init__(self, file: BinaryIO, marker: bytes, offset: int = 0) -> None:
        self._file = file
        self._marker = marker
        self.offset = offset
        self.torn = b""

    def lines(self) -> Iterator[bytes]:
        """The whole ones, without their ends. A line longer than `LONGEST_LINE` is left out."""
        self._file.seek(self.offset)
        rest = b""
        while block := self._file.read(BLOCK_BYTES):
            block = rest + block if rest else block
            end = block.rfind(b"\n") + 1
            yield from self._lines_of(block, end)
            self.offset += end
            rest = block[end:]
            if len(rest) > LONGEST_LINE:
                rest = self._skip_line(len(rest))
        self.torn = rest if self._marker in rest else b""

    def _lines_of(self, block: bytes, end: int) -> Iterator[bytes]:
        start = 0
        while (found := block.find(self._marker, start, end)) >= 0:
            first = block.rfind(b"\n", start, found) + 1 or start
            start = block.find(b"\n", found, end) + 1
            yield block[first : start - 1]

    def _skip_line(self, read: int) -> bytes:
        """What follows the end of a line of which `read` bytes were read; the offset is there then.

        A line that has no end yet is met again from its beginning.
        """
        while block := self._file.read(BLOCK_BYTES):
            end = block.find(b"\n") + 1
            if end:
                self.offset += read + end
                return block[end:]
            read += len(block)
        return b""
