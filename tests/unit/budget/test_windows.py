"""Windows of subscriptions: what may start, and what is told. Tables in which refusals outnumber grants."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bursar.budget import (
    Level,
    OnLimit,
    WindowLimit,
    WindowUse,
    decide_window,
    due_window_alert,
    parse_share,
    parse_window_length,
    window_length,
)
from bursar.errors import UserError

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)


def limit(percent: float = 80) -> WindowLimit:
    return WindowLimit(agent="codex", minutes=300, percent=percent)


def use(percent: float | None, per_token: float | None = None) -> WindowUse:
    return WindowUse(
        agent="codex", minutes=300, percent=percent, is_official=True, said_at=NOW, percent_per_token=per_token
    )


@pytest.mark.parametrize(
    ("percent", "per_token", "running", "own", "is_denied"),
    [
        (None, None, 0, 50_000, False),  # nobody knows anything
        (79.0, None, 10**9, 10**9, False),  # nobody knows what a token takes
        (80.0, None, 0, 1, True),
        (81.0, None, 0, 1, True),
        (80.0, 0.0001, 0, 0, True),
        (70.0, 0.0001, 0, 100_000, False),  # to the limit, not past it
        (70.0, 0.0001, 0, 100_001, True),
        (70.0, 0.0001, 60_000, 50_000, True),  # what runs counts
        (0.0, 0.0001, 0, 800_001, True),
    ],
)
def test_what_may_start(
    percent: float | None, per_token: float | None, running: int, own: int, is_denied: bool
) -> None:
    denial = decide_window(limit(), use(percent, per_token), running_tokens=running, own_tokens=own)
    assert (denial is not None) == is_denied


def test_no_reset_helps_a_task_that_is_larger_than_the_limit_by_itself() -> None:
    one = decide_window(limit(), use(10.0, 0.0001), running_tokens=0, own_tokens=900_000)
    two = decide_window(limit(), use(10.0, 0.0001), running_tokens=500_000, own_tokens=700_000)
    assert one is not None
    assert one.is_hopeless
    assert two is not None
    assert not two.is_hopeless


def test_a_task_of_which_nothing_is_known_starts_in_a_window_of_which_little_is_used() -> None:
    def denied(percent: float, running: int = 0) -> bool:
        told = use(percent, 0.0001)
        return decide_window(limit(), told, running_tokens=running, own_tokens=10**9, is_blind=True) is not None

    assert [denied(percent) for percent in (0.0, 40.0, 40.1, 80.0)] == [False, False, True, True]
    assert denied(0.0, running=400_001)
    denial = decide_window(limit(), use(90.0, 0.0001), running_tokens=0, own_tokens=10**9, is_blind=True)
    assert denial is not None
    assert not denial.is_hopeless


def test_a_threshold_is_a_share_of_the_limit_and_fires_once() -> None:
    marks: set[int] = set()
    told = []
    for percent in (10.0, 40.0, 41.0, 70.0, 70.0, 80.0, 99.0, 30.0):
        if (firing := due_window_alert(limit(), use(percent), marks)) is not None:
            marks.update(firing.marks)
            told.append((percent, firing.level, firing.message))
    assert told == [
        (40.0, Level.INFO, "window codex 5h has reached 50 % of its limit of 80 %"),
        (70.0, Level.WARNING, "window codex 5h has reached 80 % of its limit of 80 %"),
        (80.0, Level.CRITICAL, "window codex 5h has reached 100 % of its limit of 80 %"),
    ]
    assert due_window_alert(limit(), use(None), ()) is None


@pytest.mark.parametrize(("text", "minutes"), [("5h", 300), ("7d", 10_080), ("90m", 90), (" 5 h ", 300)])
def test_lengths_of_windows(text: str, minutes: int) -> None:
    assert parse_window_length(text) == minutes
    assert parse_window_length(window_length(minutes)) == minutes


@pytest.mark.parametrize("text", ["", "5", "5 hours", "0h", "-5h", "367d", "5h7d", "１h"])
def test_what_is_no_length(text: str) -> None:
    with pytest.raises(UserError, match="is no length of time"):
        parse_window_length(text)


@pytest.mark.parametrize("text", ["", "80", "0 %", "0.0%", "100.1 %", "180%", "-1 %", "8.25 %", "80 % of it"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(UserError, match="is no share of a window"):
        parse_share(text)


def test_shares() -> None:
    assert [parse_share(text) for text in ("80 %", "80%", "100 %", "0.5 %")] == [80.0, 80.0, 100.0, 0.5]
    assert limit().on_limit is OnLimit.BLOCK
