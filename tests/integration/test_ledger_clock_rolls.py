"""Processes that roll a period or reset a session at the very same moment: one period, and no charge is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bursar.budget import Amount
from bursar.ledger import Reservation, ReserveRequest, SqliteLedger, State, open_ledger
from tests.faults.ledger_crews import Crew
from tests.integration.test_ledger_clocks import HandClock, budget, periods

START = datetime(2026, 10, 22, 12, tzinfo=UTC)  # three days before summer time ends in Zurich
ROUNDS = 6

Work = Callable[[int], None]


def prepare(path: Path) -> None:
    ledger = open_ledger(path, HandClock(START), busy_seconds=60)
    for made in (budget("day", "daily", "Europe/Zurich"), budget("window", "5h"), budget("session", "session")):
        ledger.define(made)
    ledger.close()


def hold(ledger: SqliteLedger, key: str, tokens: int, **labels: str) -> None:
    answer = ledger.reserve(ReserveRequest(key=key, labels=labels, amount=Amount(tokens, 0)))
    assert isinstance(answer, Reservation)


def run_crew(path: Path, size: int, work_of: Callable[[SqliteLedger, HandClock, int], Work]) -> SqliteLedger:
    """Every member has done every round on a ledger of its own opening, with a clock of its own."""

    def begin(number: int) -> Work:
        clock = HandClock(START)
        return work_of(open_ledger(path, clock, busy_seconds=60), clock, number)

    prepare(path)
    crew = Crew(size, begin)
    for number in range(1, ROUNDS + 1):
        crew.do(number)
    crew.end()
    ledger = open_ledger(path, HandClock(START), busy_seconds=60)
    assert list(ledger.verify()) == []
    return ledger


@pytest.mark.parametrize("size", [2, 16])
def test_a_new_day_and_a_new_window_begin_once(tmp_path: Path, size: int) -> None:
    """In each round it is a day later for everybody, to a few milliseconds. Yesterday's hold is settled, at 7 of 10."""

    def work_of(ledger: SqliteLedger, clock: HandClock, member: int) -> Work:
        def work(number: int) -> None:
            clock.time = START + timedelta(days=number, milliseconds=member * 7 % 5)
            ledger.charge(f"charge-{member}-{number}", {}, Amount(1, 0))
            if number > 1:
                ledger.settle(f"hold-{member}-{number - 1}", Amount(7, 0))
            hold(ledger, f"hold-{member}-{number}", 10)

        return work

    ledger = run_crew(tmp_path / "state" / "ledger.db", size, work_of)
    days = [str((START + timedelta(days=number)).date()) for number in range(1, ROUNDS + 1)]
    full, last = (8 * size, 0), (size, 10 * size)
    assert periods(ledger, "day") == {day: last if day == days[-1] else full for day in days}
    windows = periods(ledger, "window")
    assert [opened[:10] for opened in windows] == days
    assert list(windows.values()) == [*[full] * (ROUNDS - 1), last]
    ledger.close()


@pytest.mark.parametrize("size", [2, 16])
def test_clocks_on_both_sides_of_midnight_share_the_later_day(tmp_path: Path, size: int) -> None:
    """Half of them think that it is still yesterday. Whoever writes after the first of the others is put on today."""

    def work_of(ledger: SqliteLedger, clock: HandClock, member: int) -> Work:
        def work(number: int) -> None:
            midnight = datetime(2026, 10, 25 + number, 0, 0, tzinfo=UTC) - timedelta(hours=1)  # after summer time
            clock.time = midnight + timedelta(seconds=1 if member % 2 else -1)
            ledger.charge(f"{member}-{number}", {}, Amount(1, 0))

        return work

    ledger = run_crew(tmp_path / "state" / "ledger.db", size, work_of)
    days = periods(ledger, "day")
    assert list(days) in ([f"2026-10-{25 + number}" for number in range(first, ROUNDS + 1)] for first in (0, 1))
    assert sum(spent for spent, _ in days.values()) == size * ROUNDS
    journal = [dict(_accounts(entry.body["budgets"]))["day"] for entry in ledger.entries() if entry.kind == "charged"]
    assert journal == sorted(journal)
    ledger.close()


def _accounts(body: object) -> list[tuple[str, str]]:
    assert isinstance(body, list)
    return [(name, period) for name, period in body]


@pytest.mark.parametrize("size", [2, 16])
def test_a_session_that_all_reset_at_once_forfeits_each_hold_once(tmp_path: Path, size: int) -> None:
    """Everybody ends the session before, at once, and holds 5 in the new one: what is forfeited is charged once."""

    def work_of(ledger: SqliteLedger, clock: HandClock, member: int) -> Work:
        def work(number: int) -> None:
            ledger.forfeit_open({"session": str(number - 1)})
            hold(ledger, f"{member}-{number}", 5, session=str(number))
            ledger.charge(f"charge-{member}-{number}", {"session": str(number)}, Amount(1, 0))

        return work

    ledger = run_crew(tmp_path / "state" / "ledger.db", size, work_of)
    sessions = [str(number) for number in range(1, ROUNDS + 1)]
    ended, last = (6 * size, 0), (size, 5 * size)
    assert periods(ledger, "session") == {each: last if each == sessions[-1] else ended for each in sessions}
    kinds = [entry.kind for entry in ledger.entries()]
    assert kinds.count("forfeited") == size * (ROUNDS - 1)
    assert len(ledger.reservations({}, state=State.HELD)) == size
    ledger.close()
