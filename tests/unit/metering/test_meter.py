"""The meter's rules, one by one."""

from __future__ import annotations

import pytest

from bursar.events import (
    AgentEvent,
    CallReported,
    LineRejected,
    RetryReported,
    SessionEnded,
    SessionStarted,
    ToolReturned,
    ToolStarted,
)
from bursar.metering import Meter, UsageDelta
from bursar.usage import NOTHING, Usage

STARTED = SessionStarted(session_id="s", model="x")
FIRST = Usage(input_tokens=100, cache_read_tokens=20, cache_write_5m_tokens=3, output_tokens=1)
WHOLE = Usage(input_tokens=100, cache_read_tokens=20, cache_write_5m_tokens=3, output_tokens=50)


def report(
    call_id: str, usage: Usage | None, *, final: bool = True, model: str | None = "x", side: bool = False
) -> CallReported:
    return CallReported(call_id=call_id, model=model, usage=usage, is_final=final, is_side_chain=side)


def ended(usage: Usage | None = None, *, model: str = "x", broke_off: bool = False, **rest: object) -> SessionEnded:
    by_model = {} if usage is None else {model: usage}
    return SessionEnded(is_error=broke_off, usage_by_model=by_model, broke_off_call=broke_off)


def fed(*events: AgentEvent, cap: int = 1000, first: int = 5000) -> Meter:
    meter = Meter("default", output_cap=cap, first_input_tokens=first)
    for event in events:
        meter.feed(event)
    return meter


def test_a_call_grows_by_what_is_new() -> None:
    meter = Meter("default")
    assert meter.feed(report("a", FIRST, final=False)) == (
        UsageDelta(call_id="a", sequence=1, model="x", usage=FIRST, call_usage=FIRST),
    )
    assert meter.feed(report("a", FIRST, final=False)) == ()
    assert meter.feed(report("a", WHOLE)) == (
        UsageDelta(call_id="a", sequence=2, model="x", usage=Usage(output_tokens=49), call_usage=WHOLE),
    )
    assert meter.feed(report("a", FIRST, final=False)) == ()
    assert (meter.total, meter.call_count) == (WHOLE, 1)


def test_each_counter_keeps_its_largest_report() -> None:
    low, high = Usage(input_tokens=5, output_tokens=10), Usage(input_tokens=7, output_tokens=3)
    meter = Meter("default")
    assert [delta.usage for event in (low, high, low, high) for delta in meter.feed(report("a", event))] == [
        low,
        Usage(input_tokens=2),
    ]
    assert meter.total == Usage(input_tokens=7, output_tokens=10)


def test_side_chains_count() -> None:
    meter = fed(report("a", WHOLE), report("b", WHOLE, side=True, model="y"))
    assert meter.total == WHOLE + WHOLE
    assert meter.usage_by_model == {"x": WHOLE, "y": WHOLE}


def test_a_report_of_nothing_is_no_delta() -> None:
    assert Meter("x").feed(report("a", NOTHING)) == ()


def test_a_call_without_a_model_is_the_sessions() -> None:
    assert list(fed(report("a", WHOLE, model=None)).usage_by_model) == ["default"]
    assert list(fed(STARTED, report("a", WHOLE, model=None)).usage_by_model) == ["x"]


def test_the_statement_adds_what_was_not_streamed() -> None:
    meter = fed(STARTED, report("a", FIRST, final=False), report("b", FIRST, final=False))
    (delta,) = meter.feed(ended(WHOLE + WHOLE))
    assert (delta.call_id, delta.provenance) == ("result:x", "reconciled")
    assert delta.usage == Usage(output_tokens=98)
    assert meter.total == WHOLE + WHOLE
    assert meter.unknown_call() is None


def test_a_repeated_statement_adds_nothing() -> None:
    meter = fed(report("a", FIRST, final=False), ended(WHOLE))
    assert meter.feed(ended(WHOLE)) == ()
    (delta,) = meter.feed(ended(WHOLE + WHOLE))
    assert (delta.sequence, delta.usage) == (2, WHOLE)
    assert meter.total == WHOLE + WHOLE


def test_a_model_that_only_the_statement_knows() -> None:
    meter = fed(report("a", WHOLE))
    meter.feed(SessionEnded(is_error=False, usage_by_model={"x": WHOLE, "side": FIRST}))
    assert meter.usage_by_model == {"x": WHOLE, "side": FIRST}


@pytest.mark.parametrize("name", ["x", "x[1m]", "X", "x-20251001", "x@20251001"])
def test_one_model_under_two_names_is_not_counted_twice(name: str) -> None:
    assert fed(report("a", WHOLE), ended(WHOLE, model=name)).total == WHOLE


def test_two_names_of_one_model_in_one_statement() -> None:
    meter = fed(report("a", WHOLE), report("b", WHOLE))
    meter.feed(SessionEnded(is_error=False, usage_by_model={"x": WHOLE, "x[1m]": WHOLE + FIRST}))
    assert meter.total == WHOLE + WHOLE + FIRST
    assert meter.differences == ()


@pytest.mark.parametrize("name", ["y", "x-mini", "xx"])
def test_two_models_are_two(name: str) -> None:
    assert fed(report("a", WHOLE), ended(WHOLE, model=name)).total == WHOLE + WHOLE


def test_a_statement_that_does_not_split_the_writes_adds_none() -> None:
    hour = Usage(input_tokens=1, cache_write_1h_tokens=30, output_tokens=2)
    said = Usage(input_tokens=1, cache_write_5m_tokens=30, output_tokens=2)
    assert fed(report("a", hour), ended(said)).total == hour
    assert fed(report("a", said), ended(hour)).total == said
    more = Usage(input_tokens=1, cache_write_5m_tokens=40, output_tokens=2)
    assert fed(report("a", hour), ended(more)).total == hour + Usage(cache_write_5m_tokens=10)


def test_a_statement_that_says_less_changes_nothing_and_is_shown() -> None:
    meter = fed(report("a", WHOLE), report("b", WHOLE), ended(WHOLE))
    assert meter.total == WHOLE + WHOLE
    (difference,) = meter.differences
    assert str(difference) == "x: 346 tokens metered, the agent states 173"


@pytest.mark.parametrize(("stated", "differs"), [(9900, False), (9899, True), (10_000, False), (10_100, False)])
def test_one_percent_is_let_pass(stated: int, differs: bool) -> None:
    meter = fed(report("a", Usage(input_tokens=10_000)), ended(Usage(input_tokens=stated)))
    assert bool(meter.differences) is differs


def test_without_models_the_main_conversation_is_reconciled() -> None:
    meter = fed(STARTED, report("a", FIRST, final=False), report("b", WHOLE, side=True))
    meter.feed(SessionEnded(is_error=False, main_usage=WHOLE))
    assert meter.total == WHOLE + WHOLE
    assert meter.feed(SessionEnded(is_error=False, main_usage=WHOLE)) == ()


def test_an_assumed_model_is_the_one_the_statement_names() -> None:
    meter = fed(report("a", WHOLE, model=None), ended(WHOLE, model="claude-x"))
    assert meter.total == WHOLE
    two = SessionEnded(is_error=False, usage_by_model={"y": WHOLE, "z": WHOLE})
    assert fed(report("a", WHOLE, model=None), two).total == WHOLE + WHOLE + WHOLE


def test_what_it_keeps_of_the_end() -> None:
    assert fed().denied_permissions == ()
    meter = fed(STARTED, SessionEnded(is_error=False, denied_permissions=("Bash",)), ToolStarted(name="T"))
    assert (meter.session_id, meter.denied_permissions) == ("s", ("Bash",))
    assert meter.ended is not None


def test_rejected_lines_are_counted_and_few_are_kept() -> None:
    meter = fed(*(LineRejected(reason=str(number)) for number in range(50)))
    assert (meter.rejected_lines, len(meter.rejections), meter.rejections[0]) == (50, 20, "0")


# What is unknown. The last call's size is 173 tokens; the cap is 1,000, a first input 5,000.
CALL = report("a", WHOLE)


@pytest.mark.parametrize(
    ("events", "bound", "floor"),
    [
        ([STARTED], 6000, 0),
        ([STARTED, report("a", None)], 6000, 0),
        ([STARTED, report("a", FIRST, final=False)], 999, 0),
        ([STARTED, report("a", None, final=True)], 6000, 0),
        ([STARTED, CALL, ToolReturned(result_bytes=70)], 173 + 70 + 1000, 173),
        ([STARTED, CALL, ToolReturned(result_bytes=70), ToolReturned(result_bytes=30)], 173 + 100 + 1000, 173),
        ([STARTED, CALL, ToolReturned(), report("b", FIRST, final=False)], 999, 173 - 124),
        ([STARTED, CALL, ToolReturned(result_bytes=7), report("b", None)], 173 + 7 + 1000, 173),
        ([STARTED, CALL, RetryReported(attempt=1, status=429)], 173 + 1000, 173),
        ([CALL, ToolReturned(), ended(WHOLE, broke_off=True)], 173 + 1000, 173),
        ([report("a", FIRST, final=False), ended(WHOLE, broke_off=True)], 1000 - 1, 0),
        ([CALL, report("b", FIRST, final=False), ended(WHOLE + FIRST)], 999, 173 - 124),
        ([CALL, report("b", FIRST, final=False), ended(WHOLE)], 999, 173 - 124),
        ([report("b", FIRST, final=False), ended(NOTHING)], 999, 0),
        ([report("b", FIRST, final=False), SessionEnded(is_error=False)], 999, 0),
        ([STARTED, RetryReported(attempt=1, status=None), CALL, ended(WHOLE)], 6000, 173),
        ([STARTED, RetryReported(attempt=1, status=None), RetryReported(attempt=2, status=None)], 18000, 0),
    ],
)
def test_unknown(events: list[AgentEvent], bound: int, floor: int) -> None:
    unknown = fed(*events).unknown_call()
    assert unknown is not None
    assert (unknown.bound, unknown.floor) == (bound, floor)


@pytest.mark.parametrize(
    "events",
    [
        [],
        [CALL],
        [STARTED, CALL],
        [STARTED, CALL, ended(WHOLE)],
        [STARTED, CALL, ToolReturned(result_bytes=5), ended(WHOLE)],
        [STARTED, report("a", FIRST, final=False), ended(WHOLE)],
        [STARTED, report("a", FIRST, final=False), ended(FIRST)],
        [STARTED, CALL, report("b", FIRST, final=False, side=True), ended(WHOLE + WHOLE)],
        [STARTED, RetryReported(attempt=1, status=529), CALL, ended(WHOLE)],
        [STARTED, RetryReported(attempt=1, status=None), SessionEnded(is_error=True, was_unreachable=True)],
        [report("a", None), report("a", WHOLE)],
    ],
)
def test_known(events: list[AgentEvent]) -> None:
    assert fed(*events).unknown_call() is None


def test_the_unknown_call_has_the_dearest_clue_there_is() -> None:
    unknown = fed(report("a", WHOLE, model="y"), report("b", FIRST, final=False, model="z")).unknown_call()
    assert unknown is not None
    assert (unknown.model, unknown.call_ids) == ("z", ("b",))
    waiting = fed(STARTED, report("a", WHOLE, model="y"), ToolReturned()).unknown_call()
    assert waiting is not None
    assert (waiting.model, waiting.call_ids) == ("y", ())
    nothing_yet = fed(STARTED).unknown_call()
    assert nothing_yet is not None
    assert nothing_yet.model == "x"


def test_a_proof_that_nothing_was_sent_covers_the_last_tries_only() -> None:
    meter = fed(
        STARTED, RetryReported(attempt=1, status=None), CALL, ToolReturned(), RetryReported(attempt=1, status=None)
    )
    meter.feed(SessionEnded(is_error=True, was_unreachable=True))
    unknown = meter.unknown_call()
    assert unknown is not None
    assert unknown.bound == 6000


def test_a_calls_tier_of_service_is_in_its_deltas_and_in_those_of_the_statement() -> None:
    meter = Meter("x")
    first = CallReported(call_id="a", model="x", usage=Usage(input_tokens=5), is_final=False, service_tier="fast")
    last = CallReported(call_id="a", model="x", usage=Usage(input_tokens=5, output_tokens=2), is_final=True)
    told = [delta for event in (first, last) for delta in meter.feed(event)]
    told += meter.feed(ended(Usage(input_tokens=9, output_tokens=2)))
    assert [(delta.call_id, delta.service_tier) for delta in told] == [
        ("a", "fast"),
        ("a", "fast"),
        ("result:x", "fast"),
    ]
    (plain,) = meter.feed(CallReported(call_id="b", model="y", usage=Usage(input_tokens=1), is_final=True))
    assert plain.service_tier is None
