"""Where the new ledger is built, and how it takes the old one's place: whatever is cut off, nothing is lost.

The damaged file is moved away first, then the log beside it, and only then the new one comes: between two of these
steps there is no ledger, and every command refuses. To rebuild again then takes the file that was moved away.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from bursar.database import Database, check_place, lock_file, sync_directory, unlock_file
from bursar.errors import LedgerBusy, StoreError
from bursar.ledger.sqlite import SqliteLedger

_BUSY_SECONDS = 10.0
_SHARED_FIRST, _SHARED_SIZE = 0x40000002, 510
"""The bytes of the file that every process locks that has it open.

Source: https://www.sqlite.org/wal.html and `os.h` of SQLite, checked 2026-11-21.
"""
_NEW = ".rebuilt"
_DAMAGED = ".damaged-"
_NOTE = ".rebuilding"
_BESIDE = ("", "-wal", "-shm", "-journal", ".lock", ".lock.queue")


class Placing:
    """The files around one ledger.

    Attributes:
        source: the damaged file: the ledger, or what a rebuilding that was cut off has moved away; '' for none.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.has_file = os.path.lexists(path)
        self.source = path if self.has_file else self._moved_away()

    def check(self) -> None:
        """The folder and the file are ours, and closed to everybody who could have put something there.

        Raises:
            StoreError: not so.
        """
        check_place(self.path)
        if not os.path.isdir(os.path.dirname(self.path)):
            raise StoreError(f"there is no folder `{os.path.dirname(self.path)}`")

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A block in which no other process writes to the ledger, or has it open at all.

        Raises:
            LedgerBusy: one has.
        """
        lock = lock_file(self.path + ".lock", _BUSY_SECONDS)
        try:
            if not self.has_file:
                self._follow_source()
                yield
                return
            descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                _lock_alone(descriptor, self.path)
                yield
            finally:
                os.close(descriptor)
        finally:
            unlock_file(lock)

    def _follow_source(self) -> None:
        """The log of a file that was moved away lies beside it, also where that was cut off between the two."""
        log = self.path + "-wal"
        if self.source and os.path.lexists(log) and not os.path.lexists(self.source + "-wal"):
            os.rename(log, self.source + "-wal")
            sync_directory(os.path.dirname(self.path))

    def begin(self, open_new: Callable[[str], SqliteLedger]) -> SqliteLedger:
        """An empty ledger beside the old one; what an earlier rebuilding left there is gone."""
        self.discard()
        return open_new(self.path + _NEW)

    def finish(self, database: Database) -> None:
        """The new ledger is one synced file, closed, with nothing beside it that belongs to it."""
        database.put_together()
        database.close()
        for name in _BESIDE[1:]:
            _remove(self.path + _NEW + name)
        sync_directory(os.path.dirname(self.path))

    def discard(self) -> None:
        """Nothing is left of the new ledger."""
        for name in _BESIDE:
            _remove(self.path + _NEW + name)

    def swap(self, at: datetime) -> str:
        """The new ledger is the ledger; the answer is where the damaged file is now, '' where there was none."""
        folder = os.path.dirname(self.path)
        aside = self._aside(at) if self.has_file else ""
        if aside:
            self._note(aside)
        for name in ("", "-wal"):
            if aside and os.path.lexists(self.path + name):
                os.rename(self.path + name, aside + name)
                sync_directory(folder)
        _remove(self.path + "-shm")
        _remove(self.path + "-wal")
        os.rename(self.path + _NEW, self.path)
        sync_directory(folder)
        _remove(self.path + _NOTE)
        return aside or self.source

    def _note(self, aside: str) -> None:
        """Whoever comes after us finds the damaged file, should we be cut off."""
        with open(self.path + _NOTE, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(aside)
            file.flush()
            os.fsync(file.fileno())
        sync_directory(os.path.dirname(self.path))

    def _moved_away(self) -> str:
        try:
            with open(self.path + _NOTE, encoding="utf-8", errors="surrogateescape") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def _aside(self, at: datetime) -> str:
        plain = f"{self.path}{_DAMAGED}{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        number, name = 1, plain
        while os.path.lexists(name):
            number, name = number + 1, f"{plain}-{number}"
        return name


def _lock_alone(descriptor: int, path: str) -> None:
    """Nobody has the file open, or opens it, until the descriptor is closed.

    A lock of the open file, not of the process: closing another descriptor of the same file does not drop it.
    """
    wanted = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, _SHARED_FIRST, _SHARED_SIZE, 0)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, wanted)
    except (BlockingIOError, PermissionError) as error:
        raise LedgerBusy(
            f"another process has `{path}` open; nothing has changed",
            hint=f"end it first; `fuser {path}` says which one it is",
        ) from error


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
