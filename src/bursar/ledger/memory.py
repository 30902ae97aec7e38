"""A ledger that lives as long as its process: for tests, dry runs and programs that keep no books."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from bursar.budget import Alert, Balance, Budget, LastPeriod, is_selected
from bursar.clock import Clock
from bursar.ledger.bookkeeping import Bookkeeping
from bursar.ledger.books import Books, Mark, PhaseSum, Standing
from bursar.ledger.checks import check_history_limit
from bursar.ledger.entries import FIRST_HASH, RawEntry, format_instant, read_entry
from bursar.ledger.holding import Account, Holding
from bursar.ledger.reading import Reading
from bursar.ledger.types import USAGE_KINDS, CallRecord, Entry, Reservation, State
from bursar.usage import NOTHING, Usage


class MemoryBooks:
    """The rows as dictionaries."""

    def __init__(self) -> None:
        self.holdings: dict[str, Holding] = {}
        self.definitions: dict[str, Budget] = {}
        self.latest: dict[str, str] = {}
        self.balances: dict[Account, Balance] = {}
        self.attempts: dict[str, int] = {}
        self.calls: dict[tuple[str, str, int], CallRecord] = {}
        self.all_marks: list[Mark] = []
        self.marked_percents: dict[Account, set[int]] = {}
        self.all_phases: dict[tuple[str, str], PhaseSum] = {}
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

    def held(self, labels: Mapping[str, str]) -> Sequence[Holding]:
        open_ones = (each for each in self.holdings.values() if each.state is State.HELD)
        return [each for each in open_ones if is_selected(labels, each.labels)]

    def standing(self, name: str) -> Standing | None:
        budget = self.definitions.get(name)
        if budget is None:
            return None
        latest = self.latest.get(name)
        return Standing(budget, None if latest is None else self.balance(budget, latest))

    def matching(self, labels: Mapping[str, str]) -> Sequence[Standing]:
        return [each for each in self.every() if is_selected(each.budget.selector, labels)]

    def every(self) -> Sequence[Standing]:
        found = (self.standing(name) for name in sorted(self.definitions))
        return [standing for standing in found if standing is not None]

    def balance(self, budget: Budget, period_id: str) -> Balance | None:
        kept = self.balances.get(Account(budget.name, period_id))
        return None if kept is None else replace(kept, budget=budget)

    def put_budget(self, budget: Budget, *, is_new: bool) -> None:
        assert is_new is (budget.name not in self.definitions)
        self.definitions[budget.name] = budget

    def put_balance(self, balance: Balance) -> None:
        self.balances[Account(balance.budget.name, balance.period_id)] = balance

    def put_last(self, budget: str, last: LastPeriod) -> None:
        self.latest[budget] = last.id

    def marks(self, budget: str, period: str) -> Collection[int]:
        return self.marked_percents.get(Account(budget, period), set())

    def marked(self, budget: str) -> Collection[tuple[str, int]]:
        return [(each.period_id, each.percent) for each in self.all_marks if each.budget == budget and not each.is_over]

    def rearm(self, budget: str, period: str, percent: int) -> None:
        name = (budget, period, percent)
        self.marked_percents[Account(budget, period)].discard(percent)
        self.all_marks = [
            each._replace(is_over=True) if (each.budget, each.period_id, each.percent) == name else each
            for each in self.all_marks
        ]

    def add_mark(self, mark: Mark) -> None:
        self.all_marks.append(mark)
        self.marked_percents.setdefault(Account(mark.budget, mark.period_id), set()).add(mark.percent)

    def phase(self, session: str, phase: str) -> PhaseSum | None:
        return self.all_phases.get((session, phase))

    def phases(self, session: str) -> Sequence[PhaseSum]:
        return [each for each in self.all_phases.values() if each.session == session]

    def put_phase(self, phase: PhaseSum, *, is_new: bool) -> None:
        assert is_new is ((phase.session, phase.phase) not in self.all_phases)
        self.all_phases[phase.session, phase.phase] = phase

    def head(self) -> tuple[int, str]:
        return (self.rows[-1][0], self.rows[-1][6]) if self.rows else (0, FIRST_HASH)

    def add_entry(self, entry: Entry, body: str) -> None:
        at = format_instant(entry.at)
        self.rows.append((entry.number, at, entry.kind, entry.key, body, entry.previous_hash, entry.hash))


class MemoryLedger(Bookkeeping, Reading):
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

    @contextmanager
    def _snapshot(self) -> Iterator[Books]:
        with self._mutex:
            yield self._books

    def alerts(self, labels: Mapping[str, str] | None = None) -> Sequence[Alert]:
        """See `Ledger.alerts`."""
        fired = [mark.alert for mark in list(self._books.all_marks) if mark.alert is not None]
        if labels is None:
            return fired
        names = {balance.budget.name for balance in self.balances(labels)}
        return [alert for alert in fired if alert.budget in names]

    def history(self, limit: int = 100, *, labels: Mapping[str, str] | None = None) -> Sequence[Entry]:
        """See `Ledger.history`."""
        check_history_limit(limit)
        keys = None if labels is None else {holding.key for holding in self._selected(labels)}
        found = [row for row in list(self._books.rows) if row[2] in USAGE_KINDS and (keys is None or row[3] in keys)]
        return [read_entry(row) for row in found[-limit:]]

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
        from bursar.ledger.audit import check_books  # here, because what it needs takes long to import

        with self._mutex:
            books = self._books
            calls = ((key, call) for (key, _, _), call in books.calls.items())
            balances = (replace(each, budget=books.definitions[name]) for (name, _), each in books.balances.items())
            holdings = books.holdings.values()
            phases = books.all_phases.values()
            return check_books(books.rows, books.every(), holdings, calls, books.all_marks, balances, phases)

    def close(self) -> None:
        """See `Ledger.close`."""

    def _selected(self, labels: Mapping[str, str]) -> list[Holding]:
        with self._mutex:
            return [each for each in self._books.holdings.values() if is_selected(labels, each.labels)]
