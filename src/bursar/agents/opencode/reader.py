"""OpenCode's output lines → events: a step is a call, and each tells its usage when its tools have answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import msgspec

from bursar.agents.environment import bytes_before
from bursar.agents.lines import MAX_LINE_BYTES
from bursar.agents.logged_reader import POLL_SECONDS
from bursar.agents.opencode import wire
from bursar.agents.opencode.counts import usage_of
from bursar.agents.opencode.faults import FaultLog
from bursar.agents.opencode.nested_sessions import NestedSessions
from bursar.agents.opencode.places import data_folder
from bursar.agents.opencode.sessions import has_asked
from bursar.agents.opencode.steps import Steps
from bursar.agents.summaries import summarise
from bursar.events import (
    AgentEvent,
    CallLost,
    CallReported,
    LineRejected,
    SessionEnded,
    SessionStarted,
    ToolReturned,
    ToolStarted,
)

_GOES_ON = "tool-calls"  # the reason of a step after which another follows
_NO_PART = wire.Part()
_NO_STATE = wire.ToolState()
_line = msgspec.json.Decoder(wire.Line)
_tool_input = msgspec.json.Decoder(wire.ToolInput)


class OpencodeReader:
    """Reads one process. There is no closing statement: the last step, or an error, stands for it at the end."""

    def __init__(self, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        data = self._data = data_folder(environment)
        self._faults = FaultLog(data)
        self._nested = NestedSessions(data, leaves_out_earlier=bytes_before(environment) > 0)
        self._lost: list[str] = []
        self._steps: dict[str, Steps] = {}
        self._session_id: str | None = None
        self._last_message = ""
        self._statement: SessionEnded | None = None

    @property
    def poll_seconds(self) -> float | None:
        """Replies that broke off, and sub-agents, are in its log and its database alone."""
        return POLL_SECONDS

    def poll(self) -> tuple[AgentEvent, ...]:
        """Replies that broke off, and what sub-agents used."""
        self._lost += self._faults.poll()
        return self._lost_calls() + self._nested.poll(self._session_id)

    def feed_telemetry(self, body: bytes) -> tuple[AgentEvent, ...]:
        """It has none."""
        return ()

    def finish(self) -> tuple[AgentEvent, ...]:
        """The last of its log; and how it ended, if the last that it said was the end of its work or an error."""
        self._lost += self._faults.close()
        events = self._lost_calls() + self._nested.poll(self._session_id)
        statement, self._statement = self._statement, None
        return events if statement is None else (*events, self._judged(statement))

    def _judged(self, statement: SessionEnded) -> SessionEnded:
        """An error before anything was asked, as without a login: it is proven that nothing was sent."""
        if not statement.broke_off_call or self._steps or has_asked(self._data, self._session_id):
            return statement
        words = f"{statement.message} (no model was asked: see `bursar agent doctor opencode`)"
        return replace(statement, message=words, broke_off_call=False)

    def feed_line(self, line: bytes) -> tuple[AgentEvent, ...]:
        """The events of one line (without its line break). Never raises on hostile input: see `LineRejected`."""
        if len(line) > MAX_LINE_BYTES:
            return (LineRejected(reason=f"a line of more than {MAX_LINE_BYTES} bytes"),) if line.strip() else ()
        try:
            return tuple(self._events(_line.decode(line)))
        except UnicodeDecodeError:
            return self.feed_line(line.decode(errors="replace").encode())
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
            return (LineRejected(reason=f"{str(error)[:80]}: {line[:80]!r}"),) if line.strip() else ()

    def _events(self, line: wire.Line) -> list[AgentEvent]:
        events: list[AgentEvent] = []
        if line.sessionID != self._session_id and line.sessionID:
            self._session_id = line.sessionID
            events.append(SessionStarted(session_id=line.sessionID))
        part = line.part or _NO_PART
        match line.type:
            case "step_start":
                self._statement = None
                if (begun := self._steps_of(part).begin(part)) is not None:
                    events.append(begun)
            case "text" if isinstance(part.text, str):
                self._last_message = part.text
            case "tool_use":
                state = part.state or _NO_STATE  # tools are told of when they have answered, not before
                events.append(ToolStarted(name=part.tool or "", summary=_summary(state.input)))
                events.append(ToolReturned(result_bytes=memoryview(state.output).nbytes))
            case "step_finish":
                if (finished := self._step_finish(part)) is not None:
                    events.append(finished)
            case "error":
                self._failed(line.error or wire.Failure())
        return events

    def _steps_of(self, part: wire.Part) -> Steps:
        message_id = part.messageID or ""
        if (steps := self._steps.get(message_id)) is None:
            steps = self._steps[message_id] = Steps(message_id)
        return steps

    def _lost_calls(self) -> tuple[AgentEvent, ...]:
        """Those of this session, once it is known which it is; one that names no session is taken for its own."""
        if self._session_id is None:
            return ()
        lost, self._lost = self._lost, []
        return (CallLost(),) * len([name for name in lost if name in ("", self._session_id)])

    def _step_finish(self, part: wire.Part) -> CallReported | None:
        finished = None if part.tokens is None else self._steps_of(part).finish(part, usage_of(part.tokens))
        if part.reason != _GOES_ON:
            self._statement = SessionEnded(is_error=False, message=self._last_message)
        return finished

    def _failed(self, failure: wire.Failure) -> None:
        """A status refused the call; without one nobody knows how far it came."""
        data = failure.data or wire.ErrorData()
        message = data.message or failure.name
        self._statement = SessionEnded(is_error=True, message=message, broke_off_call=data.statusCode is None)


def _summary(raw: msgspec.Raw) -> str:
    """The part of a tool's input that a person recognises it by; empty where there is none."""
    if bytes(memoryview(raw)[:1]) != b"{":
        return ""
    values = _tool_input.decode(raw)
    return summarise(values.command, values.filePath, values.pattern, values.description)
