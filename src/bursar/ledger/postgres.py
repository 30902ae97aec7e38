"""The ledger in a PostgreSQL database: for several machines that spend from one budget."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

from bursar.budget import Alert, Balance, Budget, LastPeriod, is_selected
from bursar.clock import Clock
from bursar.database import load_migrations
from bursar.errors import StoreError
from bursar.ledger import rows
from bursar.ledger.audit import check_books, read_entry
from bursar.ledger.bookkeeping import Bookkeeping
from bursar.ledger.books import Books, Mark, Standing
from bursar.ledger.checks import check_history_limit
from bursar.ledger.entries import FIRST_HASH, encode, format_instant
from bursar.ledger.holding import Holding
from bursar.ledger.port import USAGE_KINDS, CallRecord, Entry, Reservation, State
from bursar.ledger.postgres_connection import Connection, PostgresDatabase, Row, to_postgres
from bursar.ledger.reading import Reading
from bursar.usage import NOTHING, Usage

_PAGE = 1000
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
_PUT_LAST = "UPDATE budgets SET last_period = ? WHERE name = ? AND last_period IS DISTINCT FROM ?"
_USAGE = (
    "SELECT labels, model, sum(input_tokens)::bigint, sum(cache_read_tokens)::bigint,"
    " sum(cache_write_5m_tokens)::bigint, sum(cache_write_1h_tokens)::bigint, sum(output_tokens)::bigint"
    " FROM reservations JOIN calls ON calls.reservation = reservations.id"
)


class PostgresBooks:
    """The rows, on a connection with an open transaction.

    Where it writes, the transaction is the only writer (`PostgresDatabase.write`). Still, each budget is locked before
    it is read, in the order of ids where there are several, and a balance is moved only from the figures that were
    read: a program that writes past the queue can make a write fail, and cannot make it overspend.
    """

    def __init__(self, connection: Connection, *, is_writing: bool) -> None:
        self._connection = connection
        self._is_writing = is_writing
        self._locked: set[str] = set()
        self._figures: dict[tuple[str, str], Row] = {}

    def holding(self, key: str) -> Holding | None:
        row = self._row(f"{rows.SELECT_HOLDINGS} WHERE key = ?", key)
        if row is None:
            return None
        holding = _read_holding(row)
        self._lock_accounts([holding])
        return holding

    def held(self, labels: Mapping[str, str]) -> Sequence[Holding]:
        found = _select_holdings(self._all, labels, State.HELD)
        self._lock_accounts(found)
        return found

    def put_holding(self, holding: Holding, *, is_new: bool) -> None:
        if is_new:
            self._execute(rows.INSERT_HOLDING, *rows.write_holding(holding))
        else:
            self._execute(rows.UPDATE_HOLDING, *rows.write_changed(holding), holding.key)

    def latest_attempt(self, place: str) -> int:
        row = self._row("SELECT max(attempt) FROM reservations WHERE place = ? AND place <> ''", place)
        return (row and row[0]) or 0

    def call(self, key: str, call_id: str, sequence: int) -> CallRecord | None:
        where = " WHERE reservations.key = ? AND sequence = ? AND digest_of(call_id) = digest_of(?)"
        row = self._row(rows.SELECT_CALLS + where, key, sequence, encode(call_id))
        return None if row is None else _read_call(row)[1]

    def add_call(self, key: str, call: CallRecord) -> None:
        self._execute(rows.INSERT_CALL, *_write_call(key, call))

    def standing(self, name: str) -> Standing | None:
        self._lock([name])
        row = self._row(f"{rows.SELECT_STANDINGS} WHERE name = ?", name)
        return None if row is None else self._seen(_read_standing(row))

    def matching(self, labels: Mapping[str, str]) -> Sequence[Standing]:
        """Budgets are found by the run of their selectors; of those few, the rest is compared here."""
        run, task = rows.run_and_task(labels)
        where = " WHERE run IN ('', ?) AND task IN ('', ?)"
        if self._is_writing:
            found = self._all(f"SELECT name, selector FROM budgets{where}", (run, task))
            self._lock([name for name, selector in found if is_selected(_decode_labels(selector), labels)])
        standings = map(_read_standing, self._all(f"{rows.SELECT_STANDINGS}{where} ORDER BY name", (run, task)))
        return [self._seen(each) for each in standings if is_selected(each.budget.selector, labels)]

    def every(self) -> Sequence[Standing]:
        return [self._seen(_read_standing(row)) for row in self._all(f"{rows.SELECT_STANDINGS} ORDER BY name")]

    def balance(self, budget: Budget, period_id: str) -> Balance | None:
        where = " WHERE name = ? AND digest_of(period_id) = digest_of(?)"
        row = self._row(rows.SELECT_BALANCES + where, budget.name, period_id)
        if row is None:
            return None
        balance = _read_balance(row)
        self._remember(balance)
        return balance

    def put_budget(self, budget: Budget, *, is_new: bool) -> None:
        if is_new:
            self._execute(rows.INSERT_BUDGET, *rows.write_budget(budget))
        else:
            self._execute(rows.UPDATE_BUDGET, *rows.write_definition(budget))

    def put_balance(self, balance: Balance) -> None:
        """What was read is what is replaced, or nothing is."""
        name, period, *figures = rows.write_balance(balance)
        was = self._figures.get((name, period))
        if was is None:
            moved = self._execute(_ADD_BALANCE, period, *figures, name)
        else:
            moved = self._execute(_MOVE_BALANCE, *figures, name, period, *was)
        if moved != 1:
            raise StoreError(f"budget `{name}` was changed by a program that is no ledger; nothing was written")
        self._remember(balance)

    def put_last(self, budget: str, last: LastPeriod) -> None:
        self._execute(_PUT_LAST, last.id, budget, last.id)

    def marks(self, budget: str, period: str) -> Collection[int]:
        where = "digest_of(budget) = digest_of(?) AND digest_of(period_id) = digest_of(?)"
        return {row[0] for row in self._all(f"SELECT percent FROM alerts WHERE {where}", (budget, period))}

    def add_mark(self, mark: Mark) -> None:
        self._execute(rows.INSERT_MARK, *rows.write_mark(mark))

    def head(self) -> tuple[int, str]:
        row = self._row("SELECT number, hash FROM head FOR UPDATE" if self._is_writing else _HEAD)
        if row is None:
            raise StoreError("the ledger has lost the end of its journal; nothing was written", hint=_RESTORE)
        return row[0], row[1]

    def add_entry(self, entry: Entry, body: str) -> None:
        at = format_instant(entry.at)
        row = (entry.number, at, entry.kind, entry.key, body, entry.previous_hash, entry.hash)
        self._execute(rows.INSERT_ENTRY, *row)

    def _lock_accounts(self, found: Iterable[Holding]) -> None:
        self._lock([account.budget for holding in found for account in (*holding.accounts, *holding.exempt)])

    def _lock(self, names: Iterable[str]) -> None:
        """The budgets are ours until the transaction ends. A statement of its own: what is read after it is current."""
        unlocked = sorted(set(names) - self._locked)
        if unlocked and self._is_writing:
            self._all(_LOCK, (unlocked,))
            self._locked.update(unlocked)

    def _seen(self, standing: Standing) -> Standing:
        if standing.latest is not None:
            self._remember(standing.latest)
        return standing

    def _remember(self, balance: Balance) -> None:
        name, period, *figures = rows.write_balance(balance)
        self._figures[name, period] = tuple(figures)

    def _execute(self, sql: str, *parameters: Any) -> int:
        return self._connection.execute(to_postgres(sql), parameters).rowcount

    def _all(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(to_postgres(sql), parameters).fetchall()

    def _row(self, sql: str, *parameters: Any) -> Row | None:
        return self._connection.execute(to_postgres(sql), parameters).fetchone()


class PostgresLedger(Bookkeeping, Reading):
    """The whole law, durable as the server is, for processes on any number of machines.

    Threads may share it; a forked child opens its own. A connection that was lost is made again by the next method.
    """

    def __init__(self, database: PostgresDatabase, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @contextmanager
    def _transaction(self) -> Iterator[Books]:
        with self._database.write() as connection:
            yield PostgresBooks(connection, is_writing=True)

    @contextmanager
    def _snapshot(self) -> Iterator[Books]:
        with self._database.snapshot() as connection:
            yield PostgresBooks(connection, is_writing=False)

    def reservation(self, key: str) -> Reservation | None:
        """See `Ledger.reservation`."""
        found = self._database.query(f"{rows.SELECT_HOLDINGS} WHERE key = ?", (key,))
        return _read_holding(found[0]).reservation() if found else None

    def reservations(self, labels: Mapping[str, str], *, state: State | None = None) -> Sequence[Reservation]:
        """See `Ledger.reservations`."""
        return [each.reservation() for each in _select_holdings(self._database.query, labels, state)]

    def alerts(self, labels: Mapping[str, str] | None = None) -> Sequence[Alert]:
        """See `Ledger.alerts`."""
        where, parameters = "level IS NOT NULL", []
        if labels is not None:
            parameters.append([balance.budget.name for balance in self.balances(labels)])
            where += " AND budget = ANY(?)"
        marks = map(_read_mark, self._database.query(f"{rows.SELECT_MARKS} WHERE {where} ORDER BY id", parameters))
        return [mark.alert for mark in marks if mark.alert is not None]

    def history(self, limit: int = 100) -> Sequence[Entry]:
        """See `Ledger.history`."""
        check_history_limit(limit)
        where = "WHERE kind = ANY(?) ORDER BY number DESC LIMIT ?"
        found = self._database.query(f"{rows.SELECT_ENTRIES} {where}", (list(USAGE_KINDS), limit))
        return [_read_entry(row) for row in reversed(found)]

    def usage(self, labels: Mapping[str, str]) -> Mapping[str, Usage]:
        """See `Ledger.usage`."""
        where, parameters = _by_run_and_task(labels)
        found = self._database.query(f"{_USAGE}{where} GROUP BY labels, model", parameters)
        used: dict[str, Usage] = {}
        for encoded, model, *counters in found:
            if is_selected(labels, _decode_labels(encoded)):
                used[model] = used.get(model, NOTHING) + rows.read_usage(tuple(counters))
        return {json.loads(model): used[model] for model in sorted(used, key=json.loads)}

    def entries(self, *, after: int = 0) -> Iterator[Entry]:
        """See `Ledger.entries`. Entries written meanwhile are met at the end."""
        while found := self._database.query(
            f"{rows.SELECT_ENTRIES} WHERE number > ? ORDER BY number LIMIT {_PAGE}", (after,)
        ):
            for row in found:
                yield _read_entry(row)
            after = found[-1][0]

    def verify(self) -> Sequence[str]:
        """See `Ledger.verify`. It reads one state, while others go on writing."""
        try:
            with self._database.snapshot() as connection:
                return [*_check_head(connection), *_check_columns(connection), *_check_rows(connection)]
        except StoreError as error:
            return [error.message]

    def close(self) -> None:
        """See `Ledger.close`."""
        self._database.close()


def open_postgres_ledger(
    url: str, clock: Clock, *, read_only: bool = False, busy_seconds: float = 10.0
) -> PostgresLedger:
    """The ledger in the database of that URL, made where there is none yet.

    Raises:
        UserError: the URL cannot be read.
        StoreError: the server cannot be reached, or the database is foreign or of a later release.
    """
    database = PostgresDatabase(url, _migrations(), read_only=read_only, busy_seconds=busy_seconds)
    return PostgresLedger(database, clock)


@lru_cache(maxsize=1)
def _migrations() -> tuple[str, ...]:
    return load_migrations(__file__, "migrations_postgres")


@lru_cache(maxsize=1024)
def _decode_labels(encoded: str) -> Mapping[str, str]:
    labels: Mapping[str, str] = json.loads(encoded)
    return labels


def _write_call(key: str, call: CallRecord) -> Row:
    """The parameters of `INSERT_CALL`; an agent's texts as JSON, because a text cannot hold every character."""
    key, call_id, sequence, model, *numbers, provenance = rows.write_call(key, call)
    return key, encode(call_id), sequence, encode(model), *numbers, encode(provenance)


def _decoded_call(row: Row) -> tuple[str, CallRecord]:
    key, call_id, sequence, model, *numbers, provenance = row
    return rows.read_call((key, json.loads(call_id), sequence, json.loads(model), *numbers, json.loads(provenance)))


_read_holding = partial(rows.parse, rows.read_holding)
_read_standing = partial(rows.parse, rows.read_standing)
_read_balance = partial(rows.parse, rows.read_balance)
_read_call = partial(rows.parse, _decoded_call)
_read_mark = partial(rows.parse, rows.read_mark)
_read_entry = partial(rows.parse, read_entry)

_HEAD = "SELECT number, hash FROM head"
_RESTORE = "keep a copy of the database, then restore a backup"


def _select_holdings(
    query: Callable[[str, Sequence[str]], Iterable[Row]], labels: Mapping[str, str], state: State | None
) -> list[Holding]:
    """Oldest first; found by run, task and being held, and compared label by label here."""
    where, parameters = _by_run_and_task(labels)
    if state is State.HELD:
        where += " AND state = 'held'"  # spelled out, so that the index of what is held serves
    elif state is not None:
        where += " AND state = ?"
        parameters.append(state.value)
    found = query(f"{rows.SELECT_HOLDINGS}{where} ORDER BY id", parameters)
    return [holding for holding in map(_read_holding, found) if is_selected(labels, holding.labels)]


def _by_run_and_task(labels: Mapping[str, str]) -> tuple[str, list[str]]:
    """A condition that an index can serve, and what it compares with."""
    named = [name for name in ("run", "task") if name in labels]
    return " WHERE TRUE" + "".join(f" AND {name} = ?" for name in named), [labels[name] for name in named]


def _check_rows(connection: Connection) -> list[str]:
    return check_books(
        _stream(connection, f"{rows.SELECT_ENTRIES} ORDER BY number"),
        map(_read_standing, _stream(connection, rows.SELECT_STANDINGS)),
        map(_read_holding, _stream(connection, rows.SELECT_HOLDINGS)),
        map(_read_call, _stream(connection, rows.SELECT_CALLS)),
        map(_read_mark, _stream(connection, rows.SELECT_MARKS)),
        map(_read_balance, _stream(connection, rows.SELECT_BALANCES)),
    )


def _check_head(connection: Connection) -> Iterator[str]:
    """The journal ends where its head says: nothing has been cut off."""
    last = connection.execute(b"SELECT number, hash FROM entries ORDER BY number DESC LIMIT 1").fetchone()
    head = connection.execute(_HEAD.encode()).fetchone()
    if head != (last or (0, FIRST_HASH)):
        yield f"the journal ends with entry {last and last[0]}, but its head is entry {head and head[0]}"


def _check_columns(connection: Connection) -> Iterator[str]:
    """The columns that rows are found by say the same as the labels they were taken from."""
    for kind, sql in (
        ("budget", "SELECT name, selector, run, task FROM budgets"),
        ("reservation", "SELECT key, labels, run, task FROM reservations"),
    ):
        for row in _stream(connection, sql):
            if not rows.parse(_is_filed_right, row):
                yield f"{kind} `{row[0]}` is filed under another run or task than its labels say"


def _is_filed_right(row: Row) -> bool:
    _, labels, run, task = row
    return (run, task) == rows.run_and_task(_decode_labels(labels))


def _stream(connection: Connection, sql: str) -> Iterator[Row]:
    """The rows, a page at a time: a journal need not fit into memory."""
    with connection.cursor(name="bursar") as cursor:
        cursor.itersize = _PAGE
        yield from cursor.execute(sql.encode())
