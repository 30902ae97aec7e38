"""Claude Code's output lines → events. State: which call each chain is in, because `message_delta` names no id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeVar

import msgspec

from bursar.agents.claude import wire
from bursar.agents.claude.limits import read_limits
from bursar.agents.claude.session_log import read_session_logs
from bursar.agents.claude.statement import check_usage, read_statement
from bursar.agents.claude.telemetry import ENDPOINT_VARIABLE, ToldRequest, read_telemetry
from bursar.agents.counts import count
from bursar.agents.lines import MAX_LINE_BYTES
from bursar.agents.service_tier import name_service_tier
from bursar.events import (
    AgentEvent,
    CallReported,
    LineRejected,
    RetryReported,
    SessionEnded,
    SessionStarted,
    Source,
    ToolReturned,
    ToolStarted,
)
from bursar.usage import NOTHING, Usage

# Most lines by far are pieces of text; nothing in them counts, so they are not even decoded.
_SKIPPED = b'{"type":"stream_event","event":{"type":"content_block_'
_STREAM_EVENT = b'{"type":"stream_event"'
_TOOL_USE = b'"tool_use"'
_SYNTHETIC = "<synthetic>"  # the CLI's own words in the model's mouth, e.g. an API error: no call was made
_SUMMARY_CHARACTERS = 120

_T = TypeVar("_T")
_line = msgspec.json.Decoder(wire.Line)
_stream_event = msgspec.json.Decoder(wire.StreamEvent)
_stream_line = msgspec.json.Decoder(wire.StreamLine)
_message = msgspec.json.Decoder(wire.Message)
_blocks = msgspec.json.Decoder(list[wire.Block])
_delta = msgspec.json.Decoder(wire.Delta | None)
_tool_input = msgspec.json.Decoder(wire.ToolInput)
_list = msgspec.json.Decoder(list[msgspec.Raw])
_rate_limit_info = msgspec.json.Decoder(wire.RateLimitInfo | None)


@dataclass(frozen=True, slots=True)
class _OpenCall:
    call_id: str
    model: str | None
    usage: Usage | None
    service_tier: str | None = None


class ClaudeReader:
    """Reads one process. Also for a single `result` object, or an array of lines (`--output-format json`).

    Telemetry names requests, the stream messages; lines of whole messages name both. What telemetry tells of a request
    that no line has named waits: for the line, or for the end, when it is a call of its own (a side query). The closing
    statement, which sums up all of it, waits for the end too: else it would count what telemetry tells later.
    """

    def __init__(self, environment: Mapping[str, str] = MappingProxyType({}), *, continues: bool = False) -> None:
        """`continues`: the conversation is an earlier one, whose calls `modelUsage` counts too; `usage` does not."""
        self._open: dict[str | None, _OpenCall] = {}
        self._environment = environment
        self._continues = continues
        self._has_telemetry = ENDPOINT_VARIABLE in environment
        self._session_id: str | None = None
        self._calls: dict[str, CallReported] = {}
        self._begun: dict[str, CallReported] = {}
        self._told: dict[str, ToldRequest] = {}
        self._statement: SessionEnded | None = None

    @property
    def poll_seconds(self) -> float | None:
        """There is no log to ask while it works."""
        return None

    def poll(self) -> tuple[AgentEvent, ...]:
        """Nothing is known that was not fed."""
        return ()

    def feed_telemetry(self, body: bytes) -> tuple[AgentEvent, ...]:
        """What telemetry tells of calls that the stream has named."""
        return tuple(self._telemetry(body))

    def finish(self) -> tuple[AgentEvent, ...]:
        """Calls that telemetry alone tells of, the session logs, and the closing statement that was held back."""
        events: list[AgentEvent] = [
            self._judged(_told_report(told, self._nameless(told))) for told in self._told.values()
        ]
        self._told = {}
        if self._session_id is not None and not self._continues:  # else it has the calls of earlier processes too
            events += map(self._judged, read_session_logs(self._environment, self._session_id))
        statement, self._statement = self._statement, None
        return tuple(events) if statement is None else (*events, statement)

    def _telemetry(self, body: bytes) -> Iterator[AgentEvent]:
        for told in read_telemetry(body):
            if not isinstance(told, ToldRequest):
                yield told
            elif (call := self._calls.get(told.request_id)) is not None:
                yield self._judged(_told_report(told, call))
            else:
                self._told[told.request_id] = told

    def _named(self, request_id: str | None, report: CallReported) -> Iterator[AgentEvent]:
        """The line has named the message's request: what telemetry told of it before is the message's."""
        if request_id:
            self._calls[request_id] = report
            if (told := self._told.pop(request_id, None)) is not None:
                yield self._judged(_told_report(told, report))

    def _judged(self, event: AgentEvent) -> AgentEvent:
        """What telemetry or the session log says of a call is final, unless it is what the call began with.

        Both tell of a call that was cut off as of any other, with the placeholder for its output.
        """
        if not isinstance(event, CallReported) or event.usage is None:
            return event
        begun = self._begun.get(event.call_id)
        placeholder = 0 if begun is None or begun.usage is None else begun.usage.output_tokens
        return replace(event, is_final=event.usage.output_tokens > placeholder)

    def _nameless(self, told: ToldRequest) -> CallReported | None:
        """The call whose message no line has repeated, as with an empty answer: it read just as much; None without."""
        named = {report.call_id for report in self._calls.values()}
        for call in self._begun.values():
            if call.call_id not in named and call.usage is not None and _has_read_the_same(told.usage, call.usage):
                self._calls[told.request_id] = call
                return call
        return None

    def _held_back(self, events: Iterable[AgentEvent]) -> Iterator[AgentEvent]:
        for event in events:
            if isinstance(event, SessionEnded) and self._has_telemetry:
                self._statement = event
            else:
                yield event

    def feed_line(self, line: bytes) -> tuple[AgentEvent, ...]:
        """The events of one line (without its line break). Never raises on hostile input: see `LineRejected`."""
        if line.startswith(_SKIPPED) or not line.strip():
            return ()
        if len(line) > MAX_LINE_BYTES:
            return (LineRejected(reason=f"a line of more than {MAX_LINE_BYTES} bytes"),)
        try:
            if line.startswith(_STREAM_EVENT):
                return tuple(self._stream_event(_stream_line.decode(line)))
            return self._read(line)
        except UnicodeDecodeError:
            return self.feed_line(line.decode(errors="replace").encode())
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
            return (LineRejected(reason=f"{_reason(error)}: {line[:80]!r}"),)

    def _read(self, line: bytes) -> tuple[AgentEvent, ...]:
        if line.lstrip()[:1] == b"[":
            return tuple(event for item in _list.decode(line) for event in self._events(_line.decode(item)))
        return tuple(self._events(_line.decode(line)))

    def _events(self, line: wire.Line) -> Iterable[AgentEvent]:
        match line.type:
            case "stream_event":
                return self._stream_event(
                    wire.StreamLine(
                        event=_stream_event.decode(line.event),
                        parent_tool_use_id=line.parent_tool_use_id,
                        api_message_id=line.api_message_id,
                    )
                )
            case "assistant":
                return self._assistant(line)
            case "user":
                return _handed_back(line)
            case "system":
                self._session_id = self._session_id or line.session_id
                return _system(line)
            case "rate_limit_event":
                return read_limits(_rate_limit_info.decode(line.rate_limit_info))
            case "result":
                return self._held_back(read_statement(line, with_models=not self._continues))
        return ()

    def _stream_event(self, line: wire.StreamLine) -> Iterator[AgentEvent]:
        event = line.event
        chain = line.parent_tool_use_id
        if event.type == "message_start" and event.message is not None and event.message.id:
            message = event.message
            rejected, usage = check_usage(message.usage)
            yield from rejected
            self._open[chain] = _OpenCall(event.message.id, message.model, usage, _service_tier(message.usage))
            report = _report(self._open[chain], usage, chain, is_final=False, is_streaming=True)
            self._begun.setdefault(report.call_id, report)
            yield report
        elif event.type == "message_delta":
            yield from self._message_delta(line, event)
        elif event.type == "message_stop":
            self._open.pop(chain, None)  # so that a stray delta is never taken for this call's

    def _message_delta(self, line: wire.StreamLine, event: wire.StreamEvent) -> Iterator[AgentEvent]:
        chain = line.parent_tool_use_id
        call = self._open.get(chain)
        if call is None or line.api_message_id not in (None, call.call_id):
            if line.api_message_id is None:
                yield LineRejected(reason="usage of a call that never started")
                return
            call = _OpenCall(line.api_message_id, None, None)
        rejected, usage = check_usage(event.usage)
        yield from rejected
        if usage is not None:
            has_split = event.usage is not None and event.usage.cache_creation is not None
            usage = _later(call.usage or NOTHING, usage, has_split=has_split)
            call = replace(call, service_tier=_service_tier(event.usage) or call.service_tier)
        delta = _delta.decode(event.delta)
        is_final = delta is not None and delta.stop_reason is not None and usage is not None
        yield _report(call, usage, chain, is_final=is_final, is_streaming=not is_final)

    def _assistant(self, line: wire.Line) -> Iterator[AgentEvent]:
        message = _message.decode(line.message)
        if message.model == _SYNTHETIC or not message.id:
            return
        rejected, usage = check_usage(message.usage)
        yield from rejected
        chain = line.parent_tool_use_id
        # A stop reason is only known to a message that is complete; while it streams the counts are placeholders.
        is_final = message.stop_reason is not None and usage is not None
        open_call = self._open.get(chain)
        is_streaming = not is_final and open_call is not None and open_call.call_id == message.id
        call = _OpenCall(message.id, message.model, None, _service_tier(message.usage))
        report = _report(call, usage, chain, is_final=is_final, is_streaming=is_streaming)
        self._begun.setdefault(report.call_id, report)
        yield report
        yield from self._named(line.request_id, report)
        for block in _content(message) if _TOOL_USE in bytes(message.content) else ():
            if block.type == "tool_use":
                yield ToolStarted(name=block.name, summary=_summary(block.input))


def _report(
    call: _OpenCall, usage: Usage | None, chain: str | None, *, is_final: bool, is_streaming: bool
) -> CallReported:
    return CallReported(
        call_id=call.call_id,
        model=call.model,
        usage=usage,
        is_final=is_final,
        is_side_chain=chain is not None,
        is_streaming=is_streaming,
        service_tier=call.service_tier,
    )


def _service_tier(usage: wire.ApiUsage | None) -> str | None:
    return None if usage is None else name_service_tier(usage.service_tier, usage.speed)


def _has_read_the_same(one: Usage, other: Usage) -> bool:
    return (one.total_input_tokens, one.cache_read_tokens) == (other.total_input_tokens, other.cache_read_tokens)


def _told_report(told: ToldRequest, call: CallReported | None) -> CallReported:
    """What telemetry tells of the call; of one that no line has named, by the request's own id."""
    return CallReported(
        call_id=f"request:{told.request_id}" if call is None else call.call_id,
        model=told.model,
        usage=told.usage,
        is_final=True,
        is_side_chain=call is None or call.is_side_chain,
        source=Source.TELEMETRY,
    )


def _later(start: Usage, delta: Usage, *, has_split: bool) -> Usage:
    """A call's usage at its end. A delta that repeats the cache writes without their split adds nothing to them."""
    if not has_split:
        delta = Usage(
            input_tokens=delta.input_tokens,
            cache_read_tokens=delta.cache_read_tokens,
            output_tokens=delta.output_tokens,
        )
    return start.merged(delta)


def _content(message: wire.Message) -> list[wire.Block]:
    return _blocks.decode(message.content) if bytes(message.content)[:1] == b"[" else []


def _summary(raw: msgspec.Raw) -> str:
    """The part of a tool's input that a person recognises it by; empty where there is none."""
    if bytes(raw)[:1] != b"{":
        return ""
    values = _tool_input.decode(raw)
    for value in (values.command, values.file_path, values.pattern, values.description):
        if isinstance(value, str):
            return value[:_SUMMARY_CHARACTERS]
    return ""


def _handed_back(line: wire.Line) -> Iterator[AgentEvent]:
    """What the next call has to read: tool results, or words of the CLI (a sub-agent's prompt, "go on" after a cut)."""
    message = _message.decode(line.message)
    is_side_chain = line.parent_tool_use_id is not None
    for block in _content(message):
        if block.type in ("tool_result", "text"):
            result_bytes = len(bytes(block.content if block.type == "tool_result" else block.text))
            yield ToolReturned(result_bytes=result_bytes, is_side_chain=is_side_chain)


def _system(line: wire.Line) -> Iterator[AgentEvent]:
    if line.subtype == "init":
        yield SessionStarted(session_id=line.session_id or "", model=line.model, version=line.claude_code_version)
    elif line.subtype == "api_retry":
        status = None if line.error_status is None else count("error_status", line.error_status)
        yield RetryReported(attempt=count("attempt", line.attempt), status=status)


def _reason(error: Exception) -> str:
    if isinstance(error, msgspec.DecodeError) and not isinstance(error, msgspec.ValidationError):
        return "not JSON"
    return str(error)[:80] or type(error).__name__
