"""The meter of one agent process: events in, what is newly known out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bursar.events import (
    AgentEvent,
    CallLost,
    CallReported,
    LineRejected,
    RetryReported,
    SessionEnded,
    SessionStarted,
    Source,
    ToolReturned,
)
from bursar.metering.reconciliation import are_apart, covers, excess, falls_short, known_name
from bursar.metering.types import Difference, SourceDifference, UnknownCall, UsageDelta
from bursar.usage import NOTHING, Usage

OUTPUT_CAP_TOKENS = 32_000
FIRST_INPUT_TOKENS = 40_000
KEPT_REASONS = 20


@dataclass(slots=True)
class _Call:
    """What is known of one call."""

    call_id: str
    model: str
    input_bound: int
    is_side_chain: bool
    usage: Usage = NOTHING
    has_usage: bool = False
    sequence: int = 0
    service_tier: str | None = None
    said: dict[Source, Usage] = field(default_factory=dict)


class Meter:
    """Counts one agent process. Reports may be repeated and come in any order; spend never falls.

    Args:
        default_model: whose calls they are while the agent has not named a model.
        output_cap: the most output tokens of one call.
        first_input_tokens: the most input tokens of a first call of which nothing is known. 40,000 is an assumption:
            Claude Code 2.1.329 sends 36 kB of its own with a first request, 88 kB with sub-agents.

    Attributes:
        session_id: what the agent calls its conversation; None before it has said so.
        ended: its closing statement; None where it has made none.
        total: all calls together, as far as is known.
        rejected_lines: how many could not be understood; the first reasons are in `rejections`.
    """

    def __init__(
        self,
        default_model: str,
        *,
        output_cap: int = OUTPUT_CAP_TOKENS,
        first_input_tokens: int = FIRST_INPUT_TOKENS,
    ) -> None:
        self.session_id: str | None = None
        self.ended: SessionEnded | None = None
        self.total = NOTHING
        self.rejected_lines = 0
        self.rejections: list[str] = []
        self._model = default_model
        self._output_cap = output_cap
        self._first_input_tokens = first_input_tokens
        self._calls: dict[str, _Call] = {}
        self._reconciled: dict[str, _Call] = {}
        self._open: dict[str, _Call] = {}
        self._last: _Call | None = None
        self._last_closed: _Call | None = None
        self._by_model: dict[str, Usage] = {}
        self._tiers: dict[str, str] = {}
        self._main = NOTHING
        self._differences: dict[str, Difference] = {}
        self._apart: dict[str, SourceDifference] = {}
        self._has_finals: set[bool] = set()
        self._assumed_models: set[str] = set()
        self._is_awaiting = False
        self._unread_bytes = 0
        self._lost_inputs: list[int] = []
        self._unanswered_inputs: list[int] = []

    @property
    def usage_by_model(self) -> Mapping[str, Usage]:
        """What is known so far, per model."""
        return MappingProxyType(self._by_model)

    @property
    def call_count(self) -> int:
        """How many calls the agent has named."""
        return len(self._calls)

    @property
    def denied_permissions(self) -> tuple[str, ...]:
        """Tools that the agent says it was not allowed to use; empty before it has ended."""
        return self.ended.denied_permissions if self.ended else ()

    @property
    def differences(self) -> tuple[Difference | SourceDifference, ...]:
        """Where sources are more than 1 % apart: the closing statement below what was metered, or two on one call."""
        return (*self._differences.values(), *self._apart.values())

    def feed(self, event: AgentEvent) -> tuple[UsageDelta, ...]:
        """What the event adds to what was known."""
        match event:
            case CallReported():
                return self._report(event)
            case SessionEnded():
                return self._end(event)
            case SessionStarted():
                self.session_id = event.session_id
                self._model = event.model or self._model
                self._is_awaiting = True
            case ToolReturned():
                self._unread_bytes += event.result_bytes
                self._is_awaiting = True
            case RetryReported():
                self._repeat(event)
            case CallLost():
                self._lost_inputs.append(self._next_input_bound())
            case LineRejected():
                self._reject(event)
        return ()

    def unknown_call(self) -> UnknownCall | None:
        """What is under way, or was left behind, and not reported in full; None when everything is known."""
        lost = self._lost_inputs + self._unanswered_inputs
        if not self._open and not self._is_awaiting and not lost:
            return None
        typical = self._last_closed.usage.total_tokens if self._last_closed else 0
        bound = sum(self._bound(call) for call in self._open.values())
        floor = sum(max(0, typical - call.usage.total_tokens) for call in self._open.values())
        if self._is_awaiting:
            lost.append(self._next_input_bound())
        bound += sum(lost) + self._output_cap * len(lost)
        floor += typical * len(lost)
        model = (
            next(reversed(self._open.values())).model if self._open else self._last.model if self._last else self._model
        )
        return UnknownCall(model=model, bound=bound, floor=min(floor, bound), call_ids=tuple(self._open))

    def _report(self, event: CallReported) -> tuple[UsageDelta, ...]:
        call = self._calls.get(event.call_id) or self._open_call(event)
        if event.service_tier is not None:
            call.service_tier = self._tiers[call.model] = event.service_tier
        if event.usage is None:
            return ()
        call.has_usage = True
        if event.is_final:
            self._compare(call, event.source, event.usage)
            if event.source is Source.STREAM:
                self._has_finals.add(call.is_side_chain)
                self._close(call)
            self._open.pop(call.call_id, None)
        if event.source is Source.STREAM:
            return self._advance(call, call.usage.merged(event.usage), "streamed")
        provenance = "streamed" if event.source is Source.TELEMETRY else "reconciled"
        return self._advance(call, call.usage + excess(event.usage, call.usage), provenance)

    def _compare(self, call: _Call, source: Source, usage: Usage) -> None:
        """What each source says of the call in the end; kept where one says more than 1 % less than another."""
        call.said[source] = call.said.get(source, NOTHING).merged(usage)
        if len(call.said) > 1 and are_apart(call.said.values()):
            tokens = tuple((said, call.said[said].total_tokens) for said in Source if said in call.said)
            self._apart[call.call_id] = SourceDifference(call_id=call.call_id, model=call.model, tokens=tokens)
        else:
            self._apart.pop(call.call_id, None)

    def _open_call(self, event: CallReported) -> _Call:
        """A call that nobody had named. Only the stream tells what is in flight: others tell of what is over."""
        if event.source is not Source.STREAM:
            call = self._calls[event.call_id] = _Call(event.call_id, event.model or self._model, 0, event.is_side_chain)
            return call
        bound = self._next_input_bound()
        if event.model is None:
            self._assumed_models.add(self._model)
        call = _Call(event.call_id, event.model or self._model, bound, event.is_side_chain)
        self._calls[event.call_id] = self._open[event.call_id] = self._last = call
        self._is_awaiting = False
        self._unread_bytes = 0
        self._lost_inputs += self._unanswered_inputs
        self._unanswered_inputs = []
        return call

    def _repeat(self, event: RetryReported) -> None:
        """A request is sent again. Refused by a status it cost nothing; what it cost without an answer nobody knows."""
        if event.status is None and self._is_awaiting:
            self._unanswered_inputs.append(self._next_input_bound())
        self._is_awaiting = True

    def _close(self, call: _Call) -> None:
        self._open.pop(call.call_id, None)
        self._last_closed = call

    def _advance(self, call: _Call, usage: Usage, provenance: str) -> tuple[UsageDelta, ...]:
        """The call has used `usage`, which is at least what was known of it."""
        if usage is call.usage or (increase := usage.beyond(call.usage)) == NOTHING:
            return ()
        call.usage = usage
        call.sequence += 1
        before, by_model = self.total, self._by_model.get(call.model, NOTHING)
        self.total = before + increase
        # Mostly there is one model and no side chain: then one sum is all three.
        self._by_model[call.model] = self.total if by_model is before else by_model + increase
        if not call.is_side_chain:
            self._main = self.total if self._main is before else self._main + increase
        delta = UsageDelta(
            call_id=call.call_id,
            sequence=call.sequence,
            model=call.model,
            usage=increase,
            call_usage=usage,
            provenance=provenance,
            service_tier=call.service_tier,
        )
        return (delta,)

    def _end(self, event: SessionEnded) -> tuple[UsageDelta, ...]:
        self.ended = event
        if not event.broke_off_call:
            self._is_awaiting = False
        if event.was_unreachable:
            self._unanswered_inputs = []
        if event.usage_by_model:
            parts = [
                self._reconcile(model, stated, self._by_model.get(model, NOTHING), event, main_only=False)
                for model, stated in self._stated_usage(event).items()
            ]
            return tuple(delta for part in parts for delta in part)
        if event.main_usage is not None:
            return self._reconcile(self._model, event.main_usage, self._main, event, main_only=True)
        return ()

    def _stated_usage(self, event: SessionEnded) -> dict[str, Usage]:
        """The statement by the names that were metered; a lone stranger is the model that was assumed."""
        names = [known_name(name, self._by_model) for name in event.usage_by_model]
        strangers = [name for name in names if name not in self._by_model]
        assumed = self._assumed_models.difference(names)
        if len(strangers) == len(assumed) == 1:
            names[names.index(strangers[0])] = assumed.pop()
        stated: dict[str, Usage] = {}
        for name, usage in zip(names, event.usage_by_model.values(), strict=True):
            stated[name] = stated.get(name, NOTHING) + usage
        return stated

    def _reconcile(
        self, model: str, stated: Usage, metered: Usage, event: SessionEnded, *, main_only: bool
    ) -> tuple[UsageDelta, ...]:
        """Take over what the statement has more; where it has less, metered stands and the difference is kept."""
        if falls_short(stated, metered):
            self._differences[model] = Difference(model=model, metered=metered, stated=stated)
        if covers(stated, metered) and not event.broke_off_call:
            self._trust(model, main_only=main_only)
        key = f"result:{model}"
        call = self._reconciled.setdefault(key, _Call(key, model, 0, is_side_chain=False))
        call.service_tier = self._tiers.get(model)  # what nobody told call by call was served as its other calls were
        return self._advance(call, call.usage + excess(stated, metered), "reconciled")

    def _trust(self, model: str, *, main_only: bool) -> None:
        """The statement covers these calls. Where others end with a final report, one without was broken off."""
        for call in list(self._open.values()):
            is_meant = not call.is_side_chain if main_only else call.model == model
            if is_meant and call.has_usage and call.is_side_chain not in self._has_finals:
                self._close(call)

    def _reject(self, event: LineRejected) -> None:
        self.rejected_lines += 1
        if len(self.rejections) < KEPT_REASONS:
            self.rejections.append(event.reason)

    def _bound(self, call: _Call) -> int:
        missing_input = 0 if call.has_usage else call.input_bound
        return missing_input + max(0, self._output_cap - call.usage.output_tokens)

    def _next_input_bound(self) -> int:
        """The most input of the next call: all of the last one, its answer, and a token per byte of tool results."""
        if self._last is None:
            return self._first_input_tokens + self._unread_bytes
        known = self._last.usage.total_tokens if self._last.has_usage else self._last.input_bound
        return known + self._unread_bytes
