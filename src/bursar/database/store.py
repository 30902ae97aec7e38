"""An open database: written by one process at a time, read by any."""

from __future__ import annotations

import _thread
import os

from bursar.database.engine import apsw
from bursar.database.files import KEEP_HINT
from bursar.database.lock import unlock_file
from bursar.database.turns import Turns
from bursar.errors import InternalError, LedgerBusy, OutcomeUnknown, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Any

    from bursar.database.checking import Checking

    Row = tuple[Any, ...]

BUSY_SECONDS = 10.0
_FAILURES = (apsw.Error, UnicodeDecodeError)
"""What reading raises. Of what was written every text is UTF-8, and SQLite does not look: one that is not is damage."""

_opened: list[tuple[int, str]] = []
"""Process and path of every database that is open; after a fork, the parent's too."""


class Database:
    """An open database. Not for a forked child: it opens its own. Threads of one process may share it.

    Attributes:
        is_unchanged: within a write: the file is as this object's last write has left it. Nobody has written since,
            and that write was committed.
    """

    def __init__(
        self,
        path: str,
        connection: apsw.Connection,
        *,
        connect_to_read: Callable[[], apsw.Connection],
        is_read_only: bool,
        busy_seconds: float,
        damaged_hint: str = KEEP_HINT,
    ) -> None:
        self.path = path
        self.damaged_hint = damaged_hint
        self.is_read_only = is_read_only
        self.busy_seconds = busy_seconds
        self.is_unchanged = False
        self._version: int | None = None  # after our last write, where it was committed
        self._connection = connection
        self._connect_to_read = connect_to_read
        self._turns = Turns(lock_path(path))
        self._process = os.getpid()
        self._mutex = _thread.RLock()
        self._write: _Write | None = None
        _opened.append((self._process, path))

    def write(self) -> _Write:
        """A `with` block that is one durable transaction; it gives the connection to `execute` on.

        The block commits at its end, synced, and rolls back when anything is raised in it.

        Raises:
            LedgerBusy: no write lock within `busy_seconds`; nothing was written.
            OutcomeUnknown: the disk has refused the commit, and does not let it be taken back.
            StoreError: the file is read-only, corrupt, or the disk refuses; nothing was written.
        """
        return _Write(self)

    def query(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        """All rows, of one consistent state.

        Raises:
            StoreError: the file cannot be read.
        """
        self._check_process()
        with self._mutex:
            try:
                return self._connection.execute(sql, parameters).fetchall()
            except _FAILURES as error:
                raise store_error(self.path, error, self.damaged_hint) from error

    def snapshot(self) -> _Snapshot:
        """A `with` block whose reads all see one state; it gives the connection to `execute` reads on."""
        return _Snapshot(self)

    def checking(self) -> Checking:
        """A `with` block, at whose end `problems` is what SQLite itself finds wrong with the file. Reads all of it."""
        from bursar.database.checking import Checking  # here, because what it needs takes long to import

        self._check_process()
        return Checking(self.path, self._connect_to_read)

    def put_together(self) -> None:
        """The file alone is the whole database, synced: nothing is left in its write-ahead log.

        Raises:
            StoreError: somebody else reads it, or the disk refuses.
        """
        with self._mutex:
            try:
                is_busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]
            except apsw.Error as error:
                raise store_error(self.path, error, self.damaged_hint) from error
            if is_busy:
                raise LedgerBusy(f"another program reads `{self.path}`")

    def close(self) -> None:
        """Let go of the file. In a forked child this does nothing: the connection is its parent's."""
        if os.getpid() == self._process:
            with self._mutex:
                self._connection.close()
                if (self._process, self.path) in _opened:
                    _opened.remove((self._process, self.path))

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            raise InternalError(f"`{self.path}` was opened before a fork; a child opens its own")


def check_not_inherited(path: str) -> None:
    """No process that this one was forked from had the database open when it forked.

    SQLite remembers in memory which locks of a file its process holds. A forked child inherits the memory and not the
    locks: it would write without any.

    Raises:
        InternalError: one had.
    """
    process = os.getpid()
    if any(opened_by != process and opened == path for opened_by, opened in _opened):
        raise InternalError(f"`{path}` was open when this process was forked: close it before, or start a new program")


class _Write:
    """One write transaction: the thread's turn, then the process's turn, then SQLite's own lock."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock: int | None = None

    def __enter__(self) -> apsw.Connection:
        database = self._database
        database._check_process()
        if database.is_read_only:
            raise StoreError(f"`{database.path}` was opened for reading only")
        if not database._mutex.acquire(timeout=database.busy_seconds):
            raise LedgerBusy("another thread is writing; nothing was written")
        try:
            self._begin(database)
        except BaseException:
            self._leave()
            raise
        return database._connection

    def _begin(self, database: Database) -> None:
        if database._write is not None:
            raise InternalError("a write inside a write")
        database._write = self
        try:
            self._lock = database._turns.take(database.busy_seconds)
            database._connection.execute("BEGIN IMMEDIATE")
            database.is_unchanged = database._connection.data_version() == database._version
            database._version = None
        except (apsw.Error, OSError) as error:
            raise store_error(database.path, error, database.damaged_hint) from error

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, _: TracebackType | None) -> None:
        try:
            if kind is None:
                self._commit()
        finally:
            self._roll_back()
            self._leave()
        if isinstance(value, _FAILURES):
            raise store_error(self._database.path, value, self._database.damaged_hint) from value

    def _commit(self) -> None:
        connection = self._database._connection
        try:
            connection.execute("COMMIT")
            self._database._version = connection.data_version()
        except apsw.Error as error:
            self._roll_back()
            if self._bury():
                raise store_error(self._database.path, error, self._database.damaged_hint) from error
            raise OutcomeUnknown(
                f"`{self._database.path}` cannot be used: {error}; nobody knows whether this was written",
                hint="once the disk is well again, ask again for the same",
            ) from error

    def _roll_back(self) -> None:
        connection = self._database._connection
        if connection.in_transaction:
            connection.execute("ROLLBACK")

    def _bury(self) -> bool:
        """What a failed commit has left in the write-ahead log is written over; False where that fails too.

        It may be a whole transaction there, of which only the sync has failed. The next write of any process takes its
        place, but if none came, whoever opened the file after a crash would take it for committed.
        """
        connection = self._database._connection
        try:
            connection.pragma("user_version", connection.pragma("user_version"))
        except apsw.Error:
            return False
        return True

    def _leave(self) -> None:
        database = self._database
        if database._write is self:
            database._write = None
        if self._lock is not None:
            unlock_file(self._lock)
            self._lock = None
        database._mutex.release()


class _Snapshot:
    """One read transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> apsw.Connection:
        database = self._database
        database._check_process()
        database._mutex.acquire()
        try:
            if database._write is not None:
                raise InternalError("a snapshot inside a write")
            database._connection.execute("BEGIN")
        except BaseException as error:
            database._mutex.release()
            if isinstance(error, apsw.Error):
                raise store_error(database.path, error, database.damaged_hint) from error
            raise
        return database._connection

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, _: TracebackType | None) -> None:
        database = self._database
        try:
            if database._connection.in_transaction:
                database._connection.execute("ROLLBACK")
        finally:
            database._mutex.release()
        if isinstance(value, _FAILURES):
            raise store_error(database.path, value, database.damaged_hint) from value


def lock_path(path: str) -> str:
    """Where the lock of the database at `path` lies."""
    return path + ".lock"


def store_error(path: str, error: Exception, damaged_hint: str = KEEP_HINT) -> StoreError:
    """What an error of SQLite or of the system means to a person; `damaged_hint` is for one that means damage."""
    if isinstance(error, (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError)):
        return StoreError(
            f"`{path}` is corrupt or no database at all ({error}); it is left as it is",
            hint=damaged_hint,
        )
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return LedgerBusy(f"`{path}` is being written by another program; nothing was written")
    return StoreError(f"`{path}` cannot be used: {error}; nothing was written", hint=_hint(path))


def _hint(path: str) -> str:
    return f"check the disk space and the permissions of `{os.path.dirname(path)}`"
