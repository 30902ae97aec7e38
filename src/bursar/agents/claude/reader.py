"""Claude Code's output lines → events. State: which call each chain is in, because `message_delta` names no id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import msgspec

from bursar.agents.claude import wire
from bursar.agents.claude.joining import CallJoiner
from bursar.agents.claude.limits import read_limits
from bursar.agents.claude.messages import read_handed_back, read_message, read_system, read_tools
from bursar.agents.claude.session_log import read_session_logs
from bursar.agents.claude.statement import check_usage, read_statement
from bursar.agents.claude.telemetry import ENDPOINT_VARIABLE
from bursar.agents.lines import MAX_LINE_BYTES
from bursar.agents.service_tier import name_service_tier
from bursar.events import AgentEvent, CallReported, LineRejected, SessionEnded
from bursar.usage import NOTHING, Usage

# Most lines by far are pieces of text; nothing in them counts, so they are not even decoded.
_SKIPPED = b'{"type":"stream_event","event":{"type":"content_block_'
_STREAM_EVENT = b'{"type":"stream_event"'
_SYNTHETIC = "<synthetic>"  # the CLI's own words in the model's mouth, e.g. an API error: no call was made

_line = msgspec.json.Decoder(wire.Line)
_stream_event = msgspec.json.Decoder(wire.StreamEvent)
_stream_line = msgspec.json.Decoder(wire.StreamLine)
_delta = msgspec.json.Decoder(wire.Delta | None)
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

    What telemetry tells is joined with what the stream names (see `joining`). The closing statement, which sums up all
    of it, waits for the end where there is telemetry: else it would count what telemetry tells later.
    """

    def __init__(self, environment: Mapping[str, str] = MappingProxyType({}), *, continues: bool = False) -> None:
        """`continues`: the conversation is an earlier one, whose calls `modelUsage` counts too; `usage` does not."""
        self._open: dict[str | None, _OpenCall] = {}
        self._environment = environment
        self._continues = continues
        self._has_telemetry = ENDPOINT_VARIABLE in environment
        self._session_id: str | None = None
        self._joiner = CallJoiner()
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
        return tuple(self._joiner.tell(body))

    def finish(self) -> tuple[AgentEvent, ...]:
        """Calls that telemetry alone tells of, the session logs, and the closing statement that was held back."""
        events = self._joiner.rest()
        if self._session_id is not None and not self._continues:  # else it has the calls of earlier processes too
            events += map(self._joiner.judge, read_session_logs(self._environment, self._session_id))
        statement, self._statement = self._statement, None
        return tuple(events) if statement is None else (*events, statement)

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
                return read_handed_back(line)
            case "system":
                self._session_id = self._session_id or line.session_id
                return read_system(line)
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
            self._joiner.begin(report)
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
        message = read_message(line)
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
        self._joiner.begin(report)
        yield report
        yield from self._joiner.name(line.request_id, report)
        yield from read_tools(message)


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


def _later(start: Usage, delta: Usage, *, has_split: bool) -> Usage:
    """A call's usage at its end. A delta that repeats the cache writes without their split adds nothing to them."""
    if not has_split:
        delta = Usage(
            input_tokens=delta.input_tokens,
            cache_read_tokens=delta.cache_read_tokens,
            output_tokens=delta.output_tokens,
        )
    return start.merged(delta)


def _reason(error: Exception) -> str:
    if isinstance(error, msgspec.DecodeError) and not isinstance(error, msgspec.ValidationError):
        return "not JSON"
    return str(error)[:80] or type(error).__name__
