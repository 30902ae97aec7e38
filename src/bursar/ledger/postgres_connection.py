"""One PostgreSQL database: a connection that is made again when it was lost, migrated, one writer at a time.

It knows the tables of nobody but the list of migrations; `migrations_postgres/` has the rest.

Source: docs/decisions/0012-postgresql.md
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bursar.errors import InternalError, LedgerBusy, OutcomeUnknown, StoreError, UserError
from bursar.ledger.postgres_errors import store_error

Row = tuple[Any, ...]
Cursor = psycopg.Cursor[Row]

_QUEUE = "SELECT pg_advisory_xact_lock(1649173860, hashtext(current_schema()))"
"""The queue of writers, first come, first served; one for each ledger. It ends with the transaction."""

_TURNS = 1649173861
"""The class of advisory locks for turns with a name."""

_HAS_MIGRATIONS = (
    "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_tables"
    " WHERE schemaname = current_schema() AND tablename = 'bursar_migrations')"
)
"""Read from the catalog: `to_regclass` may answer from a cache that a wait in the queue has outdated."""

_DEFAULTS = {
    "application_name": "bursar",
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
}
_STATEMENT_SECONDS = 30.0
"""How much longer than the wait for a lock a statement may take, and a writer may think between two statements."""

_ANSWER_SECONDS = 15.0
"""How much later than that the server's word of it may arrive; then the server is taken for gone."""


class Connection(psycopg.Connection[Row]):
    """A connection that does not wait for ever: not for a server that hangs, nor over a network that swallows all."""

    patience_seconds = 0.0

    def wait(self, gen: Generator[Any, Any, Any], *arguments: Any, **named: Any) -> Any:
        """What the server answers; after `patience_seconds` without, the connection is lost.

        Raises:
            OperationalError: it is.
        """
        return super().wait(self._hurry(gen), *arguments, **named)

    def _hurry(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Does what `gen` does, in which a false value stands for a short wait in vain."""
        ends_at, came = time.monotonic() + self.patience_seconds, None
        while True:
            try:
                wanted = gen.send(came)
            except StopIteration as end:
                return end.value
            came = yield wanted
            if not came and time.monotonic() > ends_at:
                self.pgconn.finish()
                raise psycopg.OperationalError(f"the server has not answered for {self.patience_seconds:g} s")


class PostgresDatabase:
    """A database that may be unreachable for a while. Threads of one process may share it; a forked child may not."""

    def __init__(self, url: str, migrations: Sequence[str], *, read_only: bool, busy_seconds: float) -> None:
        self._parameters = _parameters_of(url)
        self._migrations = migrations
        self._is_read_only = read_only
        self._busy_seconds = busy_seconds
        self._process = os.getpid()
        self._mutex = threading.RLock()
        self._is_in_transaction = False
        self._connection: Connection | None = None
        with self._turn():
            self._live()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A `with` block that is one durable transaction in which nobody else writes.

        It commits at its end, and rolls back when anything is raised in it.

        Raises:
            LedgerBusy: not our turn within `busy_seconds`, or a statement took too long; nothing was written.
            OutcomeUnknown: the connection was lost while committing.
            StoreError: the server cannot be reached, or refuses; nothing was written.
        """
        if self._is_read_only:
            raise StoreError("the ledger was opened for reading only")
        with self._turn(), self._transaction(self._begin_writing()) as connection:
            yield connection
            self._commit(connection)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A `with` block whose reads all see one state. It waits for no writer."""
        with self._turn(), self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY") as connection:
            yield connection

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows, of one consistent state."""
        with self.snapshot() as connection:
            return connection.execute(to_postgres(sql), parameters).fetchall()

    @contextmanager
    def turn(self, name: str, seconds: float) -> Iterator[None]:
        """A block in which nobody else is in one of that name, on whatever machine; a lost connection ends it.

        Raises:
            LedgerBusy: somebody else was, for that long.
        """
        with self._turn():
            connection = self._live()
            try:
                connection.execute(f"SET lock_timeout = {round(seconds * 1000)}".encode())
                connection.execute(
                    b"SELECT pg_advisory_lock(%s, hashtext(current_schema() || '/' || %s))", (_TURNS, name)
                )
            finally:
                if not connection.closed:
                    connection.execute(b"RESET lock_timeout")
        try:
            yield
        finally:
            with self._mutex:
                if not connection.closed:
                    connection.execute(
                        b"SELECT pg_advisory_unlock(%s, hashtext(current_schema() || '/' || %s))", (_TURNS, name)
                    )

    def close(self) -> None:
        """Let go of the server. In a forked child this does nothing: the connection is its parent's."""
        if os.getpid() == self._process:
            with self._mutex:
                self._drop()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """This thread's turn; what PostgreSQL says in it is told in our words."""
        if os.getpid() != self._process:
            raise InternalError("the ledger was opened before a fork; a child opens its own")
        if not self._mutex.acquire(timeout=self._busy_seconds):
            raise LedgerBusy("another thread is writing; nothing was written")
        try:
            if self._is_in_transaction:
                raise InternalError("a transaction inside a transaction")
            yield
        except psycopg.Error as error:
            raise store_error(error) from error
        finally:
            self._mutex.release()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        connection = self._begin(begin)
        self._is_in_transaction = True
        try:
            yield connection
        finally:
            self._is_in_transaction = False
            self._roll_back(connection)

    def _begin_writing(self) -> str:
        wait = max(1, round(self._busy_seconds * 1000))
        patience = wait + round(_STATEMENT_SECONDS * 1000)
        return (
            "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE;"
            f" SET LOCAL lock_timeout = {wait}; SET LOCAL statement_timeout = {patience};"
            f" SET LOCAL idle_in_transaction_session_timeout = {patience}; {_QUEUE}"
        )

    def _begin(self, begin: str) -> Connection:
        """Where the connection turns out to have been lost meanwhile, a new one begins: nothing has been done yet."""
        was_open = self._connection is not None and not self._connection.closed
        try:
            return self._try_to_begin(begin)
        except psycopg.OperationalError:
            if not was_open or self._connection is None or not self._connection.broken:
                raise
        return self._try_to_begin(begin)

    def _try_to_begin(self, begin: str) -> Connection:
        connection = self._live()
        try:
            connection.execute(begin.encode(), prepare=False)
        except BaseException:
            self._roll_back(connection)
            raise
        return connection

    def _commit(self, connection: Connection) -> None:
        try:
            said = connection.execute(b"COMMIT").statusmessage
        except psycopg.Error as error:
            if connection.broken:
                raise OutcomeUnknown(
                    f"the connection was lost in the middle of a commit: it was written, or it was not ({error})",
                    hint="do the same again with the same key: what was written is not written twice",
                ) from error
            raise
        if said != "COMMIT":
            raise StoreError("the server has undone what was to be committed; nothing was written")

    def _roll_back(self, connection: Connection) -> None:
        """No transaction is open; a connection that cannot say so is let go of, and the server ends it."""
        if connection.closed or connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            return
        try:
            connection.execute(b"ROLLBACK")
        except psycopg.Error:
            connection.close()

    def _live(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = None
            connection = Connection.connect(self._parameters, autocommit=True)
            connection.patience_seconds = self._busy_seconds + _STATEMENT_SECONDS + _ANSWER_SECONDS
            try:
                self._set_up(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _set_up(self, connection: Connection) -> None:
        """The session keeps what we promise, and the schema is the one that we know."""
        encoding, schema, durability = _row(
            connection,
            "SELECT current_setting('server_encoding'), current_schema(), current_setting('synchronous_commit')",
        )
        if encoding != "UTF8":
            raise StoreError(f"the database is encoded in {encoding}", hint="create one with `ENCODING 'UTF8'`")
        if schema is None:
            raise StoreError("the search path of the database names no schema that exists", hint="create the schema")
        connection.execute(b"SET client_encoding = 'UTF8'")
        if durability == "off":
            connection.execute(b"SET synchronous_commit = on")
        if self._version(connection) != len(self._migrations):
            self._migrate(connection)

    def _migrate(self, connection: Connection) -> None:
        """Within one transaction, and our turn among all processes, every migration that was not had is applied."""
        if self._is_read_only:
            raise StoreError("there is no ledger of this release in the database", hint="open it for writing once")
        connection.execute(self._begin_writing().encode(), prepare=False)
        try:
            for number in range(self._version(connection) + 1, len(self._migrations) + 1):
                connection.execute(self._migrations[number - 1].encode())
                connection.execute(b"INSERT INTO bursar_migrations (number) VALUES (%s)", (number,))
            connection.execute(b"COMMIT")
        except (errors.DuplicateTable, errors.DuplicateFunction) as error:
            raise StoreError(
                f"the schema belongs to another program: {error}", hint="name another database, or a schema of its own"
            ) from error
        finally:
            self._roll_back(connection)

    def _version(self, connection: Connection) -> int:
        if not _row(connection, _HAS_MIGRATIONS)[0]:
            return 0
        version: int = _row(connection, "SELECT coalesce(max(number), 0) FROM bursar_migrations")[0]
        if version > len(self._migrations):
            raise StoreError(
                f"the ledger was written by a later release: schema {version}, and {len(self._migrations)} is known",
                hint="upgrade bursar",
            )
        return version


def to_postgres(sql: str) -> bytes:
    """The statement with the marks for parameters that the driver wants."""
    return sql.replace("?", "%s").encode()


def together(connection: Connection) -> AbstractContextManager[object]:
    """A `with` block whose statements go to the server in one go; what it says is there when the block ends."""
    return connection.pipeline() if psycopg.Pipeline.is_supported() else nullcontext()


def _row(connection: Connection, sql: str) -> Row:
    row = connection.execute(sql.encode()).fetchone()
    assert row is not None
    return row


def _parameters_of(url: str) -> str:
    try:
        named: Mapping[str, Any] = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise UserError(
            "the URL of the ledger cannot be read", hint="postgresql://user@host/database; the password in ~/.pgpass"
        ) from error
    return make_conninfo("", **(_DEFAULTS | dict(named)))
