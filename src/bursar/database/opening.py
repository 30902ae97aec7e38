"""Opening a database: every check, the making of a new one, and bringing an older one up to date."""

from __future__ import annotations

import os

from bursar.database import files
from bursar.database.engine import apsw
from bursar.database.lock import lock_file, unlock_file
from bursar.database.store import BUSY_SECONDS, Database, check_not_inherited, lock_path, store_error
from bursar.errors import NoDatabase, Outdated, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bursar.database.salvage import Salvage


_NOTHING = (0, 0, 0)  # the identity of a file in which nobody has made a table yet


def open_database(
    path: str | os.PathLike[str],
    *,
    migrations: Sequence[str],
    application_id: int,
    read_only: bool = False,
    busy_seconds: float = BUSY_SECONDS,
    damaged_hint: str = files.KEEP_HINT,
) -> Database:
    """The database at `path`, with every migration applied; made (directory 0700, file 0600) where there is none.

    Args:
        path: a relative path counts from the current directory.
        migrations: SQL texts in order; the file's `user_version` says how many it has had.
        application_id: the number that marks the owner's files; a file with another one is foreign.
        read_only: nothing is created or changed, not even a side file; there must be a database.
        busy_seconds: how long a write waits for its turn.
        damaged_hint: what to do about a file that is corrupt.

    Raises:
        NoDatabase: nobody has had one there, and it was to be read only.
        Outdated: an earlier release wrote it, and it was to be read only.
        StoreError: corrupt, foreign, of a later version, lost (there was one before), not ours, or reached through a
            symlink. Nothing is ever started empty in place of something.
        LedgerBusy: another process was making it all this while.
        InternalError: it was open in a process that this one was forked from.
    """
    place = os.path.abspath(os.fspath(path))
    check_not_inherited(place)
    try:
        files.check_place(place)
        opening = _Opening(place, tuple(migrations), application_id, busy_seconds, damaged_hint)
        return opening.read() if read_only else opening.write()
    except (apsw.Error, OSError) as error:
        raise store_error(place, error, damaged_hint) from error


def open_salvage(path: str) -> Salvage:
    """What can be read of the file at `path`, however damaged it is, and of its log; nothing is changed.

    Raises:
        OSError: it cannot be read.
    """
    from bursar.database.salvage import Salvage  # here, because next to nobody needs it

    return Salvage(path)


class _Opening:
    """What it takes to open one database."""

    def __init__(
        self, path: str, migrations: tuple[str, ...], application_id: int, busy_seconds: float, damaged_hint: str
    ) -> None:
        self.path = path
        self.migrations = migrations
        self.application_id = application_id
        self.busy_seconds = busy_seconds
        self.damaged_hint = damaged_hint

    def read(self) -> Database:
        if files.is_empty(self.path):
            raise self._missing()
        files.check_header(self.path, self.damaged_hint)
        connection = self._connect_to_read()
        with _Closing(connection):
            if self._identity(connection) == _NOTHING and files.is_empty(lock_path(self.path)):
                raise self._missing()
            if self._version(connection) < len(self.migrations):
                raise Outdated(
                    f"`{self.path}` was written by an earlier release and has to be brought up to date first",
                    hint="run any command that writes, for example `bursar run`",
                )
        return self._database(connection, is_read_only=True)

    def write(self) -> Database:
        files.make_place(self.path)
        files.check_place(self.path)
        is_new = files.is_empty(self.path)
        if not is_new:
            files.check_header(self.path, self.damaged_hint)
        if is_new or files.is_empty(lock_path(self.path)):
            connection = self._make()
        else:
            connection = self._connect()
        database = self._database(connection, is_read_only=False)
        with _Closing(database):
            if self._version(connection) < len(self.migrations):
                with database.write():
                    self._migrate(connection)
        return database

    def _database(self, connection: apsw.Connection, *, is_read_only: bool) -> Database:
        return Database(
            self.path,
            connection,
            connect_to_read=self._connect_to_read,
            is_read_only=is_read_only,
            busy_seconds=self.busy_seconds,
            damaged_hint=self.damaged_hint,
        )

    def _make(self) -> apsw.Connection:
        """Under the lock: the file exists, is ours, has its schema, and the lock file remembers it."""
        lock = lock_file(lock_path(self.path), self.busy_seconds)
        try:
            if files.is_empty(self.path):
                self._check_not_lost(lock)
                files.make_file(self.path)
            connection = self._connect()
            with _Closing(connection):
                self._begin_schema(connection)
                files.sync_place(self.path)
                files.mark(lock)
            return connection
        finally:
            unlock_file(lock)

    def _check_not_lost(self, lock: int) -> None:
        if os.fstat(lock).st_size:
            raise self._missing()
        if not files.is_empty(self.path + "-wal"):
            raise StoreError(f"`{self.path}` is missing or empty, but its `-wal` file is there", hint="restore both")

    def _missing(self) -> StoreError:
        if files.is_empty(lock_path(self.path)):
            return NoDatabase(f"there is no database at `{self.path}`")
        return StoreError(
            f"`{self.path}` is missing or empty, but there was one before; it is not started anew",
            hint=f"restore it from a backup; to begin with nothing, remove `{lock_path(self.path)}` too",
        )

    def _connect(self) -> apsw.Connection:
        connection = self._open(self.path, apsw.SQLITE_OPEN_READWRITE)
        with _Closing(connection):
            # The last process leaves the side files as they are: a reader need not create them, and leaving is quick.
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            if connection.pragma("journal_mode") != "wal":
                self._begin_wal(connection)
            for setting in ("synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"):
                connection.execute(f"PRAGMA {setting}")
        return connection

    def _begin_wal(self, connection: apsw.Connection) -> None:
        """A file that is not in WAL mode is new, a copy of ours, or foreign: a foreign one is not switched."""
        identity = self._identity(connection)
        if identity != _NOTHING and identity[0] != self.application_id:
            raise self._foreign()
        if connection.pragma("journal_mode", "wal") != "wal":
            raise StoreError(f"`{self.path}` lies on a file system where SQLite cannot keep a write-ahead log")

    def _connect_to_read(self) -> apsw.Connection:
        """Read without creating anything. Where there is no write-ahead log, the file alone is all there is."""
        if os.path.lexists(self.path + "-wal"):
            return self._open(self.path, apsw.SQLITE_OPEN_READONLY)
        quoted = self.path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        return self._open(f"file:{quoted}?immutable=1", apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)

    def _open(self, name: str, flags: int) -> apsw.Connection:
        connection = apsw.Connection(name, flags=flags)
        connection.set_busy_timeout(int(self.busy_seconds * 1000))
        # One plan for each statement: else, SQLite parses and plans many of ours anew for every value they are given.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        return connection

    def _begin_schema(self, connection: apsw.Connection) -> None:
        if self._identity(connection) == _NOTHING:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.execute(f"PRAGMA application_id = {self.application_id}")
                self._migrate(connection)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        self._version(connection)

    def _migrate(self, connection: apsw.Connection) -> None:
        """Within the caller's transaction, every migration that the file has not had is applied."""
        for migration in self.migrations[self._version(connection) :]:
            connection.execute(migration).fetchall()  # a statement that gives rows would end it there
        connection.execute(f"PRAGMA user_version = {len(self.migrations)}")

    def _version(self, connection: apsw.Connection) -> int:
        application_id, version, _ = self._identity(connection)
        if application_id != self.application_id:
            raise self._foreign()
        if version > len(self.migrations):
            raise StoreError(
                f"`{self.path}` was written by a later release: schema {version}, and {len(self.migrations)} is known",
                hint="upgrade bursar",
            )
        return version

    def _foreign(self) -> StoreError:
        return StoreError(f"`{self.path}` is a database of another program", hint="name another file")

    @staticmethod
    def _identity(connection: apsw.Connection) -> tuple[int, int, int]:
        """The owner's number, the schema's version, and 1 if there is any table."""
        found: Any = connection.execute(
            "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),"
            " EXISTS (SELECT 1 FROM sqlite_schema)"
        ).fetchall()
        owner, version, has_tables = found[0]
        return owner, version, has_tables


class _Closing:
    """What was opened is closed if the block raises."""

    def __init__(self, opened: apsw.Connection | Database) -> None:
        self._opened = opened

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._opened.close()
