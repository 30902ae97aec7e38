"""A full or broken disk, at every single write and sync: the operation is refused, and nothing of it is half done.

Refused means gone for good: also where the commit was written and only its sync has failed, and the power goes after
that. Only where the disk stays bad nobody can tell; then the refused operation is there wholly or not at all.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import apsw
import pytest

from bursar.budget import Amount, Balance
from bursar.errors import OutcomeUnknown, StoreError
from bursar.ledger import CallRecord, Reservation, ReserveRequest, SqliteLedger, open_ledger
from bursar.testing.power_cut import Disk
from bursar.usage import Usage
from tests.faults.ledger_authors import check_books, define_all
from tests.integration.descriptors import opened_below

SEED = int(os.environ.get("BURSAR_SEED", "20260301"))

Shown = tuple[Sequence[Reservation], Sequence[Balance], Mapping[str, Usage]]

FAILURES: dict[str, Callable[[], Exception]] = {
    "full": lambda: apsw.FullError("database or disk is full"),
    "broken": lambda: apsw.IOError("disk I/O error"),
}


class StillClock:
    """It is always the same instant, so that an operation that is tried again gives what it would have given."""

    def now(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


def open_at(folder: Path) -> SqliteLedger:
    ledger = open_ledger(folder / "state" / "ledger.db", StillClock(), busy_seconds=5)
    ledger._database._connection.pragma("wal_autocheckpoint", 0)
    return ledger


def copy_back(ledger: SqliteLedger) -> None:
    """As SQLite itself does after some commits: a failure is no failure of the commit, and is left for the next time.

    Its own is switched off here, because an exception in a file of Python's would be raised by the commit.
    """
    with suppress(apsw.Error):
        ledger._database._connection.wal_checkpoint()


def labels(key: str, session: str = "s") -> dict[str, str]:
    return {"run": "r", "task": key, "session": session}


def reserve(ledger: SqliteLedger, key: str) -> None:
    answer = ledger.reserve(ReserveRequest(key=key, labels=labels(key), amount=Amount(100, 300)))
    assert isinstance(answer, Reservation)


def record(ledger: SqliteLedger, key: str) -> None:
    usage = Usage(input_tokens=70)
    ledger.record(key, CallRecord(call_id="c", sequence=1, model="m", usage=usage, nano_usd=70))


OPERATIONS: Sequence[Callable[[SqliteLedger], object]] = (
    lambda ledger: reserve(ledger, "a"),
    lambda ledger: record(ledger, "a"),
    lambda ledger: ledger.extend("a", Amount(200, 600)),
    lambda ledger: ledger.settle("a", Amount(150, 450)),
    lambda ledger: ledger.charge("b", labels("b"), Amount(5, 15)),
    lambda ledger: reserve(ledger, "c"),
    lambda ledger: reserve(ledger, "d"),
    lambda ledger: ledger.release("c"),
    lambda ledger: reserve(ledger, "e"),
    lambda ledger: ledger.forfeit_open({"session": "s"}),
    lambda ledger: ledger.credit("d", Amount(1, 1), evidence="invoice"),
)


def show(ledger: SqliteLedger) -> Shown:
    return list(ledger.reservations({})), list(ledger.budgets()), dict(ledger.usage({}))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    ledger = open_at(made)
    define_all(ledger)
    ledger.close()
    return made


def reference(home: Path) -> list[Shown]:
    """What a ledger on a sound disk shows before and after each operation."""
    copy = home.parent / "reference"
    shutil.copytree(home, copy)
    ledger = open_at(copy)
    shown = [show(ledger)]
    for operation in OPERATIONS:
        operation(ledger)
        shown.append(show(ledger))
    ledger.close()
    return shown


def shown_after_a_power_cut(disk: Disk, folder: Path) -> Shown:
    disk.leave(str(folder))
    return shown_once(folder)


def shown_after_a_crash(home: Path, folder: Path) -> Shown:
    """All that was written is there, synced or not; what the processes shared in memory is not."""
    shutil.copytree(home, folder, ignore=shutil.ignore_patterns("*-shm"))
    return shown_once(folder)


def shown_once(folder: Path) -> Shown:
    ledger = open_at(folder)
    check_books(ledger)
    shown = show(ledger)
    ledger.close()
    shutil.rmtree(folder)
    return shown


def fail_at(home: Path, step: int, failure: str, expected: Sequence[Shown]) -> int:
    """All operations, on a disk that fails once, at that step: how many were refused. What was refused is asked again.

    Raises:
        IndexError: there are fewer steps.
    """
    refused, copy, cut = 0, home.parent / f"copy-{step}", home.parent / "cut"
    shutil.copytree(home, copy)
    with Disk(str(copy), random.Random(SEED + step), is_forgetful=True) as disk:
        ledger = open_at(copy)
        start = disk.steps
        disk.fail_at(step, FAILURES[failure])
        for number, operation in enumerate(OPERATIONS, start=1):
            try:
                operation(ledger)
            except StoreError:
                refused += 1
                assert show(ledger) == expected[number - 1]
                assert shown_after_a_power_cut(disk, cut) == expected[number - 1]
                assert shown_after_a_crash(copy, cut) == expected[number - 1]
                operation(ledger)  # the disk is well again
            assert show(ledger) == expected[number]
            if number % 3 == 0:
                copy_back(ledger)
                assert show(ledger) == expected[number]
        check_books(ledger)
        is_over = disk.steps - start < step
        assert shown_after_a_power_cut(disk, cut) == expected[-1]
        ledger.close()
    shutil.rmtree(copy)
    if is_over:
        raise IndexError(step)
    return refused


def fail_everywhere(home: Path, failure: str, *, every: int) -> int:
    """How many operations were refused, over a failure at every step, or every so many."""
    print(f"seed {SEED}")
    expected, refused = reference(home), 0
    for step in count(1, every):
        try:
            refused += fail_at(home, step, failure, expected)
        except IndexError:
            print(f"{step} steps, {refused} refusals")
            return refused
    raise AssertionError("unreachable")


@pytest.mark.parametrize("failure", FAILURES)
def test_an_operation_fails_wholly_where_the_disk_fails(home: Path, failure: str) -> None:
    assert fail_everywhere(home, failure, every=8)


@pytest.mark.faults
@pytest.mark.parametrize("failure", FAILURES)
def test_an_operation_fails_wholly_at_whatever_step_the_disk_fails(home: Path, failure: str) -> None:
    assert fail_everywhere(home, failure, every=1) > 10 * len(OPERATIONS)


@pytest.mark.parametrize("failure", FAILURES)
def test_while_the_disk_stays_bad_everything_is_refused_and_reading_goes_on(home: Path, failure: str) -> None:
    with Disk(str(home), random.Random(SEED)) as disk:
        ledger = open_at(home)
        OPERATIONS[0](ledger)
        before = show(ledger)
        disk.fail_at(1, FAILURES[failure], times=10**9)
        for operation in OPERATIONS[1:7]:
            with pytest.raises(OutcomeUnknown, match=r"disk .*; nobody knows"):
                operation(ledger)
            assert show(ledger) == before
        disk.be_well()
        for operation in OPERATIONS[1:]:
            operation(ledger)
        check_books(ledger)
        ledger.close()


@pytest.mark.parametrize("failure", FAILURES)
def test_a_ledger_that_could_not_be_made_is_made_the_next_time(tmp_path: Path, failure: str) -> None:
    """Whatever write or sync of the making fails, nothing that is left behind stands in the way."""
    print(f"seed {SEED}")
    refused, step, is_made_at_once = 0, 0, False
    while not is_made_at_once:
        step += 1
        folder = tmp_path / f"making-{step}"
        folder.mkdir()
        with Disk(str(folder), random.Random(SEED + step)) as disk:
            disk.fail_at(step, FAILURES[failure])
            try:
                open_at(folder).close()
                is_made_at_once = disk.steps < step
            except StoreError:
                refused += 1
            disk.be_well()
            ledger = open_at(folder)
            define_all(ledger)
            reserve(ledger, "a")
            before = show(ledger)
            assert opened_below(folder)
            ledger.close()
            assert shown_after_a_power_cut(disk, tmp_path / "cut") == before
    print(f"{step} steps, {refused} refusals")
    assert refused > 10
    assert opened_below(tmp_path) == []
