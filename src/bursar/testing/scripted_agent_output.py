"""The scripted agent's stdout: one event a line, whole, whatever signals come."""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bursar.testing.scripted_agent_options import Options


class Interrupted(BaseException):
    """SIGINT came."""


class Output:
    """What the agent prints in the format that was asked for; an interrupt waits until a line is out."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._is_writing = False
        self._is_interrupted = False

    def emit(self, kind: str, **fields: Any) -> None:
        """Print one event, whole, whatever signals come."""
        if self._options.output_format == "stream-json":
            self.write(to_line({"type": kind, **fields, "session_id": self._options.session_id}))

    def write(self, line: bytes) -> None:
        """Write bytes to stdout; an interrupt that comes meanwhile takes effect afterwards."""
        self._is_writing = True
        view = memoryview(line)
        while view:
            view = view[os.write(1, view) :]
        self._is_writing = False
        if self._is_interrupted:
            raise Interrupted

    def conclude(self, statement: dict[str, Any], last_text: str) -> None:
        """Print the closing statement, or what stands for it in the other formats."""
        self.emit("result", **statement)
        if self._options.output_format == "json":
            self.write(to_line({"type": "result", **statement}))
        elif self._options.output_format == "text":
            self.write(f"{last_text}\n".encode())

    def interrupt(self) -> None:
        """SIGINT takes effect: now, or when the line is out."""
        self._is_interrupted = True
        if not self._is_writing:
            raise Interrupted

    def calm(self) -> None:
        """The interrupt was heard; what is printed now is printed."""
        self._is_interrupted = False


def to_line(event: dict[str, Any]) -> bytes:
    """One line of output, without blanks, as the real CLI writes it."""
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"
