"""Thresholds as data: the defaults, what is refused, and the state of an operation that might be."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bursar.budget import (
    NOTHING,
    OVERRUN_PERCENT,
    PERIOD_THRESHOLDS,
    SESSION_STOP_PERCENT,
    SESSION_THRESHOLDS,
    Amount,
    Balance,
    Budget,
    Counting,
    Level,
    Limit,
    Threshold,
    Unit,
    build_thresholds,
    check_thresholds,
    level_at,
    projected_alerts,
)
from bursar.errors import UserError

AT = datetime(2026, 1, 1, tzinfo=UTC)


def balance(spent: int, reserved: int = 0, **terms: object) -> Balance:
    budget = Budget(name="s", limit=Limit(200_000, Unit.TOKENS), thresholds=SESSION_THRESHOLDS, **terms)  # type: ignore[arg-type]
    return Balance(budget=budget, spent=spent, reserved=reserved, metered=0, period_id="p")


def test_the_defaults_are_those_of_the_manual() -> None:
    assert [(each.percent, each.level.value, each.name) for each in SESSION_THRESHOLDS] == [
        (80, "warning", ""),
        (90, "critical", ""),
        (95, "critical", "stop"),
    ]
    assert [(each.percent, each.level.value) for each in PERIOD_THRESHOLDS] == [
        (50, "info"),
        (70, "warning"),
        (80, "warning"),
        (100, "critical"),
    ]


@pytest.mark.parametrize(
    ("percent", "level"),
    [
        (1, Level.INFO),
        (69, Level.INFO),
        (70, Level.WARNING),
        (80, Level.WARNING),
        (89, Level.WARNING),
        (90, Level.CRITICAL),
        (100, Level.CRITICAL),
        (1000, Level.CRITICAL),
    ],
)
def test_a_level_follows_from_the_share(percent: int, level: Level) -> None:
    assert level_at(percent) is level
    assert build_thresholds([percent]) == (Threshold(percent, level),)


@pytest.mark.parametrize(
    "percents", [[0], [-1], [1001], [80, 50], [50, 50], [50, 1001], [True], [0.5], ["50"], [None], [10**30]]
)
def test_thresholds_that_cannot_be_kept_are_refused(percents: list[int]) -> None:
    with pytest.raises(UserError):
        build_thresholds(percents)
    with pytest.raises(UserError):
        check_thresholds([Threshold(percent, Level.INFO) for percent in percents])


@pytest.mark.parametrize(
    ("spent", "reserved", "asked", "percents"),
    [
        (0, 0, 0, []),
        (0, 0, 159_999, []),
        (0, 0, 160_000, [80]),
        (100_000, 60_000, 0, [80]),
        (100_000, 60_000, 19_999, [80]),
        (100_000, 60_000, 20_000, [80, 90]),
        (0, 160_000, 30_000, [80, 90, 95]),
        (0, 0, 200_000, [80, 90, 95]),
        (0, 0, 200_001, [80, 90, 95, OVERRUN_PERCENT]),
    ],
)
def test_the_state_of_what_is_asked_counts_all_that_is_taken(
    spent: int, reserved: int, asked: int, percents: list[int]
) -> None:
    alerts = projected_alerts(balance(spent, reserved), Amount(asked, None), AT)
    assert [alert.percent for alert in alerts] == percents
    assert all((alert.budget, alert.period_id, alert.at) == ("s", "p", AT) for alert in alerts)


def test_a_state_can_be_asked_for_again_and_names_its_stop() -> None:
    taken = balance(190_000)
    assert projected_alerts(taken, NOTHING, AT) == projected_alerts(taken, NOTHING, AT)
    assert projected_alerts(taken, NOTHING, AT)[-1].message == (
        "budget `s` has reached 95 % (stop) of 200,000 tokens: 190,000 tokens"
    )


def test_a_projection_counts_as_the_budget_does() -> None:
    fresh = balance(0, counts=Counting.FRESH)
    assert projected_alerts(fresh, Amount(10**9, None, fresh_tokens=159_999), AT) == ()
    assert len(projected_alerts(fresh, Amount(10**9, None, fresh_tokens=160_000), AT)) == 1
    usd = Balance(
        budget=Budget(name="u", limit=Limit(10, Unit.USD), thresholds=PERIOD_THRESHOLDS),
        spent=0,
        reserved=0,
        metered=0,
    )
    assert projected_alerts(usd, Amount(10**9, None), AT) == ()
    assert [each.percent for each in projected_alerts(usd, Amount(1, 7), AT)] == [50, 70]


@pytest.mark.parametrize(
    ("limit", "stop", "ceiling"),
    [
        (200_000, None, 200_000),
        (200_000, SESSION_STOP_PERCENT, 189_999),
        (200_000, 100, 199_999),
        (1, 95, 0),
        (20, 95, 18),
        (21, 95, 19),
        (100, 1, 0),
        (2**63 - 1, 50, 2**62 - 1),
    ],
)
def test_a_stop_may_not_be_reached(limit: int, stop: int | None, ceiling: int) -> None:
    budget = Budget(name="s", limit=Limit(limit, Unit.TOKENS), stop_percent=stop)
    full = Balance(budget=budget, spent=ceiling, reserved=0, metered=0)
    assert budget.ceiling == ceiling
    assert (full.available, full.is_frozen) == (0, False)
    assert stop is None or (ceiling + 1) * 100 >= stop * limit > ceiling * 100
