"""Whatever happens to a stream on its way, the meter says the same; whatever comes, spend never falls."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.agents import LineSplitter, open_reader
from bursar.events import (
    AgentEvent,
    CallReported,
    LineRejected,
    RetryReported,
    SessionEnded,
    SessionStarted,
    ToolReturned,
)
from bursar.metering import Meter
from bursar.usage import NOTHING, Usage

FIXTURES = Path(__file__).parents[1] / "unit" / "agents" / "fixtures" / "claude"
STREAMS = {path.stem: path.read_bytes() for path in sorted(FIXTURES.glob("*.jsonl"))}
EXAMPLES = settings(max_examples=60, deadline=None, print_blob=True)
recorded = pytest.mark.parametrize("name", STREAMS)


def read(lines: list[bytes]) -> list[AgentEvent]:
    reader = open_reader("claude")
    return [event for line in lines for event in reader.feed_line(line)]


def meter_of(events: list[AgentEvent]) -> Meter:
    """A meter that was fed; on the way its deltas add up to its total, and no counter ever falls."""
    meter = Meter("haiku")
    summed = NOTHING
    for event in events:
        before = meter.total
        for delta in meter.feed(event):
            assert delta.usage != NOTHING
            assert delta.call_usage.beyond(delta.usage) == delta.call_usage.beyond(NOTHING).beyond(delta.usage)
            summed += delta.usage
        assert before.beyond(meter.total) == NOTHING
        assert summed == meter.total == sum(meter.usage_by_model.values(), NOTHING)
    return meter


def said(meter: Meter) -> tuple[object, ...]:
    return meter.total, dict(meter.usage_by_model), meter.call_count, meter.denied_permissions, meter.unknown_call()


@recorded
@EXAMPLES
@given(data=st.data())
def test_any_split_into_chunks(name: str, data: st.DataObject) -> None:
    stream = STREAMS[name]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=40)))
    splitter = LineSplitter()
    edges = [0, *cuts, len(stream)]
    lines = [line for low, high in pairwise(edges) for line in splitter.feed(stream[low:high])]
    assert splitter.finish() is None
    assert lines == stream.splitlines()
    assert said(meter_of(read(lines))) == said(meter_of(read(stream.splitlines())))


@recorded
@EXAMPLES
@given(data=st.data())
def test_doubled_lines(name: str, data: st.DataObject) -> None:
    """Any line may come again at once; nothing but what is unknown between two calls may change."""
    lines = STREAMS[name].splitlines()
    times = data.draw(st.lists(st.integers(1, 3), min_size=len(lines), max_size=len(lines)))
    doubled = [line for line, count in zip(lines, times, strict=True) for _ in range(count)]
    assert said(meter_of(read(doubled)))[:4] == said(meter_of(read(lines)))[:4]


@recorded
@EXAMPLES
@given(data=st.data())
def test_reports_of_a_message_in_any_order(name: str, data: st.DataObject) -> None:
    """The reports of each call are shuffled among themselves, and some come twice."""
    events = read(STREAMS[name].splitlines())
    places: dict[str, list[int]] = {}
    for place, event in enumerate(events):
        if isinstance(event, CallReported):
            places.setdefault(event.call_id, []).append(place)
    shuffled = list(events)
    for own in places.values():
        for place, source in zip(own, data.draw(st.permutations(own)), strict=True):
            shuffled[place] = events[source]
    again = [events[place] for own in places.values() for place in data.draw(st.lists(st.sampled_from(own)))]
    expected, got = meter_of(events), meter_of(shuffled + again)
    assert said(got)[:4] == said(expected)[:4]
    assert got.unknown_call() == expected.unknown_call()


@recorded
@EXAMPLES
@given(data=st.data())
def test_a_stream_that_breaks_off(name: str, data: st.DataObject) -> None:
    """At any byte: what was metered by then is a part of the whole; the bound covers what is missing of its calls."""
    stream = STREAMS[name]
    end = data.draw(st.integers(0, len(stream)))
    splitter = LineSplitter()
    lines = splitter.feed(stream[:end])
    whole, part = meter_of(read(stream.splitlines())), meter_of(read(lines))
    assert part.total.beyond(whole.total) == NOTHING
    known_calls = {event.call_id for event in read(lines) if isinstance(event, CallReported)}
    missing = sum_of_calls(read(stream.splitlines()), known_calls).beyond(part.total).total_tokens
    unknown = part.unknown_call()
    assert missing <= (unknown.bound if unknown else 0)


def sum_of_calls(events: list[AgentEvent], calls: set[str]) -> Usage:
    meter = Meter("haiku")
    for event in events:
        if isinstance(event, CallReported) and event.call_id in calls:
            meter.feed(event)
    return meter.total


@recorded
@EXAMPLES
@given(data=st.data())
def test_damaged_bytes(name: str, data: st.DataObject) -> None:
    """Bytes are changed anywhere: only declared outcomes, and totals that never fall (checked in `meter_of`)."""
    stream = bytearray(STREAMS[name])
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(stream) - 1), st.integers(0, 255)), max_size=30)
    ):
        stream[place] = value
    meter = meter_of(read(bytes(stream).split(b"\n")))
    unknown = meter.unknown_call()
    assert unknown is None or 0 <= unknown.floor <= unknown.bound


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = """event message usage modelUsage subtype permission_denials result attempt error_status parent_tool_use_id
is_error total_cost_usd errors api_message_id session_id terminal_reason api_error"""
keys = st.sampled_from(KEYS.split())
shaped_lines = st.builds(
    lambda kind, rest: json.dumps({"type": kind, **rest}).encode(errors="surrogatepass"),
    st.sampled_from(["assistant", "user", "system", "result", "stream_event"]),
    st.dictionaries(keys, json_values, max_size=5),
)


@settings(max_examples=400, deadline=None, print_blob=True)
@given(lines=st.lists(st.binary(max_size=60) | shaped_lines, max_size=8))
def test_hostile_lines(lines: list[bytes]) -> None:
    events = read(lines)
    assert all(isinstance(event, AgentEvent) for event in events)
    assert all(len(event.reason) < 300 for event in events if isinstance(event, LineRejected))
    meter_of(events)


counts = st.integers(0, 2000)
usages = st.builds(
    Usage,
    input_tokens=counts,
    cache_read_tokens=counts,
    cache_write_5m_tokens=counts,
    cache_write_1h_tokens=counts,
    output_tokens=counts,
)
models = st.sampled_from(["x", "y", "x[1m]", "x-20250101"])
any_event = st.one_of(
    st.builds(SessionStarted, session_id=st.just("s"), model=st.none() | models),
    st.builds(
        CallReported,
        call_id=st.sampled_from("abcd"),
        model=st.none() | models,
        usage=st.none() | usages,
        is_final=st.booleans(),
        is_side_chain=st.booleans(),
    ),
    st.builds(ToolReturned, result_bytes=counts, is_side_chain=st.booleans()),
    st.builds(RetryReported, attempt=st.integers(1, 3), status=st.sampled_from([None, 429, 529])),
    st.builds(
        SessionEnded,
        is_error=st.booleans(),
        usage_by_model=st.dictionaries(models, usages, max_size=3),
        main_usage=st.none() | usages,
        broke_off_call=st.booleans(),
        was_unreachable=st.booleans(),
    ),
    st.builds(LineRejected, reason=st.just("x")),
)


@settings(max_examples=500, deadline=None, print_blob=True)
@given(events=st.lists(any_event, max_size=25))
def test_any_events_in_any_order(events: list[AgentEvent]) -> None:
    meter = meter_of(events)
    unknown = meter.unknown_call()
    assert unknown is None or 0 <= unknown.floor <= unknown.bound
    assert meter_of([*events, *[event for event in events if isinstance(event, LineRejected)]]).total == meter.total


@settings(max_examples=300, deadline=None, print_blob=True)
@given(
    events=st.lists(any_event, max_size=15),
    end=st.builds(
        SessionEnded, is_error=st.booleans(), usage_by_model=st.dictionaries(models, usages, min_size=1, max_size=1)
    ),
)
def test_a_statement_said_twice_counts_once(events: list[AgentEvent], end: SessionEnded) -> None:
    assert meter_of([*events, end, end]).total == meter_of([*events, end]).total
