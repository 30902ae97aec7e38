"""What an attempt's agent streams, followed while it works: for people to look at, never for the books."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bursar.agents import LineSplitter, StreamReader
from bursar.events import SessionEnded, ToolStarted

_MOST_BYTES = 1 << 23  # at a time: an agent that floods its stream must not keep its conductor from its work


class StreamFollower:
    """Reads on in a copy of an agent's stream, from where it was the last time.

    Attributes:
        tools: how many tools were asked for so far.
        message: the agent's last words, whole; empty before.
    """

    def __init__(self, stream: Path, reader: StreamReader) -> None:
        """The file need not be there yet."""
        self._stream = stream
        self._reader = reader
        self._splitter = LineSplitter()
        self._offset = 0
        self.tools = 0
        self.message = ""

    def advance(self) -> Sequence[bytes]:
        """The whole lines that have come since, or the next 8 MiB of them."""
        return self._take(self._read())

    def catch_up(self) -> Sequence[bytes]:
        """All the lines that have come since."""
        lines: list[bytes] = []
        while chunk := self._read():
            lines += self._take(chunk)
        return lines

    def _read(self) -> bytes:
        try:
            with open(self._stream, "rb") as file:
                file.seek(self._offset)
                chunk = file.read(_MOST_BYTES)
        except OSError:
            return b""
        self._offset += len(chunk)
        return chunk

    def _take(self, chunk: bytes) -> Sequence[bytes]:
        lines = self._splitter.feed(chunk)
        for event in (event for line in lines for event in self._reader.feed_line(line)):
            if isinstance(event, ToolStarted):
                self.tools += 1
            elif isinstance(event, SessionEnded):
                self.message = event.message
        return lines
