"""Thresholds after a limit was changed, on every store: what a raised limit puts out of reach may fire anew, once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bursar.budget import Amount, Budget, Level, Limit, Threshold, Unit, parse_period
from bursar.ledger import Ledger, ReserveRequest
from tests.conformance.ledgers import STORES, clock_of, make_ledger


@pytest.fixture(params=STORES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    made = make_ledger(request.param, tmp_path)
    yield made
    assert made.verify() == []
    made.close()


def define(ledger: Ledger, limit: int, percents: Sequence[int] = (50, 80), period: str = "always") -> None:
    thresholds = tuple(Threshold(percent, Level.WARNING) for percent in percents)
    ledger.define(Budget(name="b", limit=Limit(limit, Unit.TOKENS), thresholds=thresholds, period=parse_period(period)))


def charge(ledger: Ledger, key: str, tokens: int) -> list[int]:
    """Percents that fired."""
    return [alert.percent for alert in ledger.charge(key, {"run": "r"}, Amount(tokens, None)).alerts]


def fired(ledger: Ledger) -> list[int]:
    return [alert.percent for alert in ledger.alerts()]


def test_a_raised_limit_lets_thresholds_fire_anew_once(ledger: Ledger) -> None:
    define(ledger, 100)
    assert charge(ledger, "a", 85) == [80]
    define(ledger, 200)
    assert charge(ledger, "b", 5) == []  # 90 of 200
    assert charge(ledger, "c", 15) == [50]
    assert charge(ledger, "d", 5) == []
    assert charge(ledger, "e", 60) == [80]
    assert charge(ledger, "f", 1) == []
    assert fired(ledger) == [80, 50, 80]


def test_what_is_still_reached_does_not_fire_again(ledger: Ledger) -> None:
    define(ledger, 100)
    charge(ledger, "a", 90)
    define(ledger, 110)  # 81 %
    assert charge(ledger, "b", 1) == []
    define(ledger, 150)  # 60 %: only the upper one is out of reach
    assert charge(ledger, "c", 28) == []
    assert charge(ledger, "d", 2) == [80]


def test_an_overrun_is_told_again_once_it_was_none(ledger: Ledger) -> None:
    define(ledger, 100, ())
    assert charge(ledger, "a", 101) == [101]
    define(ledger, 150, ())
    assert charge(ledger, "b", 49) == []
    assert charge(ledger, "c", 1) == [101]
    define(ledger, 100, ())
    assert charge(ledger, "d", 1) == []


def test_a_limit_that_is_lowered_changes_nothing_that_has_fired(ledger: Ledger) -> None:
    define(ledger, 100)
    assert charge(ledger, "a", 60) == [50]
    define(ledger, 70)
    assert charge(ledger, "b", 1) == [80]
    define(ledger, 100)
    assert charge(ledger, "c", 20) == [80]
    assert fired(ledger) == [50, 80, 80]


def test_a_limit_to_and_fro_tells_no_more_than_it_must(ledger: Ledger) -> None:
    define(ledger, 100)
    charge(ledger, "a", 85)
    for _ in range(3):
        define(ledger, 1000)
        define(ledger, 100)
    assert fired(ledger) == [80]
    assert charge(ledger, "b", 1) == [80]
    assert charge(ledger, "c", 1) == []


def test_every_period_is_looked_at(ledger: Ledger) -> None:
    define(ledger, 100, period="run")
    for run in ("r", "s"):
        ledger.charge(run, {"run": run}, Amount(90, None))
    define(ledger, 1000, period="run")
    for run in ("r", "s"):
        alerts = ledger.charge(f"{run}2", {"run": run}, Amount(500, None)).alerts
        assert [(alert.percent, alert.period_id) for alert in alerts] == [(50, run)]
    assert clock_of(ledger) is not None


def test_a_cost_that_becomes_known_by_a_credit_is_told_where_it_passes_a_limit(ledger: Ledger) -> None:
    """A credit lowers what was charged, but the cost of what nobody had priced comes on top of what is spent."""
    limit = Limit(5, Unit.USD)
    ledger.define(Budget(name="b", limit=limit, allows_unknown_price=True, thresholds=(Threshold(80, Level.WARNING),)))
    ledger.reserve(ReserveRequest(key="x", labels={"run": "r"}, amount=Amount(100, None)))
    assert ledger.forfeit("x").alerts == ()
    credited = ledger.credit("x", Amount(100, 9), evidence="the bill")
    assert [alert.percent for alert in credited.alerts] == [101]
    assert ledger.credit("x", Amount(100, 9), evidence="the bill").alerts == ()
    assert fired(ledger) == [101]
