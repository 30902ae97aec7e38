"""The ledger in one SQLite file: the embedded default."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from types import TracebackType

import apsw

from bursar.budget import Alert, Balance, Budget, LastPeriod, is_selected
from bursar.clock import Clock
from bursar.database import Database, load_migrations, open_database
from bursar.errors import StoreError
from bursar.ledger import rows
from bursar.ledger.bookkeeping import Bookkeeping
from bursar.ledger.books import Books, Mark, Standing
from bursar.ledger.checks import check_history_limit
from bursar.ledger.entries import FIRST_HASH, format_instant, read_entry
from bursar.ledger.holding import Holding
from bursar.ledger.port import USAGE_KINDS, CallRecord, Entry, Reservation, State
from bursar.ledger.reading import Reading
from bursar.usage import NOTHING, Usage

APPLICATION_ID = 0x62_4C_65_64  # "bLed"
_PAGE = 1000

_read_holding = partial(rows.parse, rows.read_holding)
_read_standing = partial(rows.parse, rows.read_standing)
_read_balance = partial(rows.parse, rows.read_balance)
_read_call = partial(rows.parse, rows.read_call)
_read_mark = partial(rows.parse, rows.read_mark)
_read_entry = partial(rows.parse, read_entry)


class SqliteBooks:
    """The rows, on a connection with an open transaction. Every statement finds its rows by an index."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._last: dict[str, str] = {}  # periods that are known to be the latest of budgets

    def holding(self, key: str) -> Holding | None:
        row = self._row(f"{rows.SELECT_HOLDINGS} WHERE key = ?", key)
        return None if row is None else _read_holding(row)

    def put_holding(self, holding: Holding, *, is_new: bool) -> None:
        if is_new:
            self._connection.execute(rows.INSERT_HOLDING, rows.write_holding(holding))
        else:
            self._connection.execute(rows.UPDATE_HOLDING, (*rows.write_changed(holding), holding.key))

    def latest_attempt(self, place: str) -> int:
        row = self._row("SELECT max(attempt) FROM reservations WHERE place = ? AND place <> ''", place)
        return (row and row[0]) or 0

    def call(self, key: str, call_id: str, sequence: int) -> CallRecord | None:
        where = " WHERE reservations.key = ? AND call_id = ? AND sequence = ?"
        row = self._row(rows.SELECT_CALLS + where, key, call_id, sequence)
        return None if row is None else _read_call(row)[1]

    def add_call(self, key: str, call: CallRecord) -> None:
        self._connection.execute(rows.INSERT_CALL, rows.write_call(key, call))

    def held(self, labels: Mapping[str, str]) -> Sequence[Holding]:
        return _select_holdings(self._connection.execute, labels, State.HELD)

    def standing(self, name: str) -> Standing | None:
        row = self._row(f"{rows.SELECT_STANDINGS} WHERE name = ?", name)
        return None if row is None else _read_standing(row)

    def matching(self, labels: Mapping[str, str]) -> Sequence[Standing]:
        """Budgets are found by the run and the task of their selectors; of those few, the rest is compared here."""
        run, task = rows.run_and_task(labels)
        found = self._connection.execute(
            f"{rows.SELECT_STANDINGS} WHERE run IN ('', ?) AND task IN ('', ?) ORDER BY name", (run, task)
        )
        standings = [each for each in map(_read_standing, found) if is_selected(each.budget.selector, labels)]
        self._last = {each.budget.name: each.latest.period_id for each in standings if each.latest is not None}
        return standings

    def every(self) -> Sequence[Standing]:
        return list(map(_read_standing, self._connection.execute(f"{rows.SELECT_STANDINGS} ORDER BY name")))

    def balance(self, budget: Budget, period_id: str) -> Balance | None:
        row = self._row(f"{rows.SELECT_BALANCES} WHERE name = ? AND period_id = ?", budget.name, period_id)
        return None if row is None else _read_balance(row)

    def put_budget(self, budget: Budget, *, is_new: bool) -> None:
        if is_new:
            self._connection.execute(rows.INSERT_BUDGET, rows.write_budget(budget))
        else:
            self._connection.execute(rows.UPDATE_BUDGET, rows.write_definition(budget))

    def put_balance(self, balance: Balance) -> None:
        self._connection.execute(rows.PUT_BALANCE, rows.write_balance(balance))

    def put_last(self, budget: str, last: LastPeriod) -> None:
        if self._last.get(budget) != last.id:
            self._connection.execute(rows.UPDATE_LAST_PERIOD, (last.id, budget, last.id))
            self._last[budget] = last.id

    def marks(self, budget: str, period: str) -> Collection[int]:
        found = self._connection.execute(
            "SELECT percent FROM alerts WHERE budget = ? AND period_id = ?", (budget, period)
        )
        return {row[0] for row in found}

    def add_mark(self, mark: Mark) -> None:
        self._connection.execute(rows.INSERT_MARK, rows.write_mark(mark))

    def head(self) -> tuple[int, str]:
        row = self._row("SELECT number, hash FROM entries ORDER BY number DESC LIMIT 1")
        return (0, FIRST_HASH) if row is None else (row[0], row[1])

    def add_entry(self, entry: Entry, body: str) -> None:
        at = format_instant(entry.at)
        row = (entry.number, at, entry.kind, entry.key, body, entry.previous_hash, entry.hash)
        self._connection.execute(rows.INSERT_ENTRY, row)

    def _row(self, sql: str, *parameters: str | int) -> rows.Row | None:
        for row in self._connection.execute(sql, parameters).fetchall():
            return row
        return None


class SqliteLedger(Bookkeeping, Reading):
    """The whole law, durable: what a method has answered survives a kill and a power cut.

    Threads may share it; a forked child opens its own.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def _transaction(self) -> _Transaction:
        return _Transaction(self._database)

    @contextmanager
    def _snapshot(self) -> Iterator[Books]:
        with self._database.snapshot() as connection:
            yield SqliteBooks(connection)

    def reservation(self, key: str) -> Reservation | None:
        """See `Ledger.reservation`."""
        found = self._database.query(f"{rows.SELECT_HOLDINGS} WHERE key = ?", (key,))
        return _read_holding(found[0]).reservation() if found else None

    def reservations(self, labels: Mapping[str, str], *, state: State | None = None) -> Sequence[Reservation]:
        """See `Ledger.reservations`."""
        return [each.reservation() for each in _select_holdings(self._database.query, labels, state)]

    def alerts(self, labels: Mapping[str, str] | None = None) -> Sequence[Alert]:
        """See `Ledger.alerts`."""
        where, names = "level IS NOT NULL", []
        if labels is not None:
            names = [balance.budget.name for balance in self.balances(labels)]
            where += f" AND budget IN ({', '.join('?' * len(names))})"
        marks = map(_read_mark, self._database.query(f"{rows.SELECT_MARKS} WHERE {where} ORDER BY id", names))
        return [mark.alert for mark in marks if mark.alert is not None]

    def history(self, limit: int = 100) -> Sequence[Entry]:
        """See `Ledger.history`."""
        check_history_limit(limit)
        kinds = ", ".join("?" * len(USAGE_KINDS))
        found = self._database.query(
            f"{rows.SELECT_ENTRIES} WHERE kind IN ({kinds}) ORDER BY number DESC LIMIT ?", (*USAGE_KINDS, limit)
        )
        return [_read_entry(row) for row in reversed(found)]

    def usage(self, labels: Mapping[str, str]) -> Mapping[str, Usage]:
        """See `Ledger.usage`."""
        where, parameters = _by_run_and_task(labels)
        found = self._database.query(
            "SELECT labels, model, sum(input_tokens), sum(cache_read_tokens), sum(cache_write_5m_tokens),"
            " sum(cache_write_1h_tokens), sum(output_tokens)"
            " FROM reservations JOIN calls ON calls.reservation = reservations.id"
            f" WHERE {' AND '.join(where)} GROUP BY labels, model ORDER BY model",
            parameters,
        )
        used: dict[str, Usage] = {}
        for encoded, model, *counters in found:
            if is_selected(labels, _decode_labels(encoded)):
                used[model] = used.get(model, NOTHING) + rows.read_usage(tuple(counters))
        return used

    def entries(self, *, after: int = 0) -> Iterator[Entry]:
        """See `Ledger.entries`. Entries written meanwhile are met at the end."""
        while found := self._database.query(
            f"{rows.SELECT_ENTRIES} WHERE number > ? ORDER BY number LIMIT {_PAGE}", (after,)
        ):
            for row in found:
                yield _read_entry(row)
            after = found[-1][0]

    def verify(self) -> Sequence[str]:
        """See `Ledger.verify`. What SQLite itself finds wrong with the file comes first."""
        problems = self._database.check()
        if problems:
            return problems
        try:
            return self._check_rows()
        except StoreError as error:
            return [error.message]

    def _check_rows(self) -> list[str]:
        from bursar.ledger.audit import check_books  # here, because what it needs takes long to import

        with self._database.snapshot() as connection:
            problems = list(_check_columns(connection))
            problems += check_books(
                connection.execute(f"{rows.SELECT_ENTRIES} ORDER BY number"),
                map(_read_standing, connection.execute(rows.SELECT_STANDINGS)),
                connection.execute(rows.SELECT_HOLDINGS),
                connection.execute(rows.SELECT_CALLS),
                map(_read_mark, connection.execute(rows.SELECT_MARKS)),
                map(_read_balance, connection.execute(rows.SELECT_BALANCES)),
            )
        return problems

    def close(self) -> None:
        """See `Ledger.close`."""
        self._database.close()


class _Transaction:
    """A `with` block that is one write transaction."""

    def __init__(self, database: Database) -> None:
        self._write = database.write()

    def __enter__(self) -> Books:
        return SqliteBooks(self._write.__enter__())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write.__exit__(kind, error, trace)


def open_ledger(
    path: str | os.PathLike[str], clock: Clock, *, read_only: bool = False, busy_seconds: float = 10.0
) -> SqliteLedger:
    """The ledger at `path`, made where there is none and never was one.

    Raises:
        StoreError: it is corrupt, foreign, lost, of a later release, not ours, or reached through a symlink.
    """
    database = open_database(
        path,
        migrations=_migrations(),
        application_id=APPLICATION_ID,
        read_only=read_only,
        busy_seconds=busy_seconds,
    )
    return SqliteLedger(database, clock)


@lru_cache(maxsize=1)
def _migrations() -> tuple[str, ...]:
    return load_migrations(__file__)


@lru_cache(maxsize=1024)
def _decode_labels(encoded: str) -> Mapping[str, str]:
    labels: Mapping[str, str] = json.loads(encoded)
    return labels


def _select_holdings(
    query: Callable[[str, Sequence[str]], Iterable[rows.Row]], labels: Mapping[str, str], state: State | None
) -> list[Holding]:
    """Oldest first; found by run, task and being held, and compared label by label here."""
    where, parameters = _by_run_and_task(labels)
    if state is State.HELD:
        where.append("state = 'held'")  # spelled out, so that the index of what is held serves
    elif state is not None:
        where.append("state = ?")
        parameters.append(state.value)
    found = query(f"{rows.SELECT_HOLDINGS} WHERE {' AND '.join(where)} ORDER BY id", parameters)
    return [holding for holding in map(_read_holding, found) if is_selected(labels, holding.labels)]


def _by_run_and_task(labels: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Conditions that an index can serve, and what they compare with."""
    where, parameters = ["1"], []
    for name in ("run", "task"):
        if name in labels:
            where.append(f"{name} = ?")
            parameters.append(labels[name])
    return where, parameters


def _check_columns(connection: apsw.Connection) -> Iterator[str]:
    """The columns that budgets are found by say the same as their selectors. (Of reservations all is compared.)"""
    for row in connection.execute("SELECT name, selector, run, task FROM budgets"):
        if not rows.parse(_is_filed_right, row):
            yield f"budget `{row[0]}` is filed under another run or task than its labels say"


def _is_filed_right(row: rows.Row) -> bool:
    _, labels, run, task = row
    return (run, task) == rows.run_and_task(_decode_labels(labels))
