"""The ledger in one SQLite file: the embedded default."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import islice
from types import TracebackType

import apsw

from bursar.budget import LARGEST_QUANTITY, Alert, is_selected
from bursar.clock import Clock
from bursar.database import Database, load_migrations, open_database
from bursar.errors import StoreError
from bursar.ledger import rows
from bursar.ledger.bookkeeping import Bookkeeping
from bursar.ledger.books import Books
from bursar.ledger.checks import check_history_limit
from bursar.ledger.entries import read_entry
from bursar.ledger.reading import Reading
from bursar.ledger.sqlite_books import (
    Known,
    SqliteBooks,
    by_run_and_task,
    read_balance,
    read_holding,
    read_standing,
    select_holdings,
)
from bursar.ledger.types import USAGE_KINDS, Entry, Reservation, State
from bursar.usage import NOTHING, Usage

APPLICATION_ID = 0x62_4C_65_64  # "bLed"
_PAGE = 1000

_read_mark = partial(rows.parse, rows.read_mark)
_read_entry = partial(rows.parse, read_entry)


class SqliteLedger(Bookkeeping, Reading):
    """The whole law, durable: what a method has answered survives a kill and a power cut.

    Threads may share it; a forked child opens its own.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known = Known()

    def _transaction(self) -> _Transaction:
        return _Transaction(self)

    @contextmanager
    def _snapshot(self) -> Iterator[Books]:
        with self._database.snapshot() as connection:
            yield SqliteBooks(connection, Known())

    def reservation(self, key: str) -> Reservation | None:
        """See `Ledger.reservation`."""
        found = self._database.query(f"{rows.SELECT_HOLDINGS} WHERE key = ?", (key,))
        return read_holding(found[0]).reservation() if found else None

    def reservations(self, labels: Mapping[str, str], *, state: State | None = None) -> Sequence[Reservation]:
        """See `Ledger.reservations`."""
        return [each.reservation() for each in select_holdings(self._database.query, labels, state)]

    def alerts(self, labels: Mapping[str, str] | None = None) -> Sequence[Alert]:
        """See `Ledger.alerts`."""
        where, names = "level IS NOT NULL", []
        if labels is not None:
            names = [balance.budget.name for balance in self.balances(labels)]
            where += f" AND budget IN ({', '.join('?' * len(names))})"
        marks = map(_read_mark, self._database.query(f"{rows.SELECT_MARKS} WHERE {where} ORDER BY id", names))
        return [mark.alert for mark in marks if mark.alert is not None]

    def history(self, limit: int = 100, *, labels: Mapping[str, str] | None = None) -> Sequence[Entry]:
        """See `Ledger.history`."""
        check_history_limit(limit)
        found = list(islice(self._used(labels, min(limit, _PAGE)), limit))
        return [_read_entry(row) for row in reversed(found)]

    def _used(self, labels: Mapping[str, str] | None, page: int) -> Iterator[rows.Row]:
        """Entries of `USAGE_KINDS` on operations that carry all of `labels`, the last one first."""
        kinds, before = ", ".join("?" * len(USAGE_KINDS)), LARGEST_QUANTITY
        select = rows.SELECT_ENTRIES if labels is None else rows.SELECT_OPERATIONS
        sql = f"{select} WHERE number < ? AND kind IN ({kinds}) ORDER BY number DESC LIMIT {page}"
        while found := self._database.query(sql, (before, *USAGE_KINDS)):
            for row in found:
                if labels is None or is_selected(labels, _decode_labels(row[7])):
                    yield row[:7]
            before = found[-1][0]

    def usage(self, labels: Mapping[str, str]) -> Mapping[str, Usage]:
        """See `Ledger.usage`."""
        where, parameters = by_run_and_task(labels)
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
        problems: list[str] = []
        with self._database.checking() as checking:
            try:
                problems = self._check_rows()
            except StoreError as error:
                problems = [error.message]
        return checking.problems or problems

    def _check_rows(self) -> list[str]:
        from bursar.ledger.audit import check_books  # here, because what it needs takes long to import

        with self._database.snapshot() as connection:
            problems = list(_check_columns(connection))
            problems += check_books(
                connection.execute(f"{rows.SELECT_ENTRIES} ORDER BY number"),
                map(read_standing, connection.execute(rows.SELECT_STANDINGS)),
                connection.execute(rows.SELECT_HOLDINGS),
                connection.execute(rows.SELECT_CALLS),
                map(_read_mark, connection.execute(f"{rows.SELECT_MARKS} ORDER BY id")),
                map(read_balance, connection.execute(rows.SELECT_BALANCES)),
                connection.execute(rows.SELECT_PHASES),
            )
        return problems

    def close(self) -> None:
        """See `Ledger.close`."""
        self._database.close()


class _Transaction:
    """A `with` block that is one write transaction. What it has read and written is known to the next one."""

    def __init__(self, ledger: SqliteLedger) -> None:
        self._ledger = ledger
        self._write = ledger._database.write()

    def __enter__(self) -> Books:
        ledger, connection = self._ledger, self._write.__enter__()
        if not ledger._database.is_unchanged or ledger._known.is_full:
            ledger._known = Known()
        return SqliteBooks(connection, ledger._known)

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
        migrations=migrations_of_ledger(),
        application_id=APPLICATION_ID,
        read_only=read_only,
        busy_seconds=busy_seconds,
        damaged_hint=rows.DAMAGED_HINT,
    )
    return SqliteLedger(database, clock)


@lru_cache(maxsize=1)
def migrations_of_ledger() -> tuple[str, ...]:
    """The schema, as the steps that have led to it."""
    return load_migrations(__file__)


@lru_cache(maxsize=1024)
def _decode_labels(encoded: str) -> Mapping[str, str]:
    labels: Mapping[str, str] = json.loads(encoded)
    return labels


def _check_columns(connection: apsw.Connection) -> Iterator[str]:
    """The columns that budgets are found by say the same as their selectors. (Of reservations all is compared.)"""
    for row in connection.execute("SELECT name, selector, run, task FROM budgets"):
        if not rows.parse(_is_filed_right, row):
            yield f"budget `{row[0]}` is filed under another run or task than its labels say"


def _is_filed_right(row: rows.Row) -> bool:
    _, labels, run, task = row
    return (run, task) == rows.run_and_task(_decode_labels(labels))
