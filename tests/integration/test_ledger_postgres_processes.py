"""Many processes, one ledger on PostgreSQL: the limit holds, nothing that fits is refused, kills lose nothing."""

from __future__ import annotations

import os
import random
import select
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from bursar.budget import Amount, Budget, Limit, Unit
from bursar.clock import SystemClock
from bursar.ledger import Denial, Ledger, Reservation, ReserveRequest, State, open_ledger
from tests.faults.ledger_authors import check_books, define_all
from tests.faults.ledger_kills import start_writer
from tests.integration.test_ledger_processes import fork, wait_for
from tests.postgres_server import the_server
from tests.properties.test_ledger_against_a_model import LedgerMachine

SEED = int(os.environ.get("BURSAR_SEED", "20260301"))
PROCESSES = 50
LABELS = {"run": "r", "task": "t"}


@pytest.fixture
def url() -> Iterator[str]:
    server = the_server()
    made = server.new_url()
    yield made
    server.drop(made)


def open_at(url: str) -> Ledger:
    return open_ledger(url, SystemClock(), busy_seconds=120)


def define(url: str, **limits: int) -> None:
    ledger = open_at(url)
    for name, limit in limits.items():
        selector = {"run": "r"} if name == "run" else {}
        ledger.define(Budget(name=name, limit=Limit(limit, Unit.TOKENS), selector=selector))
    ledger.close()


def reserve(ledger: Ledger, key: str, tokens: int, minimum: int | None = None) -> Reservation | Denial:
    least = None if minimum is None else Amount(minimum, None)
    return ledger.reserve(ReserveRequest(key=key, labels=LABELS, amount=Amount(tokens, None), minimum=least))


def test_fifty_processes_fill_a_budget_exactly(url: str) -> None:
    """Each takes random sizes down to one token until it is denied one: then there must be nothing left."""
    print(f"seed {SEED}")
    define(url, run=1000, all=5000)
    gate, release = os.pipe()

    def take(number: int) -> None:
        os.close(release)
        os.read(gate, 1)  # until every process is there
        ledger, dice, count = open_at(url), random.Random(SEED * 1000 + number), 0
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

    ledger = open_at(url)
    held = sum(each.held.tokens for each in ledger.reservations({"run": "r"}, state=State.HELD))
    for name in ("run", "all"):
        balance = ledger.balance(name)
        assert balance is not None
        assert balance.spent + balance.reserved == 1000
        assert balance.reserved == held
    assert list(ledger.verify()) == []
    ledger.close()


def test_nothing_that_fits_is_refused(url: str) -> None:
    """50 wishes of 20 tokens fit into 1,000 exactly, so all 50 are granted, and the 51st is not."""
    define(url, run=1000)

    def take(number: int) -> None:
        ledger = open_at(url)
        assert isinstance(reserve(ledger, str(number), 20), Reservation)
        ledger.close()

    wait_for([fork(lambda number=number: take(number)) for number in range(PROCESSES)])  # type: ignore[misc]
    ledger = open_at(url)
    assert isinstance(reserve(ledger, "one more", 1), Denial)
    assert list(ledger.verify()) == []
    ledger.close()


def test_one_key_from_fifty_processes_is_one_hold(url: str) -> None:
    define(url, run=1000)

    def take() -> None:
        ledger = open_at(url)
        assert isinstance(reserve(ledger, "same", 20), Reservation)
        assert ledger.settle("same", Amount(7, None)).charged == Amount(7, None)
        ledger.close()

    wait_for([fork(take) for _ in range(PROCESSES)])
    ledger = open_at(url)
    run = ledger.balance("run")
    assert run is not None
    assert (run.spent, run.reserved) == (7, 0)
    assert [entry.kind for entry in ledger.entries()] == ["defined", "reserved", "settled"]
    ledger.close()


def test_thirty_kills_lose_nothing(url: str) -> None:
    """Clients die at any point. Their server may still be at their last word: the next writer waits for that."""
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    place: Any = url
    kept: Any = open_at(url)
    define_all(kept)
    kept.close()
    for number in range(0, 30, 2):
        writers = [start_writer(place, f"w{number + each}", dice.getrandbits(32)) for each in (0, 1)]
        patience = dice.choice([1, 2, 5, 20])
        while sum(writer.heard.count("\n") for writer in writers) < patience:
            writers[dice.randrange(2)].listen(0.001)
        select.select([], [], [], dice.random() * dice.choice([0.0005, 0.002, 0.01]))
        stories = [writer.kill() for writer in writers]
        kept = open_at(url)
        define_all(kept)  # a write, so it is behind all that was sent
        for story in stories:
            story.check(kept)
        check_books(kept)
        kept.close()


class PostgresMachine(LedgerMachine):
    """The same rules, the same model."""

    kept_in = ("memory", "postgres")


@pytest.mark.timeout(900)  # shrinking a failure takes its time
def test_it_keeps_the_law() -> None:
    the_server()
    print(f"seed {SEED} (BURSAR_SEED sets another)")
    run_state_machine_as_test(
        seed(SEED)(PostgresMachine),
        settings=settings(
            max_examples=8,
            stateful_step_count=30,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
