"""Whatever happens to a recorded session on its way, its usage is the same, and it is what was billed.

Each session was recorded from a real CLI against the fake model server, whose bill lies beside it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.events import AgentEvent, CallReported
from bursar.metering import Meter
from bursar.usage import NOTHING
from tests.unit.agents.played import RECORDED, Recorded, comparable, play

EXAMPLES = settings(max_examples=12, deadline=None, print_blob=True)
NOT_EXACT = {("opencode", "kill-in-a-tool")}  # it tells of a call when its tools have answered
each = pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: f"{recorded.agent}-{recorded.case}")


def meter_of(recorded: Recorded, events: Iterable[AgentEvent]) -> Meter:
    """A meter that heard the events; on the way nothing that was spent is taken back."""
    meter = recorded.meter()
    for event in events:
        before, summed = meter.total, NOTHING
        for delta in meter.feed(event):
            summed += delta.usage
        assert before + summed == meter.total
    return meter


def said(meter: Meter) -> tuple[object, ...]:
    """What must be the same whatever happens."""
    return meter.total, dict(meter.usage_by_model), meter.denied_permissions, meter.differences


@pytest.fixture(scope="module")
def homes() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def fresh(homes: Path) -> Path:
    """A home of its own: what a reader has found in one must not help the next."""
    return Path(tempfile.mkdtemp(dir=homes))


def test_there_are_enough() -> None:
    assert len(RECORDED) >= 40
    assert {recorded.agent for recorded in RECORDED} == {"claude", "codex", "gemini", "opencode"}


@each
def test_it_is_what_was_billed(recorded: Recorded, homes: Path) -> None:
    """To the token where every reply arrived whole; else what is missing is covered by the bound."""
    meter = meter_of(recorded, play(recorded, fresh(homes)))
    unknown = meter.unknown_call()
    missing = recorded.billed.total_tokens - meter.total.total_tokens
    assert 0 <= missing <= (0 if unknown is None else unknown.bound)
    if not recorded.was_cut and (recorded.agent, recorded.case) not in NOT_EXACT:
        assert (comparable(meter.total), unknown) == (comparable(recorded.billed), None)
    assert (meter.rejected_lines, meter.differences) == (0, ())


@each
@EXAMPLES
@given(data=st.data())
def test_any_split_of_the_bytes(recorded: Recorded, homes: Path, data: st.DataObject) -> None:
    rest = recorded.parts[1]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rest)), max_size=40)))
    chunks = [rest[low:high] for low, high in pairwise([0, *cuts, len(rest)])]
    whole = meter_of(recorded, play(recorded, fresh(homes)))
    split = meter_of(recorded, play(recorded, fresh(homes), chunks=chunks))
    assert (said(split), split.unknown_call()) == (said(whole), whole.unknown_call())


@each
@EXAMPLES
@given(data=st.data())
def test_doubled_lines(recorded: Recorded, homes: Path, data: st.DataObject) -> None:
    """Any line of the stream may come again at once, and every line of its logs and its telemetry."""
    lines = recorded.parts[1].splitlines(keepends=True)
    counts = data.draw(st.lists(st.integers(1, 3), min_size=len(lines), max_size=len(lines)))
    chunks = [line * count for line, count in zip(lines, counts, strict=True)]
    whole = meter_of(recorded, play(recorded, fresh(homes)))
    doubled = meter_of(recorded, play(recorded, fresh(homes), chunks=chunks, times=data.draw(st.integers(1, 3))))
    assert said(doubled) == said(whole)
    bounds = [0 if unknown is None else unknown.bound for unknown in (whole.unknown_call(), doubled.unknown_call())]
    assert bounds[1] >= bounds[0]
    assert (bounds[1] == 0) is (bounds[0] == 0)


@each
@EXAMPLES
@given(data=st.data())
def test_reports_of_a_call_in_any_order(recorded: Recorded, homes: Path, data: st.DataObject) -> None:
    """The reports of each call, whatever their source, are shuffled among their places, and some come again."""
    events = list(play(recorded, fresh(homes)))
    places: dict[str, list[int]] = {}
    for place, event in enumerate(events):
        if isinstance(event, CallReported):
            places.setdefault(event.call_id, []).append(place)
    shuffled = list(events)
    for own in places.values():
        for place, source in zip(own, data.draw(st.permutations(own)), strict=True):
            shuffled[place] = events[source]
    again = [
        events[place] for own in places.values() for place in data.draw(st.lists(st.sampled_from(own), max_size=3))
    ]
    expected, got = meter_of(recorded, events), meter_of(recorded, [*shuffled, *again])
    assert said(got) == said(expected)
    assert (got.unknown_call() is None) is (expected.unknown_call() is None)
