"""Who heads the longest chain, by what tasks take."""

from __future__ import annotations

from bursar.plan import Metrics, Task, TokenRange
from bursar.run.expectations import written_lengths


def task(number: str, minutes: tuple[int, int] | None = None, tokens: TokenRange | None = None) -> Task:
    return Task(number=number, name="", metrics=Metrics(estimated_minutes=minutes, estimated_tokens=tokens))


def test_minutes_that_authors_say_go_before_tokens() -> None:
    tasks = [task("1", (2, 4), TokenRange(10, 1000)), task("2", None, TokenRange(1, 1))]
    assert written_lengths(tasks) == {"1": 180.0}


def test_tokens_where_nobody_says_minutes() -> None:
    assert written_lengths([task("1", None, TokenRange(100, 10_000)), task("2")]) == {"1": 1000.0}


def test_nothing_where_nobody_says_anything() -> None:
    assert written_lengths([task("1")]) == {}
