"""Estimates from what an author wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.estimation import estimate, guess_range
from bursar.plan import Metrics, Task, TokenRange


def task(low: int, high: int) -> Task:
    return Task(number="1", name="x", metrics=Metrics(estimated_tokens=TokenRange(low, high)))


def test_nothing_written_is_no_estimate() -> None:
    assert estimate(Task(number="1", name="x")) is None
    assert estimate(Task(number="1", name="x", metrics=Metrics(token_budget=5000))) is None


def test_a_range_that_was_generated_is_no_word_of_the_authors() -> None:
    generated = Metrics(estimated_tokens=TokenRange(12_000, 50_000), estimated_by="bursar")
    assert estimate(Task(number="1", name="x", metrics=generated)) is None


@pytest.mark.parametrize(
    ("complexity", "budget", "low", "high"),
    [(5, None, 12_000, 50_000), (1, None, 5_000, 20_000), (10, None, 22_000, 88_000), (5, 900, 1, 900)],
)
def test_a_guess_goes_by_complexity_and_never_past_the_tasks_own_budget(
    complexity: int, budget: int | None, low: int, high: int
) -> None:
    assert guess_range(complexity, budget) == TokenRange(low, high)


@pytest.mark.parametrize(("low", "high", "middle"), [(5000, 8000, 6324), (100, 100, 100), (1, 10_000, 100)])
def test_a_range_is_read_as_p10_to_p90(low: int, high: int, middle: int) -> None:
    found = estimate(task(low, high))
    assert found is not None
    assert (found.tokens_p10, found.tokens_p50, found.tokens_p90) == (low, middle, high)


@given(st.integers(1, 10**9), st.integers(0, 10**9))
def test_the_middle_lies_between(low: int, more: int) -> None:
    found = estimate(task(low, low + more))
    assert found is not None
    assert found.tokens_p10 <= found.tokens_p50 <= found.tokens_p90
