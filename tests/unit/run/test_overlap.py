"""How far attempts ran at the same time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.run.overlap import Overlap, Span, measure_overlap


@pytest.mark.parametrize(
    ("spans", "batches", "efficiency"),
    [
        ([], 0, None),
        ([(0, 10)], 0, 1.0),
        ([(5, 5)], 0, None),
        ([(0, 10), (5, 5)], 0, 1.0),
        ([(0, 10), (10, 20)], 0, 1.0),
        ([(0, 10), (0, 10)], 1, 2.0),
        ([(0, 10), (5, 15)], 1, 1.33),
        ([(0, 10), (0, 5), (5, 10)], 1, 2.0),
        ([(0, 10), (11, 20), (11, 20), (11, 20), (30, 40)], 1, 1.62),
        ([(0, 10), (0, 10), (100_000, 100_010), (100_000, 100_010)], 2, 2.0),
        ([(0, 30), (1, 2), (3, 4)], 1, 1.07),
    ],
)
def test_batches_and_efficiency(spans: list[tuple[float, float]], batches: int, efficiency: float | None) -> None:
    assert measure_overlap([Span(*span) for span in spans]) == Overlap(batches, efficiency)


SPAN = st.tuples(st.integers(0, 50), st.integers(0, 9)).map(lambda pair: Span(pair[0], sum(pair)))
SPANS = st.lists(SPAN, max_size=8)


@given(SPANS)
def test_it_agrees_with_counting_second_by_second(spans: list[Span]) -> None:
    running = [sum(span.started <= second < span.ended for span in spans) for second in range(60)]
    busy = sum(count > 0 for count in running)
    stretches = "".join("x" if count > 1 else "o" if count else " " for count in running)
    found = measure_overlap(spans)
    assert found.efficiency == (round(sum(running) / busy, 2) if busy else None)
    gapless = {(a.ended, b.started) for a in spans for b in spans if a.started < a.ended == b.started < b.ended}
    if not gapless:
        assert found.batches == sum("x" in stretch for stretch in stretches.split())
