"""Many processes, one ledger: the limit holds, and nothing that fits is refused."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bursar.budget import Amount, Budget, Limit, Unit, parse_period
from bursar.clock import SystemClock
from bursar.database.lock import lock_file, unlock_file
from bursar.errors import InternalError, LedgerBusy, StoreError
from bursar.ledger import Denial, MemoryLedger, Reservation, ReserveRequest, SqliteLedger, State, open_ledger
from tests.integration.descriptors import opened_below

SEED = int(os.environ.get("BURSAR_SEED", "20260301"))
PROCESSES = 50
LABELS = {"run": "r", "task": "t"}


def fork(work: Callable[[], None]) -> int:
    """A child that does `work` and ends at once, with 0 if it did."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except BaseException as error:  # noqa: BLE001  (nothing may leave a forked child)
        os.write(2, f"child {os.getpid()}: {error!r}\n".encode())
        os._exit(1)
    raise AssertionError("unreachable")


def wait_for(children: Sequence[int]) -> None:
    failed = [child for child in children if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]
    assert not failed


def open_at(path: Path) -> SqliteLedger:
    return open_ledger(path, SystemClock(), busy_seconds=60)


def define(path: Path, **limits: int) -> None:
    ledger = open_at(path)
    for name, limit in limits.items():
        selector = {"run": "r"} if name == "run" else {}
        ledger.define(Budget(name=name, limit=Limit(limit, Unit.TOKENS), selector=selector))
    ledger.close()


def reserve(ledger: SqliteLedger, key: str, tokens: int, minimum: int | None = None) -> Reservation | Denial:
    least = None if minimum is None else Amount(minimum, None)
    return ledger.reserve(ReserveRequest(key=key, labels=LABELS, amount=Amount(tokens, None), minimum=least))


def test_fifty_processes_fill_a_budget_exactly(tmp_path: Path) -> None:
    """Each takes random sizes down to one token until it is denied one: then there must be nothing left."""
    print(f"seed {SEED}")
    path = tmp_path / "ledger" / "ledger.db"
    define(path, run=1000, all=5000)
    gate, release = os.pipe()

    def take(number: int) -> None:
        os.close(release)
        os.read(gate, 1)  # until every process is there
        ledger, dice, count = open_at(path), random.Random(SEED * 1000 + number), 0
        while True:
            wanted, count = dice.randint(1, 20), count + 1
            answer = reserve(ledger, f"{number}-{count}", wanted, minimum=1)
            if isinstance(answer, Denial):
                break
            if dice.random() < 0.5:
                ledger.settle(answer.key, answer.held)
        ledger.close()

    children = [fork(lambda number=number: take(number)) for number in range(PROCESSES)]  # type: ignore[misc]
    os.close(gate)
    os.close(release)
    wait_for(children)

    ledger = open_at(path)
    run, everything = ledger.balance("run"), ledger.balance("all")
    assert run is not None
    assert everything is not None
    assert run.spent + run.reserved == 1000
    assert everything.spent + everything.reserved == 1000
    held = ledger.reservations({"run": "r"}, state=State.HELD)
    assert sum(each.held.tokens for each in held) == run.reserved
    for each in held:
        ledger.settle(each.key, each.held)
    settled = ledger.balance("run")
    assert settled is not None
    assert (settled.spent, settled.reserved) == (1000, 0)
    assert list(ledger.verify()) == []
    ledger.close()


def test_nothing_that_fits_is_refused(tmp_path: Path) -> None:
    """50 wishes of 20 tokens fit into 1,000 exactly, so all 50 are granted, and the 51st is not."""
    path = tmp_path / "ledger" / "ledger.db"
    define(path, run=1000)

    def take(number: int) -> None:
        ledger = open_at(path)
        assert isinstance(reserve(ledger, str(number), 20), Reservation)
        ledger.close()

    wait_for([fork(lambda number=number: take(number)) for number in range(PROCESSES)])  # type: ignore[misc]
    ledger = open_at(path)
    assert isinstance(reserve(ledger, "one more", 1), Denial)
    assert list(ledger.verify()) == []
    ledger.close()


def test_one_key_from_fifty_processes_is_one_hold(tmp_path: Path) -> None:
    path = tmp_path / "ledger" / "ledger.db"
    define(path, run=1000)

    def take() -> None:
        ledger = open_at(path)
        assert isinstance(reserve(ledger, "same", 20), Reservation)
        assert ledger.settle("same", Amount(7, None)).charged == Amount(7, None)
        ledger.close()

    wait_for([fork(take) for _ in range(PROCESSES)])
    ledger = open_at(path)
    run = ledger.balance("run")
    assert run is not None
    assert (run.spent, run.reserved) == (7, 0)
    assert [entry.kind for entry in ledger.entries()] == ["defined", "reserved", "settled"]
    ledger.close()


def test_fifty_processes_that_make_the_ledger_make_one(tmp_path: Path) -> None:
    path = tmp_path / "state" / "deep" / "ledger.db"
    wait_for([fork(lambda: open_at(path).close()) for _ in range(PROCESSES)])
    ledger = open_at(path)
    assert list(ledger.entries()) == []
    assert list(ledger.verify()) == []
    ledger.close()


def test_a_writer_that_holds_the_lock_too_long_makes_the_others_give_up(tmp_path: Path) -> None:
    path = tmp_path / "ledger" / "ledger.db"
    define(path, run=1000)
    ready, has_lock = os.pipe()
    gate, release = os.pipe()

    def sit() -> None:
        os.close(release)
        ledger = open_at(path)
        with ledger._database.write():
            os.write(has_lock, b"x")
            os.read(gate, 1)

    child = fork(sit)
    os.close(gate)
    assert os.read(ready, 1) == b"x"
    hasty = open_ledger(path, SystemClock(), busy_seconds=0.05)
    for _ in range(3):
        with pytest.raises(LedgerBusy):
            reserve(hasty, "a", 10)
    assert hasty.reservation("a") is None  # readers do not wait
    os.close(release)
    wait_for([child])
    patient = open_at(path)  # the threads that gave up have let go of the lock as well
    assert isinstance(reserve(patient, "a", 10), Reservation)
    for each in (hasty, patient):
        each.close()
    for descriptor in (ready, has_lock):
        os.close(descriptor)


def test_a_forked_child_may_not_use_its_parents_connection(tmp_path: Path) -> None:
    path = tmp_path / "ledger" / "ledger.db"
    define(path, run=1000)
    ledger = open_at(path)

    def misuse() -> None:
        with pytest.raises(InternalError):
            reserve(ledger, "a", 1)
        with pytest.raises(InternalError):
            ledger.reservation("a")
        with pytest.raises(InternalError, match="forked"):
            open_at(path)  # SQLite would believe that it holds its parent's locks
        ledger.close()  # leaves the parent's connection alone

    wait_for([fork(misuse)])
    assert isinstance(reserve(ledger, "a", 1), Reservation)
    ledger.close()


def test_a_write_inside_a_write_is_a_bug_and_undone(tmp_path: Path) -> None:
    path = tmp_path / "ledger" / "ledger.db"
    define(path, run=1000)
    ledger = open_at(path)
    for nested, error in ((True, InternalError), (False, StoreError)):
        with pytest.raises(error):
            spoil(ledger, nested=nested)
        assert list(ledger.verify()) == []
        balance = ledger.balance("run")
        assert balance is not None
        assert (balance.spent, balance.budget.limit.quantity) == (0, 1000)
    assert isinstance(reserve(ledger, "a", 1), Reservation)
    ledger.close()


def spoil(ledger: SqliteLedger, *, nested: bool) -> None:
    with ledger._database.write() as connection:
        connection.execute("UPDATE budgets SET quantity = 5")
        if nested:
            with ledger._database.write():
                raise AssertionError("unreachable")
        connection.execute("UPDATE budgets SET quantity = -1")


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_threads_may_share_a_ledger(tmp_path: Path, store: str) -> None:
    ledger = MemoryLedger(SystemClock()) if store == "memory" else open_at(tmp_path / "ledger.db")
    ledger.define(Budget(name="run", limit=Limit(100, Unit.TOKENS)))

    def take(number: int) -> int:
        granted = 0
        for count in range(30):
            request = ReserveRequest(key=f"{number}-{count}", labels=LABELS, amount=Amount(1, None))
            if isinstance(ledger.reserve(request), Reservation):
                ledger.settle(request.key, Amount(1, None))
                granted += 1
            assert len(ledger.balances(LABELS)) == 1
        return granted

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(8))) == 100
    assert list(ledger.verify()) == []
    ledger.close()


def test_waiting_leaves_no_descriptor_open(tmp_path: Path) -> None:
    lock = str(tmp_path / "lock")
    holder = lock_file(lock, 1)
    assert opened_below(tmp_path)
    for _ in range(5):
        with pytest.raises(LedgerBusy):
            lock_file(lock, 0.01)
    unlock_file(holder)
    unlock_file(lock_file(lock, 5))  # behind the five that have left
    deadline = 5000
    while opened_below(tmp_path) and deadline:
        unlock_file(lock_file(lock, 5))
        deadline -= 1
    assert opened_below(tmp_path) == []


class StoppedClock:
    """Always the same instant."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant

    def now(self) -> datetime:
        return self._instant

    def monotonic(self) -> float:
        return 0.0


@pytest.mark.parametrize("period", ["daily", "5h"])
def test_processes_that_begin_a_period_at_once_agree_on_it(tmp_path: Path, period: str) -> None:
    """Clocks differ by microseconds; there is one new period, and its limit holds."""
    path, yesterday = tmp_path / "ledger" / "ledger.db", datetime(2026, 3, 1, 12, tzinfo=UTC)
    ledger = open_ledger(path, StoppedClock(yesterday))
    ledger.define(Budget(name="p", limit=Limit(10, Unit.TOKENS), period=parse_period(period)))
    ledger.charge("old", {}, Amount(10, None))
    ledger.close()
    gate, release = os.pipe()

    def take(number: int) -> None:
        os.close(release)
        os.read(gate, 1)
        mine = open_ledger(path, StoppedClock(yesterday + timedelta(days=1, microseconds=number)), busy_seconds=60)
        for count in range(3):
            reserve(mine, f"{number}-{count}", 1)
        mine.close()

    children = [fork(lambda number=number: take(number)) for number in range(12)]  # type: ignore[misc]
    os.close(gate)
    os.close(release)
    wait_for(children)

    ledger = open_ledger(path, StoppedClock(yesterday + timedelta(days=1, seconds=1)))
    balance = ledger.balance("p")
    assert balance is not None
    assert (balance.spent, balance.reserved) == (0, 10)
    assert len(ledger.reservations({}, state=State.HELD)) == 10
    assert ledger._database.query("SELECT count(*) FROM balances") == [(2,)]
    assert list(ledger.verify()) == []
    ledger.close()
