"""OpenCode's output lines → events: a step is a call, and each tells its usage when its tools have answered."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bursar.agents.counts import count
from bursar.agents.lines import MAX_LINE_BYTES
from bursar.agents.opencode import wire
from bursar.events import (
    AgentEvent,
    CallReported,
    LineRejected,
    SessionEnded,
    SessionStarted,
    ToolReturned,
    ToolStarted,
)
from bursar.usage import Usage

_SUMMARY_CHARACTERS = 120
_GOES_ON = "tool-calls"  # the reason of a step after which another follows
_line = msgspec.json.Decoder(wire.Line)
_tool_input = msgspec.json.Decoder(wire.ToolInput)


class OpencodeReader:
    """Reads one process. There is no closing statement: the last step, or an error, stands for it at the end."""

    def __init__(self) -> None:
        self._session_id: str | None = None
        self._last_message = ""
        self._statement: SessionEnded | None = None

    @property
    def poll_seconds(self) -> float | None:
        """The stream says all that there is to be had."""
        return None

    def poll(self) -> tuple[AgentEvent, ...]:
        """Nothing is known beside the stream."""
        return ()

    def finish(self) -> tuple[AgentEvent, ...]:
        """How it ended, if the last that it said was the end of its work or an error."""
        statement, self._statement = self._statement, None
        return () if statement is None else (statement,)

    def feed_line(self, line: bytes) -> tuple[AgentEvent, ...]:
        """The events of one line (without its line break). Never raises on hostile input: see `LineRejected`."""
        if not line.strip():
            return ()
        if len(line) > MAX_LINE_BYTES:
            return (LineRejected(reason=f"a line of more than {MAX_LINE_BYTES} bytes"),)
        try:
            return tuple(self._events(_line.decode(line)))
        except UnicodeDecodeError:
            return self.feed_line(line.decode(errors="replace").encode())
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
            return (LineRejected(reason=f"{str(error)[:80]}: {line[:80]!r}"),)

    def _events(self, line: wire.Line) -> Iterator[AgentEvent]:
        if line.sessionID and line.sessionID != self._session_id:
            self._session_id = line.sessionID
            yield SessionStarted(session_id=line.sessionID)
        part = line.part or wire.Part()
        match line.type:
            case "step_start":
                self._statement = None
                yield from _call(part, None)
            case "text" if isinstance(part.text, str):
                self._last_message = part.text
            case "tool_use":
                yield from _tool(part)
            case "step_finish":
                yield from self._step_finish(part)
            case "error":
                data = (line.error and line.error.data) or wire.ErrorData()
                yield from self._failed(line.error.name if line.error else "", data)

    def _step_finish(self, part: wire.Part) -> Iterator[AgentEvent]:
        if part.tokens is not None:
            yield from _call(part, usage_of(part.tokens))
        if part.reason != _GOES_ON:
            self._statement = SessionEnded(is_error=False, message=self._last_message)

    def _failed(self, name: str, data: wire.ErrorData) -> Iterator[AgentEvent]:
        """A status refused the call; without one nobody knows how far it came."""
        message = data.message or name
        self._statement = SessionEnded(is_error=True, message=message, broke_off_call=data.statusCode is None)
        yield from ()


def usage_of(reported: wire.Tokens) -> Usage:
    """The five counters of a call; what was written to the cache is taken to live five minutes.

    Raises:
        AbsurdCount: one of the numbers cannot be true.
    """
    cache = reported.cache or wire.Cache()
    return Usage(
        input_tokens=count("input", reported.input),
        cache_read_tokens=count("cache.read", cache.read),
        cache_write_5m_tokens=count("cache.write", cache.write),
        output_tokens=count("output", reported.output) + count("reasoning", reported.reasoning),
    )


def _call(part: wire.Part, usage: Usage | None) -> Iterator[AgentEvent]:
    if part.messageID:
        is_final = usage is not None
        yield CallReported(
            call_id=part.messageID, model=None, usage=usage, is_final=is_final, is_streaming=not is_final
        )


def _tool(part: wire.Part) -> Iterator[AgentEvent]:
    """Tools are told of when they have answered, not before."""
    state = part.state or wire.ToolState()
    yield ToolStarted(name=part.tool or "", summary=_summary(state.input))
    yield ToolReturned(result_bytes=len(bytes(state.output)))


def _summary(raw: msgspec.Raw) -> str:
    """The part of a tool's input that a person recognises it by; empty where there is none."""
    if bytes(raw)[:1] != b"{":
        return ""
    values = _tool_input.decode(raw)
    for value in (values.command, values.filePath, values.pattern, values.description):
        if isinstance(value, str):
            return value[:_SUMMARY_CHARACTERS]
    return ""
