"""The rows of a ledger on PostgreSQL, within one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from bursar.budget import Balance, Budget, LastPeriod, is_selected
from bursar.errors import StoreError
from bursar.ledger import rows
from bursar.ledger.books import Mark, PhaseSum, Standing
from bursar.ledger.entries import encode, format_instant
from bursar.ledger.holding import Holding
from bursar.ledger.postgres_connection import Connection, Cursor, Row, to_postgres, together
from bursar.ledger.types import CallRecord, Entry, State

_FIGURES = "spent, reserved, metered, unpriced, exempt"

_LOCK = "SELECT id FROM budgets WHERE name = ANY(?) ORDER BY id FOR UPDATE"
_ADD_BALANCE = (
    f"INSERT INTO balances (budget, period_id, {_FIGURES}) SELECT id, ?, ?, ?, ?, ?, ? FROM budgets WHERE name = ?"
)
_MOVE_BALANCE = (
    f"UPDATE balances SET ({_FIGURES}) = (?, ?, ?, ?, ?)"
    f" WHERE budget = (SELECT id FROM budgets WHERE name = ?) AND digest_of(period_id) = digest_of(?)"
    f" AND ({_FIGURES}) = (?, ?, ?, ?, ?)"
)
SELECT_STANDINGS = f"{rows.SELECT_STANDINGS} AND digest_of(balances.period_id) = digest_of(budgets.last_period)"
_PUT_LAST = "UPDATE budgets SET last_period = ? WHERE name = ? AND last_period IS DISTINCT FROM ?"
_IN_FORCE = "digest_of(budget) = digest_of(?) AND digest_of(period_id) = digest_of(?) AND is_over = 0"
_THE_PHASE = "digest_of(session) = digest_of(?) AND digest_of(phase) = digest_of(?)"
SELECT_HEAD = "SELECT number, hash FROM head"
_RESTORE = "keep a copy of the database, then restore a backup"


class PostgresBooks:
    """The rows, on a connection with an open transaction.

    Where it writes, the transaction is the only writer (`PostgresDatabase.write`). Still, each budget is locked before
    it is read, in the order of ids where there are several, and a balance is moved only from the figures that were
    read: a program that writes past the queue can make a write fail, and cannot make it overspend.

    Everybody else waits meanwhile, and most of a transaction's time is the way to the server and back. So what has no
    answer goes together with the next statement that has one, or with `flush`.
    """

    def __init__(self, connection: Connection, *, is_writing: bool) -> None:
        self._connection = connection
        self._is_writing = is_writing
        self._waiting: list[_Waiting] = []
        self._locked: set[str] = set()
        self._figures: dict[tuple[str, str], Row] = {}
        self._head: tuple[int, str] | None = None
        if is_writing:
            self._later(f"{SELECT_HEAD} FOR UPDATE", then=self._take_head)

    def flush(self) -> None:
        """Everything that was put has been put."""
        if self._waiting:
            self._all("SELECT")

    def holding(self, key: str) -> Holding | None:
        row = self._row(f"{rows.SELECT_HOLDINGS} WHERE key = ?", key)
        if row is None:
            return None
        holding = read_holding(row)
        self._lock_accounts([holding])
        return holding

    def held(self, labels: Mapping[str, str]) -> Sequence[Holding]:
        found = select_holdings(self._all, labels, State.HELD)
        self._lock_accounts(found)
        return found

    def put_holding(self, holding: Holding, *, is_new: bool) -> None:
        if is_new:
            self._later(rows.INSERT_HOLDING, *rows.write_holding(holding))
        else:
            self._later(rows.UPDATE_HOLDING, *rows.write_changed(holding), holding.key)

    def latest_attempt(self, place: str) -> int:
        row = self._row("SELECT max(attempt) FROM reservations WHERE place = ? AND place <> ''", place)
        return (row and row[0]) or 0

    def call(self, key: str, call_id: str, sequence: int) -> CallRecord | None:
        where = " WHERE reservations.key = ? AND sequence = ? AND digest_of(call_id) = digest_of(?)"
        row = self._row(rows.SELECT_CALLS + where, key, sequence, encode(call_id))
        return None if row is None else read_call(row)[1]

    def add_call(self, key: str, call: CallRecord) -> None:
        self._later(rows.INSERT_CALL, *_write_call(key, call))

    def standing(self, name: str) -> Standing | None:
        self._lock([name])
        row = self._row(f"{SELECT_STANDINGS} WHERE name = ?", name)
        return None if row is None else self._seen(read_standing(row))

    def matching(self, labels: Mapping[str, str]) -> Sequence[Standing]:
        """Budgets are found by the run and the task of their selectors; of those few, the rest is compared here."""
        run, task = rows.run_and_task(labels)
        where = " WHERE run IN ('', ?) AND task IN ('', ?)"
        if self._is_writing:
            self._later(f"SELECT id FROM budgets{where} ORDER BY id FOR UPDATE", run, task)
        found = list(map(read_standing, self._all(f"{SELECT_STANDINGS}{where} ORDER BY name", (run, task))))
        self._locked.update(each.budget.name for each in found)
        return [self._seen(each) for each in found if is_selected(each.budget.selector, labels)]

    def every(self) -> Sequence[Standing]:
        return [self._seen(read_standing(row)) for row in self._all(f"{SELECT_STANDINGS} ORDER BY name")]

    def balance(self, budget: Budget, period_id: str) -> Balance | None:
        where = " WHERE name = ? AND digest_of(period_id) = digest_of(?)"
        row = self._row(rows.SELECT_BALANCES + where, budget.name, period_id)
        if row is None:
            return None
        balance = read_balance(row)
        self._remember(balance)
        return balance

    def put_budget(self, budget: Budget, *, is_new: bool) -> None:
        if is_new:
            self._later(rows.INSERT_BUDGET, *rows.write_budget(budget))
        else:
            self._later(rows.UPDATE_BUDGET, *rows.write_definition(budget))

    def put_balance(self, balance: Balance) -> None:
        """What was read is what is replaced, or nothing is."""
        name, period, *figures = rows.write_balance(balance)
        was = self._figures.get((name, period))
        if was is None:
            self._later(_ADD_BALANCE, period, *figures, name, then=_check_moved)
        else:
            self._later(_MOVE_BALANCE, *figures, name, period, *was, then=_check_moved)
        self._remember(balance)

    def put_last(self, budget: str, last: LastPeriod) -> None:
        self._later(_PUT_LAST, last.id, budget, last.id)

    def marks(self, budget: str, period: str) -> Collection[int]:
        return {row[0] for row in self._all(f"SELECT percent FROM alerts WHERE {_IN_FORCE}", (budget, period))}

    def marked(self, budget: str) -> Collection[tuple[str, int]]:
        where = "digest_of(budget) = digest_of(?) AND is_over = 0 ORDER BY id"
        return [
            (row[0], row[1]) for row in self._all(f"SELECT period_id, percent FROM alerts WHERE {where}", (budget,))
        ]

    def rearm(self, budget: str, period: str, percent: int) -> None:
        self._later(f"UPDATE alerts SET is_over = 1 WHERE {_IN_FORCE} AND percent = ?", budget, period, percent)

    def add_mark(self, mark: Mark) -> None:
        self._later(rows.INSERT_MARK, *rows.write_mark(mark))

    def phase(self, session: str, phase: str) -> PhaseSum | None:
        row = self._row(f"{rows.SELECT_PHASES} WHERE {_THE_PHASE}", session, phase)
        return None if row is None else _read_phase(row)

    def phases(self, session: str) -> Sequence[PhaseSum]:
        found = self._all(f"{rows.SELECT_PHASES} WHERE digest_of(session) = digest_of(?) ORDER BY first", (session,))
        return list(map(_read_phase, found))

    def put_phase(self, phase: PhaseSum, *, is_new: bool) -> None:
        if is_new:
            self._later(rows.INSERT_PHASE, *rows.write_phase(phase))
        else:
            self._later(f"UPDATE phases SET tokens = ? WHERE {_THE_PHASE}", phase.tokens, phase.session, phase.phase)

    def head(self) -> tuple[int, str]:
        if self._head is None:
            self._later(SELECT_HEAD, then=self._take_head)
            self.flush()
        assert self._head is not None
        return self._head

    def add_entry(self, entry: Entry, body: str) -> None:
        at = format_instant(entry.at)
        row = (entry.number, at, entry.kind, entry.key, body, entry.previous_hash, entry.hash)
        self._later(rows.INSERT_ENTRY, *row)
        self._head = entry.number, entry.hash

    def _take_head(self, cursor: Cursor) -> None:
        row = cursor.fetchone()
        if row is None:
            raise StoreError("the ledger has lost the end of its journal; nothing was written", hint=_RESTORE)
        self._head = row[0], row[1]

    def _lock_accounts(self, found: Iterable[Holding]) -> None:
        self._lock([account.budget for holding in found for account in (*holding.accounts, *holding.exempt)])

    def _lock(self, names: Iterable[str]) -> None:
        """The budgets are ours until the transaction ends. A statement of its own: what is read after it is current."""
        unlocked = sorted(set(names) - self._locked)
        if unlocked and self._is_writing:
            self._later(_LOCK, unlocked)
            self._locked.update(unlocked)

    def _seen(self, standing: Standing) -> Standing:
        if standing.latest is not None:
            self._remember(standing.latest)
        return standing

    def _remember(self, balance: Balance) -> None:
        name, period, *figures = rows.write_balance(balance)
        self._figures[name, period] = tuple(figures)

    def _later(self, sql: str, *parameters: Any, then: Callable[[Cursor], None] | None = None) -> None:
        self._waiting.append(_Waiting(to_postgres(sql), parameters, then))

    def _row(self, sql: str, *parameters: Any) -> Row | None:
        return next(iter(self._all(sql, parameters)), None)

    def _all(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows, after everything that waited, in the order in which it was put."""
        waiting, self._waiting = self._waiting, []
        with together(self._connection) if waiting else nullcontext():
            done = [(each, self._connection.execute(each.sql, each.parameters)) for each in waiting]
            cursor = self._connection.execute(to_postgres(sql), parameters)
        for each, its_cursor in done:
            if each.then is not None:
                each.then(its_cursor)
        return cursor.fetchall()


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A statement that goes with the next one; `then` looks at what became of it."""

    sql: bytes
    parameters: Row
    then: Callable[[Cursor], None] | None


def _check_moved(cursor: Cursor) -> None:
    if cursor.rowcount != 1:
        raise StoreError("a balance was changed by a program that is no ledger; nothing was written")


def select_holdings(
    query: Callable[[str, Sequence[str]], Iterable[Row]], labels: Mapping[str, str], state: State | None
) -> list[Holding]:
    """Oldest first; found by run, task and being held, and compared label by label here."""
    where, parameters = by_run_and_task(labels)
    if state is State.HELD:
        where += " AND state = 'held'"  # spelled out, so that the index of what is held serves
    elif state is not None:
        where += " AND state = ?"
        parameters.append(state.value)
    found = query(f"{rows.SELECT_HOLDINGS}{where} ORDER BY id", parameters)
    return [holding for holding in map(read_holding, found) if is_selected(labels, holding.labels)]


def by_run_and_task(labels: Mapping[str, str]) -> tuple[str, list[str]]:
    """A condition that an index can serve, and what it compares with."""
    named = [name for name in ("run", "task") if name in labels]
    return " WHERE TRUE" + "".join(f" AND {name} = ?" for name in named), [labels[name] for name in named]


@lru_cache(maxsize=1024)
def decode_labels(encoded: str) -> Mapping[str, str]:
    labels: Mapping[str, str] = json.loads(encoded)
    return labels


def _write_call(key: str, call: CallRecord) -> Row:
    """The parameters of `INSERT_CALL`; an agent's texts as JSON, because a text cannot hold every character."""
    key, call_id, sequence, model, *numbers, provenance = rows.write_call(key, call)
    return key, encode(call_id), sequence, encode(model), *numbers, encode(provenance)


def _decoded_call(row: Row) -> tuple[str, CallRecord]:
    key, call_id, sequence, model, *numbers, provenance = row
    return rows.read_call((key, json.loads(call_id), sequence, json.loads(model), *numbers, json.loads(provenance)))


read_holding = partial(rows.parse, rows.read_holding)
read_standing = partial(rows.parse, rows.read_standing)
read_balance = partial(rows.parse, rows.read_balance)
read_call = partial(rows.parse, _decoded_call)
read_mark = partial(rows.parse, rows.read_mark)
_read_phase = partial(rows.parse, rows.read_phase)
