"""An agent's own log, read while it is written."""

from __future__ import annotations

import os
from pathlib import Path

from bursar.agents.lines import LineSplitter
from bursar.agents.unfollowed import open_plain

_CHUNK_BYTES = 1 << 20


class LogFollower:
    """Reads a file from its beginning as it grows. The file stays open: renamed or deleted, it is read to its end."""

    def __init__(self, path: Path) -> None:
        """Opens it. It is the agent's: a pipe in its place would hold its supervisor up.

        Raises:
            OSError: it cannot be read, or is no plain file.
        """
        self.path = path
        self._descriptor = open_plain(path)
        self._splitter = LineSplitter()

    def poll(self) -> list[bytes]:
        """The lines that were completed since it was last asked; none once it is closed or cannot be read."""
        lines: list[bytes] = []
        while chunk := self._read():
            lines += self._splitter.feed(chunk)
        return lines

    def close(self) -> list[bytes]:
        """The last lines, one without a line break too; the file is let go. Closing again gives none."""
        lines = self.poll()
        rest = self._splitter.finish()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        return lines if rest is None else [*lines, rest]

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, _CHUNK_BYTES) if self._descriptor >= 0 else b""
        except OSError:
            return b""
