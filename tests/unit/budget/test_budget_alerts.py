"""When a budget speaks up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bursar.budget import OVERRUN_PERCENT, RUN_THRESHOLDS, Balance, Budget, Level, Limit, Threshold, Unit, due_alerts

AT = datetime(2026, 1, 1, tzinfo=UTC)


def balance(spent: int, metered: int = 0, *, limit: int = 1000, thresholds: tuple[int, ...] = (80, 90, 95)) -> Balance:
    budget = Budget(
        name="run",
        limit=Limit(limit, Unit.TOKENS),
        thresholds=tuple(Threshold(percent, Level.WARNING) for percent in thresholds),
    )
    return Balance(budget=budget, spent=spent, reserved=1000, metered=metered)


@pytest.mark.parametrize(
    ("spent", "metered", "marked", "fires", "marks"),
    [
        (0, 0, (), None, ()),
        (799, 0, (), None, ()),
        (800, 0, (), 80, (80,)),
        (700, 99, (), None, ()),
        (700, 100, (), 80, (80,)),
        (800, 0, (80,), None, ()),
        (899, 0, (80,), None, ()),
        (900, 0, (80,), 90, (90,)),
        (949, 0, (), 90, (80, 90)),
        (1000, 0, (), 95, (80, 90, 95)),
        (1000, 0, (80, 90, 95), None, ()),
        (1001, 0, (80, 90, 95), OVERRUN_PERCENT, (OVERRUN_PERCENT,)),
        (9999, 0, (), OVERRUN_PERCENT, (80, 90, 95, OVERRUN_PERCENT)),
        (9999, 0, (80, 90, 95, OVERRUN_PERCENT), None, ()),
        (900, 0, (90,), None, (80,)),
        (100, 0, (80, 90), None, ()),
    ],
)
def test_each_threshold_fires_once_and_the_highest_speaks(
    spent: int, metered: int, marked: tuple[int, ...], fires: int | None, marks: tuple[int, ...]
) -> None:
    firing = due_alerts(balance(spent, metered), marked, AT)
    assert (firing.alert and firing.alert.percent, firing.marks) == (fires, marks)


def test_a_budget_without_thresholds_still_says_when_it_is_passed() -> None:
    assert due_alerts(balance(1000, thresholds=()), (), AT).alert is None
    alert = due_alerts(balance(1002, thresholds=()), (), AT).alert
    assert alert is not None
    assert (alert.level, alert.message) == (
        Level.CRITICAL,
        "budget `run` is past its limit of 1,000 tokens by 2 tokens",
    )


def test_percents_are_exact_where_floats_are_not() -> None:
    big = 2**63 - 1
    limit = Limit(big, Unit.USD)
    budget = Budget(name="run", limit=limit, thresholds=(Threshold(95, Level.CRITICAL),))
    edge = -(-big * 95 // 100)
    below = Balance(budget=budget, spent=edge - 1, reserved=0, metered=0)
    assert due_alerts(below, (), AT).alert is None
    assert due_alerts(Balance(budget=budget, spent=edge, reserved=0, metered=0), (), AT).alert is not None


def test_a_threshold_of_just_the_overrun_percent_is_marked_once() -> None:
    firing = due_alerts(balance(1010, thresholds=(OVERRUN_PERCENT,)), (), AT)
    assert firing.marks == (OVERRUN_PERCENT,)


def test_a_run_speaks_at_80_90_and_95() -> None:
    assert [(each.percent, each.level) for each in RUN_THRESHOLDS] == [
        (80, Level.WARNING),
        (90, Level.CRITICAL),
        (95, Level.CRITICAL),
    ]
