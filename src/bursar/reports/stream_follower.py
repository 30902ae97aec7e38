"""What an attempt's agent streams, followed while it works: for people to look at, never for the books."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bursar.agents import LineSplitter, open_reader
from bursar.events import ToolStarted

_MOST_BYTES = 1 << 23  # at a time: an agent that floods its stream must not keep its conductor from its work


class StreamFollower:
    """Reads on in a copy of an agent's stream, from where it was the last time."""

    def __init__(self, stream: Path, agent: str) -> None:
        """The file need not be there yet."""
        self._stream = stream
        self._reader = open_reader(agent)
        self._splitter = LineSplitter()
        self._offset = 0
        self.tools = 0

    def advance(self) -> Sequence[bytes]:
        """The whole lines that have come since; the tools that they ask for are counted."""
        try:
            with open(self._stream, "rb") as file:
                file.seek(self._offset)
                chunk = file.read(_MOST_BYTES)
        except OSError:
            return ()
        self._offset += len(chunk)
        lines = self._splitter.feed(chunk)
        for line in lines:
            self.tools += sum(1 for event in self._reader.feed_line(line) if isinstance(event, ToolStarted))
        return lines
