"""The ledger in a PostgreSQL database: for several machines that spend from one budget."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache, partial
from itertools import islice

from bursar.budget import LARGEST_QUANTITY, Alert, is_selected
from bursar.clock import Clock
from bursar.database import load_migrations
from bursar.errors import StoreError
from bursar.ledger import rows
from bursar.ledger.audit import check_books, read_entry
from bursar.ledger.bookkeeping import Bookkeeping
from bursar.ledger.books import Books
from bursar.ledger.checks import check_history_limit
from bursar.ledger.entries import FIRST_HASH
from bursar.ledger.postgres_books import (
    SELECT_HEAD,
    SELECT_STANDINGS,
    PostgresBooks,
    by_run_and_task,
    decode_labels,
    read_balance,
    read_call,
    read_holding,
    read_mark,
    read_standing,
    select_holdings,
)
from bursar.ledger.postgres_connection import Connection, PostgresDatabase, Row
from bursar.ledger.reading import Reading
from bursar.ledger.types import USAGE_KINDS, Entry, Reservation, State
from bursar.usage import NOTHING, Usage

_PAGE = 1000
_HASHES = b"SELECT number, hash FROM entries WHERE number = ANY(%s)"
_USAGE = (
    "SELECT labels, model, sum(input_tokens)::bigint, sum(cache_read_tokens)::bigint,"
    " sum(cache_write_5m_tokens)::bigint, sum(cache_write_1h_tokens)::bigint, sum(output_tokens)::bigint"
    " FROM reservations JOIN calls ON calls.reservation = reservations.id"
)

_read_entry = partial(rows.parse, read_entry)


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
            books = PostgresBooks(connection, is_writing=True)
            yield books
            books.flush()

    @contextmanager
    def _snapshot(self) -> Iterator[Books]:
        with self._database.snapshot() as connection:
            yield PostgresBooks(connection, is_writing=False)

    def reservation(self, key: str) -> Reservation | None:
        """See `Ledger.reservation`."""
        found = self._database.query(f"{rows.SELECT_HOLDINGS} WHERE key = ?", (key,))
        return read_holding(found[0]).reservation() if found else None

    def reservations(self, labels: Mapping[str, str], *, state: State | None = None) -> Sequence[Reservation]:
        """See `Ledger.reservations`."""
        return [each.reservation() for each in select_holdings(self._database.query, labels, state)]

    def alerts(self, labels: Mapping[str, str] | None = None) -> Sequence[Alert]:
        """See `Ledger.alerts`."""
        where, parameters = "level IS NOT NULL", []
        if labels is not None:
            parameters.append([balance.budget.name for balance in self.balances(labels)])
            where += " AND budget = ANY(?)"
        marks = map(read_mark, self._database.query(f"{rows.SELECT_MARKS} WHERE {where} ORDER BY id", parameters))
        return [mark.alert for mark in marks if mark.alert is not None]

    def history(self, limit: int = 100, *, labels: Mapping[str, str] | None = None) -> Sequence[Entry]:
        """See `Ledger.history`."""
        check_history_limit(limit)
        found = list(islice(self._used(labels, min(limit, _PAGE)), limit))
        return [_read_entry(row) for row in reversed(found)]

    def _used(self, labels: Mapping[str, str] | None, page: int) -> Iterator[Row]:
        """Entries of `USAGE_KINDS` on operations that carry all of `labels`, the last one first."""
        select, before = rows.SELECT_ENTRIES if labels is None else rows.SELECT_OPERATIONS, LARGEST_QUANTITY
        sql = f"{select} WHERE number < ? AND kind = ANY(?) ORDER BY number DESC LIMIT {page}"
        while found := self._database.query(sql, (before, list(USAGE_KINDS))):
            for row in found:
                if labels is None or is_selected(labels, decode_labels(row[7])):
                    yield row[:7]
            before = found[-1][0]

    def usage(self, labels: Mapping[str, str]) -> Mapping[str, Usage]:
        """See `Ledger.usage`."""
        where, parameters = by_run_and_task(labels)
        found = self._database.query(f"{_USAGE}{where} GROUP BY labels, model", parameters)
        used: dict[str, Usage] = {}
        for encoded, model, *counters in found:
            if is_selected(labels, decode_labels(encoded)):
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

    def turn(self, name: str, seconds: float) -> AbstractContextManager[None]:
        """A block in which nobody else who uses this ledger is in one of that name, on whatever machine.

        Raises:
            LedgerBusy: somebody else was, for that long.
        """
        return self._database.turn(name, seconds)

    def has_written(self, entries: Sequence[Entry]) -> bool:
        """All of these entries are in the journal. Behind the queue of writers: none of them can still come."""
        if not entries:
            return False
        with self._database.write() as connection:
            rows_there = connection.execute(_HASHES, ([each.number for each in entries],)).fetchall()
        return {(each.number, each.hash) for each in entries} == set(rows_there)

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


def _check_rows(connection: Connection) -> list[str]:
    return check_books(
        _stream(connection, f"{rows.SELECT_ENTRIES} ORDER BY number"),
        map(read_standing, _stream(connection, SELECT_STANDINGS)),
        map(read_holding, _stream(connection, rows.SELECT_HOLDINGS)),
        map(read_call, _stream(connection, rows.SELECT_CALLS)),
        map(read_mark, _stream(connection, f"{rows.SELECT_MARKS} ORDER BY id")),
        map(read_balance, _stream(connection, rows.SELECT_BALANCES)),
        _stream(connection, rows.SELECT_PHASES),
    )


def _check_head(connection: Connection) -> Iterator[str]:
    """The journal ends where its head says: nothing has been cut off."""
    last = connection.execute(b"SELECT number, hash FROM entries ORDER BY number DESC LIMIT 1").fetchone()
    head = connection.execute(SELECT_HEAD.encode()).fetchone()
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
    return (run, task) == rows.run_and_task(decode_labels(labels))


def _stream(connection: Connection, sql: str) -> Iterator[Row]:
    """The rows, a page at a time: a journal need not fit into memory."""
    with connection.cursor(name="bursar") as cursor:
        cursor.itersize = _PAGE
        yield from cursor.execute(sql.encode())
