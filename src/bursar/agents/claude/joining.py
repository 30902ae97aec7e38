"""Claude Code's telemetry and session logs, joined with the calls that its stream has named.

Telemetry names requests, the stream messages; lines of whole messages name both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bursar.agents.claude.telemetry import ToldRequest, read_telemetry
from bursar.events import AgentEvent, CallReported, Source
from bursar.usage import Usage


class CallJoiner:
    """What the stream has named of one process's calls, and what telemetry told of requests that no line has named."""

    def __init__(self) -> None:
        self._named: dict[str, CallReported] = {}
        self._begun: dict[str, CallReported] = {}
        self._told: dict[str, ToldRequest] = {}

    def begin(self, report: CallReported) -> None:
        """The stream tells of a call; its first report is what it began with."""
        self._begun.setdefault(report.call_id, report)

    def name(self, request_id: str | None, report: CallReported) -> Iterator[AgentEvent]:
        """The line has named the message's request: what telemetry told of it before is the message's."""
        if request_id:
            self._named[request_id] = report
            if (told := self._told.pop(request_id, None)) is not None:
                yield self.judge(_told_report(told, report))

    def tell(self, body: bytes) -> Iterator[AgentEvent]:
        """What telemetry tells of calls that the stream has named; what it tells of others waits to be asked for."""
        for told in read_telemetry(body):
            if not isinstance(told, ToldRequest):
                yield told
            elif (call := self._named.get(told.request_id)) is not None:
                yield self.judge(_told_report(told, call))
            else:
                self._told[told.request_id] = told

    def rest(self) -> list[AgentEvent]:
        """What telemetry told of requests that no line has named, at the end: side queries are calls of their own."""
        left, self._told = self._told, {}
        return [self.judge(_told_report(told, self._find_nameless(told))) for told in left.values()]

    def judge(self, event: AgentEvent) -> AgentEvent:
        """What telemetry or the session log says of a call is final, unless it is what the call began with.

        Both tell of a call that was cut off as of any other, with the placeholder for its output.
        """
        if not isinstance(event, CallReported) or event.usage is None:
            return event
        begun = self._begun.get(event.call_id)
        placeholder = 0 if begun is None or begun.usage is None else begun.usage.output_tokens
        return replace(event, is_final=event.usage.output_tokens > placeholder)

    def _find_nameless(self, told: ToldRequest) -> CallReported | None:
        """The call whose message no line has repeated, as with an empty answer: it read just as much; None without."""
        named = {report.call_id for report in self._named.values()}
        for call in self._begun.values():
            if call.call_id not in named and call.usage is not None and _has_read_the_same(told.usage, call.usage):
                self._named[told.request_id] = call
                return call
        return None


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
