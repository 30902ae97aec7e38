"""Clocks that jump, days that are not 24 hours long, years that end in a week: ids only grow, and no charge is lost."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bursar.budget import Amount, Budget, Limit, Unit, parse_period
from bursar.ledger import Reservation, ReserveRequest, SqliteLedger, open_ledger

SEED = int(os.environ.get("BURSAR_SEED", "20260301"))


class HandClock:
    """Somebody else turns its hands."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0


def budget(name: str, period: str, zone: str | None = None) -> Budget:
    return Budget(name=name, limit=Limit(10**9, Unit.TOKENS), period=parse_period(period, zone))


def periods(ledger: SqliteLedger, name: str) -> dict[str, tuple[int, int]]:
    """Spent and reserved of every period that the budget has had, in order of id."""
    found = ledger._database.query(
        "SELECT period_id, spent, reserved FROM balances JOIN budgets ON budgets.id = budget"
        " WHERE name = ? ORDER BY period_id",
        (name,),
    )
    return {period: (spent, reserved) for period, spent, reserved in found}


def march(path: Path, made: Budget, start: datetime, end: datetime, step: timedelta) -> dict[str, int]:
    """How many charges of one token fell into each period, with one at every step of the clock."""
    clock = HandClock(start)
    ledger = open_ledger(path, clock)
    ledger.define(made)
    while clock.time < end:
        ledger.charge(clock.time.isoformat(), {}, Amount(1, 1))
        clock.time += step
    assert list(ledger.verify()) == []
    counted = {period: spent for period, (spent, _) in periods(ledger, made.name).items()}
    ledger.close()
    return counted


@pytest.mark.parametrize(
    ("zone", "day", "halves"),
    [
        ("Europe/Zurich", "2026-03-29", 46),
        ("Europe/Zurich", "2026-10-25", 50),
        ("America/New_York", "2026-03-08", 46),
        ("America/New_York", "2026-11-01", 50),
        ("Australia/Lord_Howe", "2026-04-05", 49),
        ("Australia/Lord_Howe", "2026-10-04", 47),
        ("Asia/Kathmandu", "2026-03-29", 48),
    ],
)
def test_a_day_has_the_half_hours_that_it_has(tmp_path: Path, zone: str, day: str, halves: int) -> None:
    first = date.fromisoformat(day) - timedelta(days=1)
    start = datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    end = start + timedelta(hours=24, minutes=30 * halves) + timedelta(hours=24)
    counted = march(tmp_path / "ledger.db", budget("day", "daily", zone), start, end, timedelta(minutes=30))
    expected = {str(first): 48, day: halves, str(first + timedelta(days=2)): 48}
    assert counted == expected


@pytest.mark.parametrize(
    ("year", "weeks"),
    [
        (2020, ["2020-W52", "2020-W53", "2021-W01"]),
        (2024, ["2024-W52", "2025-W01", "2025-W02"]),
        (2026, ["2026-W52", "2026-W53", "2027-W01"]),
    ],
)
def test_a_week_over_the_end_of_the_year_is_one_week(tmp_path: Path, year: int, weeks: Sequence[str]) -> None:
    new_year = datetime(year + 1, 1, 1, 12, tzinfo=UTC)
    monday = new_year - timedelta(days=new_year.weekday())
    start, end = monday - timedelta(days=7), monday + timedelta(days=14)
    counted = march(tmp_path / "ledger.db", budget("week", "weekly"), start, end, timedelta(days=1))
    assert counted == dict.fromkeys(weeks, 7)


def test_a_month_ends_at_midnight_of_its_zone(tmp_path: Path) -> None:
    start = datetime(2026, 12, 31, 9, tzinfo=UTC)
    counted = march(
        tmp_path / "ledger.db",
        budget("month", "monthly", "Pacific/Kiritimati"),  # 14 hours ahead
        start,
        start + timedelta(hours=2),
        timedelta(minutes=30),
    )
    assert counted == {"2026-12": 2, "2027-01": 2}


JUMPING = (
    budget("day", "daily", "Europe/Zurich"),
    budget("lord", "daily", "Australia/Lord_Howe"),
    budget("week", "weekly", "America/New_York"),
    budget("month", "monthly"),
    budget("window", "5h"),
)


def jump(clock: HandClock, dice: random.Random) -> None:
    """A few minutes, hours or days; one time in three back."""
    minutes = dice.randint(1, dice.choice((5, 300, 5000)))
    clock.time += timedelta(minutes=-minutes if dice.randrange(3) == 0 else minutes)


@pytest.mark.parametrize("number", range(3))
def test_ids_only_grow_and_holds_stay_in_the_period_that_took_them(tmp_path: Path, number: int) -> None:
    """Two openings, whose clocks jump about each on its own; the sums are kept here, by the period of the hold."""
    print(f"seed {SEED + number}")
    dice = random.Random(SEED + number)
    start = datetime(2026, dice.choice((3, 10, 12)), 25, tzinfo=UTC)
    clocks = [HandClock(start), HandClock(start)]
    ledgers = [open_ledger(tmp_path / "ledger.db", clock) for clock in clocks]
    for each in JUMPING:
        ledgers[0].define(each)
    latest: dict[str, str] = {}
    taken: dict[str, dict[str, str]] = {}
    spent: Counter[tuple[str, str]] = Counter()
    reserved: Counter[tuple[str, str]] = Counter()
    for count in range(150):
        turn = dice.randrange(2)
        jump(clocks[turn], dice)
        ledger, tokens = ledgers[turn], dice.randint(1, 100)
        if taken and dice.randrange(2):
            key = dice.choice(sorted(taken))
            held = int(key.partition("-")[2])
            assert ledger.settle(key, Amount(held // 2, 0)).charged == Amount(held // 2, 0)
            for account in taken.pop(key).items():
                reserved[account] -= held
                spent[account] += held // 2
            continue
        key = f"{count}-{tokens}"
        answer = ledger.reserve(ReserveRequest(key=key, labels={}, amount=Amount(tokens, 0)))
        assert isinstance(answer, Reservation)
        taken[key] = {each.budget.name: each.period_id for each in ledger.budgets()}
        for account in taken[key].items():
            reserved[account] += tokens
            assert account[1] >= latest.get(account[0], "")
            latest[account[0]] = account[1]
    assert len(spent) > 3 * len(JUMPING)  # or nothing has rolled
    for each in JUMPING:
        assert periods(ledgers[0], each.name) == {
            period: (spent[name, period], reserved[name, period])
            for name, period in spent.keys() | reserved.keys()
            if name == each.name
        }
    assert list(ledgers[1].verify()) == []
    for ledger in ledgers:
        ledger.close()


def test_a_clock_that_went_back_over_midnight_is_not_a_second_chance(tmp_path: Path) -> None:
    clock = HandClock(datetime(2026, 3, 2, 0, 0, 1, tzinfo=UTC))
    ledger = open_ledger(tmp_path / "ledger.db", clock)
    ledger.define(Budget(name="day", limit=Limit(100, Unit.TOKENS), period=parse_period("daily")))
    ledger.charge("new", {}, Amount(100, 0))
    for clock.time in (datetime(2026, 3, 1, 23, 59, tzinfo=UTC), datetime(1999, 1, 1, tzinfo=UTC)):
        answer = ledger.reserve(ReserveRequest(key="old", labels={}, amount=Amount(1, 0)))
        assert not isinstance(answer, Reservation)
    assert periods(ledger, "day") == {"2026-03-02": (100, 0)}
    ledger.close()
