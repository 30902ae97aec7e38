"""What a ledger in a file need not read again: only what is still true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bursar.budget import Amount, Budget, Limit, Unit
from bursar.errors import KeyReused, StoreError
from bursar.ledger import Denial, Reservation, ReserveRequest, SqliteLedger, open_ledger
from bursar.ledger.sqlite_books import SqliteBooks
from tests.conformance.ledgers import SteppingClock

LABELS = {"run": "r", "task": "t"}


@pytest.fixture
def ledgers(tmp_path: Path) -> Iterator[tuple[SqliteLedger, SqliteLedger]]:
    one, two = (open_ledger(tmp_path / "state" / "ledger.db", SteppingClock()) for _ in range(2))
    one.define(Budget(name="all", limit=Limit(1000, Unit.TOKENS)))
    yield one, two
    assert list(one.verify()) == []
    one.close()
    two.close()


def reserve(ledger: SqliteLedger, key: str, tokens: int, attempt: int = 1) -> Reservation | Denial:
    return ledger.reserve(ReserveRequest(key=key, labels=LABELS, amount=Amount(tokens, None), attempt=attempt))


def test_an_ending_by_somebody_else_is_seen(ledgers: tuple[SqliteLedger, SqliteLedger]) -> None:
    one, two = ledgers
    assert isinstance(reserve(one, "a", 100), Reservation)
    two.settle("a", Amount(50, None))
    with pytest.raises(KeyReused):
        one.settle("a", Amount(60, None))


def test_what_somebody_else_has_taken_is_not_there_any_more(ledgers: tuple[SqliteLedger, SqliteLedger]) -> None:
    one, two = ledgers
    assert isinstance(reserve(one, "a", 300), Reservation)
    assert isinstance(reserve(two, "b", 300), Reservation)
    assert isinstance(reserve(one, "c", 401), Denial)
    assert isinstance(reserve(one, "d", 400), Reservation)
    assert isinstance(reserve(two, "e", 1), Denial)


def test_a_limit_that_somebody_else_has_changed_holds(ledgers: tuple[SqliteLedger, SqliteLedger]) -> None:
    one, two = ledgers
    assert isinstance(reserve(one, "a", 300), Reservation)
    two.define(Budget(name="all", limit=Limit(400, Unit.TOKENS)))
    assert isinstance(reserve(one, "b", 101), Denial)
    two.define(Budget(name="new", limit=Limit(10, Unit.TOKENS), selector={"run": "r"}))
    assert isinstance(reserve(one, "c", 11), Denial)


def test_a_later_attempt_that_somebody_else_has_begun_is_a_fence(ledgers: tuple[SqliteLedger, SqliteLedger]) -> None:
    one, two = ledgers
    assert isinstance(reserve(one, "a", 10), Reservation)
    assert isinstance(reserve(two, "b", 10, attempt=2), Reservation)
    with pytest.raises(StoreError, match="attempt 1 is over"):
        one.settle("a", Amount(5, None))


def test_what_was_undone_is_forgotten(
    ledgers: tuple[SqliteLedger, SqliteLedger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last row of a write cannot be put: nothing of the write is remembered, however often it is tried."""
    ledger, _ = ledgers

    def refuse(*_: object) -> None:
        raise StoreError("no more entries")

    assert isinstance(reserve(ledger, "before", 500), Reservation)
    with monkeypatch.context() as patched:
        patched.setattr(SqliteBooks, "add_entry", refuse)
        for _ in range(2):
            with pytest.raises(StoreError, match="no more entries"):
                reserve(ledger, "a", 500)
            with pytest.raises(StoreError, match="no more entries"):
                ledger.settle("before", Amount(1, None))
    with pytest.raises(StoreError, match="there is no reservation `a`"):
        ledger.settle("a", Amount(1, None))
    balance = ledger.balance("all")
    assert balance is not None
    assert (balance.spent, balance.reserved) == (0, 500)
    assert isinstance(reserve(ledger, "a", 501), Denial)
    assert isinstance(reserve(ledger, "b", 500), Reservation)


def test_a_program_that_holds_much_at_once_is_not_confused(ledgers: tuple[SqliteLedger, SqliteLedger]) -> None:
    """More than is kept in mind: what is dropped is read again."""
    ledger, _ = ledgers
    ledger.define(Budget(name="all", limit=Limit(10_000, Unit.TOKENS)))
    for number in range(1100):
        assert isinstance(reserve(ledger, str(number), 2), Reservation)
    for number in range(1100):
        ledger.settle(str(number), Amount(1, None))
    balance = ledger.balance("all")
    assert balance is not None
    assert (balance.spent, balance.reserved) == (1100, 0)
