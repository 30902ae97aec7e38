"""A ledger that lives as long as its process: for tests, dry runs and programs that keep no books."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from bursar.budget import Alert, Balance, Budget, is_selected
from bursar.clock import Clock
from bursar.ledger.audit import RawEntry, check_books, read_entry
from bursar.ledger.bookkeeping import Bookkeeping
from bursar.ledger.books import Books, Mark
from bursar.ledger.entries import FIRST_HASH, format_instant
from bursar.ledger.holding import Holding
from bursar.ledger.port import CallRecord, Entry, Reservation, State
from bursar.usage import NOTHING, Usage


class MemoryBooks:
    """The rows as dictionaries."""

    def __init__(self) -> None:
        self.holdings: dict[str, Holding] = {}
        self.balances: dict[str, Balance] = {}
        self.attempts: dict[str, int] = {}
        self.calls: dict[tuple[str, str, int], CallRecord] = {}
        self.all_marks: list[Mark] = []
        self.rows: list[RawEntry] = []

    def holding(self, key: str) -> Holding | None:
        return self.holdings.get(key)

    def put_holding(self, holding: Holding, *, is_new: bool) -> None:
        assert is_new is (holding.key not in self.holdings)
        self.holdings[holding.key] = holding
        if holding.place:
            self.attempts[holding.place] = max(self.latest_attempt(holding.place), holding.attempt)

    def latest_attempt(self, place: str) -> int:
        return self.attempts.get(place, 0)

    def call(self, key: str, call_id: str, sequence: int) -> CallRecord | None:
        return self.calls.get((key, call_id, sequence))

    def add_call(self, key: str, call: CallRecord) -> None:
        self.calls[key, call.call_id, call.sequence] = call

    def matching(self, labels: Mapping[str, str]) -> Sequence[Balance]:
        return [self.balances[name] for name in sorted(self.balances) if self._selects(name, labels)]

    def named(self, names: Iterable[str]) -> Sequence[Balance]:
        return [self.balances[name] for name in names if name in self.balances]

    def put_budget(self, budget: Budget, *, is_new: bool) -> None:
        old = Balance(budget=budget, spent=0, reserved=0, metered=0) if is_new else self.balances[budget.name]
        self.balances[budget.name] = Balance(
            budget=budget, spent=old.spent, reserved=old.reserved, metered=old.metered, unpriced=old.unpriced
        )

    def put_balance(self, balance: Balance) -> None:
        self.balances[balance.budget.name] = balance

    def marks(self, budget: str, period: str) -> Collection[int]:
        return {mark.percent for mark in self.all_marks if (mark.budget, mark.period_id) == (budget, period)}

    def add_mark(self, mark: Mark) -> None:
        self.all_marks.append(mark)

    def head(self) -> tuple[int, str]:
        return (self.rows[-1][0], self.rows[-1][6]) if self.rows else (0, FIRST_HASH)

    def add_entry(self, entry: Entry, body: str) -> None:
        at = format_instant(entry.at)
        self.rows.append((entry.number, at, entry.kind, entry.key, body, entry.previous_hash, entry.hash))

    def _selects(self, name: str, labels: Mapping[str, str]) -> bool:
        return is_selected(self.balances[name].budget.selector, labels)


class MemoryLedger(Bookkeeping):
    """The whole law, and no durability. Threads may share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._books = MemoryBooks()
        self._mutex = threading.RLock()

    @contextmanager
    def _transaction(self) -> Iterator[Books]:
        """Nothing is undone: the law puts no row before everything that may fail has been done."""
        with self._mutex:
            yield self._books

    def reservation(self, key: str) -> Reservation | None:
        """See `Ledger.reservation`."""
        holding = self._books.holdings.get(key)
        return None if holding is None else holding.reservation()

    def reservations(self, labels: Mapping[str, str], *, state: State | None = None) -> Sequence[Reservation]:
        """See `Ledger.reservations`."""
        return [holding.reservation() for holding in self._selected(labels) if state is None or holding.state is state]

    def balance(self, budget: str) -> Balance | None:
        """See `Ledger.balance`."""
        return self._books.balances.get(budget)

    def balances(self, labels: Mapping[str, str]) -> Sequence[Balance]:
        """See `Ledger.balances`."""
        with self._mutex:
            return self._books.matching(labels)

    def alerts(self, labels: Mapping[str, str]) -> Sequence[Alert]:
        """See `Ledger.alerts`."""
        names = {balance.budget.name for balance in self.balances(labels)}
        return [mark.alert for mark in list(self._books.all_marks) if mark.alert is not None and mark.budget in names]

    def usage(self, labels: Mapping[str, str]) -> Mapping[str, Usage]:
        """See `Ledger.usage`."""
        with self._mutex:
            keys = {holding.key for holding in self._selected(labels)}
            used: dict[str, Usage] = {}
            for (key, _, _), call in self._books.calls.items():
                if key in keys:
                    used[call.model] = used.get(call.model, NOTHING) + call.usage
            return {model: used[model] for model in sorted(used)}

    def entries(self, *, after: int = 0) -> Iterator[Entry]:
        """See `Ledger.entries`."""
        yield from (read_entry(row) for row in list(self._books.rows[max(0, after) :]))

    def verify(self) -> Sequence[str]:
        """See `Ledger.verify`."""
        with self._mutex:
            books = self._books
            calls = ((key, call) for (key, _, _), call in books.calls.items())
            return check_books(books.rows, books.balances.values(), books.holdings.values(), calls, books.all_marks)

    def close(self) -> None:
        """See `Ledger.close`."""

    def _selected(self, labels: Mapping[str, str]) -> list[Holding]:
        with self._mutex:
            return [each for each in self._books.holdings.values() if is_selected(labels, each.labels)]
