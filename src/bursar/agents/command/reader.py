"""Lines of a program of the user's own → events, by the mapping that the user has written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from bursar.agents.command.mapping import EventMapping, at
from bursar.agents.counts import AbsurdCount
from bursar.agents.lines import MAX_LINE_BYTES
from bursar.events import (
    AgentEvent,
    CallReported,
    LineRejected,
    SessionEnded,
    SessionStarted,
    ToolReturned,
    ToolStarted,
)

_decode = msgspec.json.Decoder().decode


class MappedReader:
    """Reads one process. Nothing tells when a call begins: after each one, until the end is said, another may be on."""

    def __init__(self, mapping: EventMapping) -> None:
        self._mapping = mapping
        self._has_started = False

    @property
    def poll_seconds(self) -> float | None:
        """There is no log."""
        return None

    def poll(self) -> tuple[AgentEvent, ...]:
        """Nothing is known that was not fed."""
        return ()

    def feed_telemetry(self, body: bytes) -> tuple[AgentEvent, ...]:
        """It has none."""
        return ()

    def finish(self) -> tuple[AgentEvent, ...]:
        """Without a closing statement there is nothing to add."""
        return ()

    def feed_line(self, line: bytes) -> tuple[AgentEvent, ...]:
        """The events of one line (without its line break). Never raises on hostile input: see `LineRejected`."""
        if not line.strip():
            return ()
        if len(line) > MAX_LINE_BYTES:
            return (LineRejected(reason=f"a line of more than {MAX_LINE_BYTES} bytes"),)
        try:
            read = _decode(line.decode(errors="replace"))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return (LineRejected(reason=f"not JSON: {line[:80]!r}"),)
        return tuple(self._events(read))

    def _events(self, line: Any) -> Iterator[AgentEvent]:
        mapping = self._mapping
        if not self._has_started:
            self._has_started = True
            yield SessionStarted(
                session_id=_text(at(line, mapping.session)), model=_text(at(line, mapping.model)) or None
            )
        if tool := _text(at(line, mapping.tool)):
            yield ToolStarted(name=tool)
        if (answer := at(line, mapping.tool_result)) is not None:
            yield ToolReturned(result_bytes=len(msgspec.json.encode(answer)))
        if call := _text(at(line, mapping.call)):
            yield from self._call(call, line)
        if (end := at(line, mapping.end)) is not None:
            message = end if isinstance(end, str) else ""
            yield SessionEnded(is_error=bool(at(line, mapping.error)), message=message)

    def _call(self, call: str, line: Any) -> Iterator[AgentEvent]:
        """What the line says of a call; one whose figures are not believed stands, and stays open."""
        usage = None
        try:
            usage = self._mapping.usage_in(line)
        except AbsurdCount as absurd:
            yield LineRejected(reason=str(absurd))
        model = _text(at(line, self._mapping.model)) or None
        yield CallReported(call_id=call, model=model, usage=usage, is_final=usage is not None)
        if usage is not None:
            yield ToolReturned()


def _text(value: object) -> str:
    """A name or a number as text; empty for anything else."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
