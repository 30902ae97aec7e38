"""What a program that embeds a ledger can ask and hear, on every store."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bursar.budget import RUN_THRESHOLDS, Amount, Budget, Limit, Unit, parse_period
from bursar.errors import KeyReused, UserError
from bursar.ledger import CallRecord, Denial, Ledger, LedgerEvent, ReserveRequest, State
from bursar.usage import Usage
from tests.conformance.ledgers import STORES, clock_of, make_ledger

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=STORES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    made = make_ledger(request.param, tmp_path)
    clock_of(made).set(NOON)
    yield made
    made.close()


def define(ledger: Ledger, name: str, quantity: int = 100, period: str = "always", **selector: str) -> None:
    limit = Limit(quantity, Unit.TOKENS)
    ledger.define(
        Budget(name=name, limit=limit, selector=selector, period=parse_period(period), thresholds=RUN_THRESHOLDS)
    )


def hold(ledger: Ledger, key: str, tokens: int, **labels: str) -> bool:
    return not isinstance(ledger.reserve(ReserveRequest(key=key, labels=labels, amount=Amount(tokens, None))), Denial)


def call(tokens: int) -> CallRecord:
    return CallRecord(call_id="c", sequence=1, model="m", usage=Usage(output_tokens=tokens), nano_usd=None)


def test_an_observer_hears_of_usage_and_alerts_after_they_are_written(ledger: Ledger) -> None:
    define(ledger, "run")
    heard: list[tuple[str, str, list[int], int]] = []

    def hear(event: LedgerEvent) -> None:
        balance = ledger.balance("run")
        assert balance is not None
        assert next(iter(ledger.entries(after=event.entry.number - 1))).hash == event.entry.hash
        percents = [alert.percent for alert in event.reservation.alerts]
        heard.append((event.entry.kind, event.entry.key, percents, balance.spent))

    ledger.observe(hear)
    assert hold(ledger, "a", 60)
    assert not hold(ledger, "b", 60)
    ledger.record("a", call(10))
    ledger.record("a", call(10))
    ledger.settle("a", Amount(60, None))
    ledger.settle("a", Amount(60, None))
    ledger.charge("c", {}, Amount(25, None))
    assert hold(ledger, "d", 15)
    ledger.forfeit_open({})
    ledger.credit("d", Amount(1, None), evidence="log")
    assert hold(ledger, "e", 1)
    ledger.release("e")
    assert heard == [
        ("recorded", "a", [], 0),
        ("settled", "a", [], 60),
        ("charged", "c", [80], 85),
        ("forfeited", "d", [95], 100),
        ("credited", "d", [], 86),
    ]


def test_a_failing_observer_undoes_nothing_and_silences_nobody(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    def fail(_: LedgerEvent) -> None:
        raise RuntimeError("mine")

    ledger.observe(fail)
    ledger.observe(lambda event: heard.append(event.entry.key))
    with caplog.at_level(logging.ERROR):
        assert ledger.charge("a", {}, Amount(5, None)).state is State.SETTLED
    assert heard == ["a"]
    assert "an observer of the ledger failed" in caplog.text
    assert ledger.reservation("a") is not None
    assert list(ledger.verify()) == []


def test_an_observer_may_write_itself(ledger: Ledger) -> None:
    def charge_once(event: LedgerEvent) -> None:
        if event.entry.key == "a":
            ledger.charge("b", {}, Amount(1, None))

    ledger.observe(charge_once)
    ledger.charge("a", {}, Amount(1, None))
    assert [entry.key for entry in ledger.entries()] == ["a", "b"]


def test_what_is_refused_is_not_told(ledger: Ledger) -> None:
    ledger.observe(lambda event: pytest.fail(event.entry.kind))
    with pytest.raises(UserError):
        ledger.charge("", {}, Amount(1, None))
    assert hold(ledger, "a", 1)
    with pytest.raises(KeyReused):
        ledger.charge("a", {}, Amount(1, None))


def test_the_history_of_some_operations_leaves_the_others_out(ledger: Ledger) -> None:
    for number in range(60):
        labels = {"run": "r", "project": "/ours" if number % 20 == 0 else "/theirs", 'q"$.': "1"}
        ledger.charge(f"k{number}", labels, Amount(1, 1))
    ours = {"project": "/ours"}
    assert [entry.key for entry in ledger.history(labels=ours)] == ["k0", "k20", "k40"]
    assert [entry.key for entry in ledger.history(2, labels=ours)] == ["k20", "k40"]
    assert [entry.key for entry in ledger.history(1, labels=ours | {'q"$.': "1"})] == ["k40"]
    assert list(ledger.history(labels={"project": "/nobody"})) == []
    assert [entry.key for entry in ledger.history(3, labels={})] == ["k57", "k58", "k59"]


def test_the_history_is_the_last_usage_oldest_first(ledger: Ledger) -> None:
    for number in range(105):
        ledger.charge(f"k{number}", {}, Amount(number, None))
    assert hold(ledger, "held", 1)
    assert [entry.key for entry in ledger.history()] == [f"k{number}" for number in range(5, 105)]
    assert [entry.key for entry in ledger.history(2)] == ["k103", "k104"]
    assert len(ledger.history(1000)) == 105
    for limit in (0, -1, 2**63):
        with pytest.raises(UserError):
            ledger.history(limit)


def test_every_budget_is_shown_in_its_current_period(ledger: Ledger) -> None:
    define(ledger, "session", period="session")
    define(ledger, "day", period="daily")
    define(ledger, "window", period="5h", run="r")
    define(ledger, "elsewhere", run="q")
    assert [(each.budget.name, each.period_id) for each in ledger.budgets()] == [
        ("day", "2026-03-01"),
        ("elsewhere", "always"),
        ("session", ""),
        ("window", ""),
    ]
    ledger.charge("a", {"session": "one"}, Amount(30, None))
    ledger.charge("b", {"session": "two", "run": "r"}, Amount(7, None))
    shown = {each.budget.name: (each.period_id[:13], each.spent) for each in ledger.budgets()}
    assert shown == {
        "day": ("2026-03-01", 37),
        "elsewhere": ("always", 0),
        "session": ("two", 7),
        "window": ("2026-03-01T12", 7),
    }
    one = ledger.balance("session", labels={"session": "one"})
    assert one is not None
    assert (one.period_id, one.spent) == ("one", 30)
    assert {each.budget.name: each.spent for each in ledger.budgets(labels={"session": "one"})}["session"] == 30
    assert [(each.budget.name, each.spent) for each in ledger.balances({"session": "one"})] == [
        ("day", 37),
        ("session", 30),
    ]
    assert [each.spent for each in ledger.balances({})] == [37, 0]


def test_a_balance_can_be_asked_for_at_another_instant(ledger: Ledger) -> None:
    define(ledger, "day", period="daily")
    define(ledger, "window", period="5h")
    ledger.charge("a", {}, Amount(30, None))
    tomorrow = datetime(2026, 3, 2, 12, tzinfo=UTC)
    for name, period in (("day", "2026-03-02"), ("window", "")):
        later = ledger.balance(name, at=tomorrow)
        assert later is not None
        assert (later.period_id, later.spent) == (period, 0)
    assert [each.spent for each in ledger.balances({}, at=tomorrow)] == [0, 0]
    assert [each.spent for each in ledger.budgets(at=tomorrow)] == [0, 0]
    assert [each.spent for each in ledger.budgets()] == [30, 30]


def test_looking_writes_nothing(ledger: Ledger) -> None:
    define(ledger, "day", period="daily")
    ledger.charge("a", {}, Amount(30, None))
    before = list(ledger.entries())
    clock_of(ledger).set(datetime(2027, 1, 1, tzinfo=UTC))
    ledger.balance("day")
    ledger.budgets()
    ledger.balances({})
    clock_of(ledger).set(NOON)
    day = ledger.balance("day")
    assert day is not None
    assert (day.period_id, day.spent) == ("2026-03-01", 30)
    assert list(ledger.entries()) == before


def test_alerts_of_every_budget_and_of_some(ledger: Ledger) -> None:
    define(ledger, "r", run="r")
    define(ledger, "q", run="q")
    ledger.charge("a", {"run": "q"}, Amount(80, None))
    ledger.charge("b", {"run": "r"}, Amount(90, None))
    assert [(each.budget, each.percent) for each in ledger.alerts()] == [("q", 80), ("r", 90)]
    assert [each.budget for each in ledger.alerts({"run": "r"})] == ["r"]
    assert list(ledger.alerts({})) == []


def test_usage_of_a_charge_counts_for_its_model(ledger: Ledger) -> None:
    ledger.charge("a", {"run": "r"}, call(5))
    ledger.charge("b", {"run": "r"}, Amount(5, None))
    assert ledger.usage({"run": "r"}) == {"m": Usage(output_tokens=5)}
    charged = ledger.reservation("a")
    assert charged is not None
    assert (charged.charged, charged.metered) == (Amount(5, None), Amount(5, None))
    assert list(ledger.verify()) == []
