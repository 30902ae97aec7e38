"""Bytes as they come from a pipe → whole lines, in bounded memory."""

from __future__ import annotations

MAX_LINE_BYTES = 16 * 1024 * 1024


class LineSplitter:
    """Cuts a stream of bytes at its line breaks, however the bytes are split.

    A line longer than `limit` comes out cut to `limit + 1` bytes: too long still, so that a reader can reject it.
    """

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._kept = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their line breaks."""
        *complete, rest = data.split(b"\n")
        lines = []
        for end in complete:
            self._keep(end)
            lines.append(self._take())
        self._keep(rest)
        return lines

    def finish(self) -> bytes | None:
        """The last line, if it had no line break; None where there is none."""
        return self._take() if self._kept else None

    def _keep(self, part: bytes) -> None:
        room = self._limit + 1 - self._kept
        if part and room > 0:
            self._parts.append(part[:room])
            self._kept += min(len(part), room)

    def _take(self) -> bytes:
        line = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts = []
        self._kept = 0
        return line
