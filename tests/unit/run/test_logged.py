"""Budgets that include logs: what agents' logs show is charged once, to those budgets alone, in the period it is of."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bursar.budget import (
    LOGS_LABEL,
    Amount,
    Budget,
    Lane,
    Limit,
    OnLimit,
    Unit,
    is_selected,
    parse_period,
    period_start,
)
from bursar.ledger import MemoryLedger, Reservation, ReserveRequest
from bursar.logs import NOTHING_STATED, StatedPrices, Wanted, add_up, open_index, rows_by_session
from bursar.pricing import COUNTERS, PriceOverride
from bursar.run import LoggedWork, charge_logs
from tests.unit.logs.transcripts import encode, line, usage

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
CALL = 1280
"""Tokens of one call as `line` makes it."""


class HandClock:
    """Stands until it is set."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0


def daily(name: str = "day", project: str | None = "/w/shop", **selector: str) -> Budget:
    scope = {} if project is None else {"project": project}
    return Budget(
        name=name,
        limit=Limit(1_000_000, Unit.TOKENS),
        selector={**scope, **selector, LOGS_LABEL: f"{name}-logs"},
        period=parse_period("daily"),
    )


class Desk:
    """A ledger, a folder of logs, and who charges the one with the other."""

    def __init__(self, folder: Path, *budgets: Budget) -> None:
        self.folder = folder
        self.budgets = budgets
        self.clock = HandClock()
        self.ledger = MemoryLedger(self.clock)
        for budget in budgets:
            self.ledger.define(budget)
        self.own_sessions: set[str] = set()
        self.lanes: dict[str, Lane] = {}

    def write(self, data: bytes, name: str = "s1") -> None:
        path = self.folder / "home" / ".claude" / "projects" / "-w-shop" / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def charge(self, stated: StatedPrices = NOTHING_STATED) -> None:
        work = LoggedWork(
            state_dir=self.folder / "state",
            own_sessions=self.own_sessions,
            lanes=self.lanes,
            environment={"HOME": str(self.folder / "home")},
            stated=stated,
        )
        charge_logs(self.ledger, self.budgets, work, self.clock)

    def spent(self, name: str = "day") -> int:
        balance = self.ledger.balance(name)
        assert balance is not None
        return balance.spent


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, daily())
    yield made
    assert not made.ledger.verify()


def test_what_logs_show_is_charged_once_and_what_comes_is_charged_then(desk: Desk) -> None:
    desk.write(encode(line("a", "a"), line("a", "a"), line("b", "b")))
    for _ in range(3):
        desk.charge()
        assert desk.spent() == 2 * CALL
    desk.write(encode(line("a", "a"), line("b", "b"), line("c", "c", usage=usage(output_tokens=70))))
    desk.charge()
    assert desk.spent() == 3 * CALL + 20
    assert len([entry for entry in desk.ledger.entries() if entry.kind == "charged"]) == 2


def test_a_price_by_the_users_word_is_charged_and_its_change_with_the_next_call(tmp_path: Path) -> None:
    """What becomes dearer is charged the rest; what becomes cheaper is not given back."""
    desk = Desk(tmp_path, replace(daily(), limit=Limit(100_000_000_000, Unit.USD)))

    def priced(usd_per_million: int) -> StatedPrices:
        usd = dict.fromkeys(COUNTERS, Decimal(usd_per_million))
        return StatedPrices(str(usd_per_million), lambda: [PriceOverride(model="claude-*", usd_per_million=usd)])

    for calls, price, expected in ((1, 1000, 1), (2, 2000, 2 * 2), (3, 2, 2 * 2), (4, 2000, 4 * 2)):
        desk.write(encode(*(line(f"m{number}", "r") for number in range(calls))))
        desk.charge(priced(price))
        assert desk.spent() == expected * CALL * 1_000_000
    assert not desk.ledger.verify()


def test_a_placeholder_that_is_corrected_is_charged_the_difference(desk: Desk) -> None:
    desk.write(encode(line(usage=usage(output_tokens=1))))
    desk.charge()
    desk.write(encode(line(usage=usage(output_tokens=1)), line()))
    desk.charge()
    assert desk.spent() == CALL


def test_what_bursar_ran_is_in_the_books_already(desk: Desk) -> None:
    state = str(desk.folder / "state" / "runs" / "r" / "worktree")
    desk.own_sessions.add("ours")
    desk.write(encode(line("a", "a", sessionId="ours"), line("b", "b", cwd=state), line("c", "c")))
    desk.charge()
    assert desk.spent() == CALL


def test_logs_in_the_homes_of_attempts_are_counted_and_not_charged(desk: Desk) -> None:
    """Whatever session they are of, and wherever the agent worked."""
    desk.write(encode(line("a", "a")))
    home = desk.folder / "state" / "runs" / "r1" / "attempts" / "1-1" / "home"
    for name in (".claude/projects/-w-shop/s9.jsonl", ".claude/projects/-w-shop/s1.jsonl"):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(line(name, "r", sessionId=path.stem)))
    for _ in range(2):
        desk.charge()
        assert desk.spent() == CALL
    index = open_index(desk.folder / "state" / "usage.db")
    assert add_up(row.totals for row in rows_by_session(index, Wanted())).calls == 3
    index.close()


def test_only_the_period_that_runs_and_only_what_has_happened(desk: Desk) -> None:
    desk.write(
        encode(
            line("a", "a", "2026-11-17T23:59:59.999Z"),
            line("b", "b", "2026-11-18T00:00:00.000Z"),
            line("c", "c", "2026-11-18T12:00:00.000Z"),
            line("d", "d", "2026-11-18T18:00:00.000Z"),
            line("e", "e", "2031-01-01T00:00:00.000Z"),
        )
    )
    desk.charge()
    assert desk.spent() == 2 * CALL
    desk.clock.time = datetime(2026, 11, 18, 19, tzinfo=UTC)
    desk.charge()
    assert desk.spent() == 3 * CALL
    desk.clock.time = datetime(2026, 11, 18, 23, 59, 58, tzinfo=UTC)  # the charge might come to be in the next day
    desk.write(encode(line("f", "f", "2026-11-18T20:00:00.000Z")), "s2")
    desk.charge()
    assert desk.spent() == 3 * CALL
    desk.clock.time = datetime(2026, 11, 19, 1, tzinfo=UTC)
    desk.write(encode(line("g", "g", "2026-11-19T00:30:00.000Z")), "s3")
    desk.charge()
    assert desk.spent() == CALL


def test_an_index_that_is_made_anew_charges_nothing_twice(desk: Desk) -> None:
    desk.write(encode(line("a", "a"), line("b", "b")))
    desk.charge()
    shutil.rmtree(desk.folder / "state")
    desk.charge()
    assert desk.spent() == 2 * CALL


def test_the_project_and_what_is_below_it(desk: Desk) -> None:
    places = ("/w/shop/sub", "/w/shopping", "/w", "/w/shop")
    desk.write(encode(*(line(f"m{number}", "r", cwd=place) for number, place in enumerate(places))))
    desk.charge()
    assert desk.spent() == 2 * CALL


def test_each_budget_has_its_own_and_others_have_nothing(tmp_path: Path) -> None:
    plain = Budget(name="plain", limit=Limit(1_000_000, Unit.TOKENS), period=parse_period("daily"))
    usd = Budget(
        name="usd",
        limit=Limit(10**12, Unit.USD),
        selector={LOGS_LABEL: "usd-logs"},
        period=parse_period("monthly", "Europe/Berlin"),
    )
    other = daily("opus", None, model="claude-opus-4-5")
    desk = Desk(tmp_path, daily(), plain, usd, other)
    desk.write(encode(line("a", "a", "2026-11-03T10:00:00Z"), line("b", "b", model="claude-opus-4-5")))
    for _ in range(2):
        desk.charge()
        assert (desk.spent("day"), desk.spent("plain"), desk.spent("opus")) == (CALL, 0, CALL)
    cost = desk.spent("usd")
    assert 5_000_000 < cost < 20_000_000  # both calls of the month, at list prices
    desk.ledger.reserve(ReserveRequest(key="k", labels={"project": "/w/shop"}, amount=Amount(5, 5)))
    desk.ledger.settle("k", Amount(5, 5))
    assert (desk.spent("day"), desk.spent("plain"), desk.spent("usd")) == (CALL + 5, 5, cost + 5)
    assert not desk.ledger.verify()


def test_dollars_of_a_subscription_and_of_unknown_models_are_not_charged(tmp_path: Path) -> None:
    usd = Budget(
        name="usd", limit=Limit(10**12, Unit.USD), selector={LOGS_LABEL: "x"}, period=parse_period("daily"),
        on_limit=OnLimit.WARN,
    )  # fmt: skip
    desk = Desk(tmp_path, usd)
    desk.lanes["claude"] = Lane.SUBSCRIPTION
    desk.write(encode(line("a", "a")))
    desk.charge()
    balance = desk.ledger.balance("usd")
    assert balance is not None
    assert (balance.spent, balance.exempt) == (0, 1)
    desk.lanes.clear()
    desk.write(encode(line("b", "b", model="no\x07body's")), "s2")
    desk.charge()
    balance = desk.ledger.balance("usd")
    assert balance is not None
    assert (balance.spent, balance.unpriced) == (0, 1)


def test_a_crash_between_any_two_charges_charges_nothing_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    real, dice = MemoryLedger.charge, random.Random(7)
    print("seed 7")

    def charge(ledger: MemoryLedger, *arguments: object) -> Reservation:
        if dice.random() < 0.3:
            raise OSError("before")
        done = real(ledger, *arguments)  # type: ignore[arg-type]
        if dice.random() < 0.3:
            raise OSError("after")
        return done

    monkeypatch.setattr(MemoryLedger, "charge", charge)
    for number in range(30):
        desk.write(encode(*(line(f"m{number}-{model}", "r", model=f"claude-{model}") for model in "abc")), f"s{number}")
        try:
            desk.charge()
        except OSError:
            continue
    monkeypatch.setattr(MemoryLedger, "charge", real)
    desk.charge()
    assert desk.spent() == 90 * CALL


def test_without_a_budget_that_wants_them_logs_are_not_read(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Budget(name="plain", limit=Limit(10, Unit.TOKENS)))
    desk.write(encode(line()))
    desk.charge()
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        ({}, {}, True),
        ({}, {LOGS_LABEL: "x"}, False),
        ({LOGS_LABEL: "x"}, {}, True),
        ({LOGS_LABEL: "x"}, {LOGS_LABEL: "x"}, True),
        ({LOGS_LABEL: "x"}, {LOGS_LABEL: "y"}, False),
        ({LOGS_LABEL: "x", "project": "/p"}, {LOGS_LABEL: "x"}, False),
    ],
)
def test_charges_from_logs_are_for_one_budget(selector: dict[str, str], labels: dict[str, str], expected: bool) -> None:
    assert is_selected(selector, labels) is expected


@pytest.mark.parametrize(
    ("period", "zone", "name", "later", "expected"),
    [
        ("daily", None, "2026-11-18", 0, "2026-11-18T00:00:00+00:00"),
        ("daily", "Europe/Berlin", "2026-10-25", 1, "2026-10-26T00:00:00+01:00"),
        ("daily", "Europe/Berlin", "2026-10-25", 0, "2026-10-25T00:00:00+02:00"),
        ("weekly", None, "2026-W53", 0, "2026-12-28T00:00:00+00:00"),
        ("weekly", None, "2026-W53", 1, "2027-01-04T00:00:00+00:00"),
        ("monthly", None, "2026-12", 1, "2027-01-01T00:00:00+00:00"),
        ("monthly", "America/New_York", "2026-11", 0, "2026-11-01T00:00:00-04:00"),
    ],
)
def test_when_a_period_begins(period: str, zone: str | None, name: str, later: int, expected: str) -> None:
    assert period_start(parse_period(period, zone), name, later=later).isoformat() == expected
