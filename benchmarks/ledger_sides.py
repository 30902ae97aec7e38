"""What `ledger.py` compares: stores that can hold an amount and settle it, each opened anew by every process."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bursar.budget import RUN_THRESHOLDS, Amount, Budget, Limit, Unit
from bursar.clock import SystemClock
from bursar.ledger import Ledger, Reservation, ReserveRequest, open_ledger

LIMIT = 10**15
HELD, USED = Amount(1000, None), Amount(900, None)
BUDGET = Budget(name="run/bench", selector={"run": "bench"}, limit=Limit(LIMIT, Unit.TOKENS), thresholds=RUN_THRESHOLDS)
_WAIT_SECONDS = 60.0
_PAGE = bytes(range(256)) * 16
_PAGES = 256


class Store(Protocol):
    """One process's way to the books."""

    def reserve(self, key: str) -> None:
        """So much is held, durably."""
        ...

    def settle(self, key: str) -> None:
        """What was held is charged, durably."""
        ...


@dataclass(frozen=True, slots=True)
class Side:
    """One of those compared.

    Attributes:
        place: makes a new place for it below an empty folder; the answer is for `enter`, in any process.
        enter: opens that place. Whoever is alone in it is told so.
        leave: the place is gone.
    """

    name: str
    place: Callable[[Path], str]
    enter: Callable[[str, bool], Store]
    leave: Callable[[str], None] = field(default=lambda _: None)


class LedgerStore:
    """The ledger, through its port. A refusal is a failure: everything fits here."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def reserve(self, key: str) -> None:
        labels = {"run": "bench", "task": f"task-{os.getpid()}", "model": "claude-sonnet-4-5"}
        granted = self.ledger.reserve(ReserveRequest(key=key, labels=labels, amount=HELD))
        if not isinstance(granted, Reservation):
            raise RuntimeError(f"{key} was denied: {granted}")

    def settle(self, key: str) -> None:
        self.ledger.settle(key, USED)


def open_place(place: str) -> Ledger:
    """The ledger there. Waiting has no end but a long one: a wait is measured, not cut off."""
    return open_ledger(place, SystemClock(), busy_seconds=_WAIT_SECONDS)


def make_ledger(place: str) -> str:
    """A ledger with the one budget is at that place."""
    ledger = open_place(place)
    ledger.define(BUDGET)
    ledger.close()
    return place


def sqlite_side() -> Side:
    """The ledger in a file."""
    return Side(
        "SQLite", lambda folder: make_ledger(str(folder / "ledger.db")), lambda place, _: LedgerStore(open_place(place))
    )


class BareStore:
    """The floor: 4 kB over 4 kB that are there, and `fdatasync`, for each write; nothing is looked up or kept.

    Nothing is appended, because a file that grows costs a write of its length too. Processes take turns by `flock`, as
    books do in which every write depends on the one before; one that is alone takes none.
    """

    def __init__(self, place: str, is_alone: bool) -> None:
        self._file = os.open(place, os.O_RDWR)
        self._is_alone = is_alone
        self._number = 0

    def reserve(self, key: str) -> None:
        self._write()

    def settle(self, key: str) -> None:
        self._write()

    def _write(self) -> None:
        if not self._is_alone:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        self._number += 1
        os.pwrite(self._file, _PAGE, len(_PAGE) * (self._number % _PAGES))
        os.fdatasync(self._file)
        if not self._is_alone:
            fcntl.flock(self._file, fcntl.LOCK_UN)


def bare_side() -> Side:
    """The floor."""
    return Side("two synced writes", _place_bare, BareStore)


def _place_bare(folder: Path) -> str:
    place = folder / "bare"
    with place.open("wb") as file:
        file.write(_PAGE * _PAGES)
        os.fsync(file.fileno())
    return str(place)


class JsonStore:
    """The usual way without a database: read the file, change it, write a new one, sync, rename, behind `flock`.

    As durable as the ledger: the folder is synced too, for until then a power cut can bring the old file back. It keeps
    the open holds and the sums, and no journal: so it stays small, which is the best case for it.
    """

    def __init__(self, place: str, _: bool) -> None:
        self._place = place

    def reserve(self, key: str) -> None:
        with _Locked(self._place) as books:
            if books["spent"] + books["reserved"] + HELD.tokens > LIMIT:
                raise RuntimeError("denied")
            books["reserved"] += HELD.tokens
            books["held"][key] = HELD.tokens

    def settle(self, key: str) -> None:
        with _Locked(self._place) as books:
            books["reserved"] -= books["held"].pop(key)
            books["spent"] += USED.tokens


class _Locked:
    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> dict[str, Any]:
        self._lock = os.open(self._place + ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        with open(self._place, encoding="utf-8") as file:
            books: dict[str, Any] = json.load(file)
        self._books = books
        return books

    def __exit__(self, *_: object) -> None:
        with open(self._place + ".new", "w", encoding="utf-8") as file:
            json.dump(self._books, file)
            file.flush()
            os.fsync(file.fileno())
        os.rename(self._place + ".new", self._place)
        folder = os.open(os.path.dirname(self._place), os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)
        os.close(self._lock)


def json_side() -> Side:
    """The JSON file."""
    return Side("JSON file", _place_json, JsonStore)


def _place_json(folder: Path) -> str:
    place = folder / "books.json"
    place.write_text(json.dumps({"spent": 0, "reserved": 0, "held": {}}), encoding="utf-8")
    return str(place)


def postgres_side() -> Side | str:
    """The ledger on a PostgreSQL of our own that syncs; the reason, where there can be none."""
    try:
        from tests import postgres_server
    except ImportError as error:
        return f"PostgreSQL: {error}"
    postgres_server._SETTINGS["fsync"] = "on"  # tests do without
    server = postgres_server._start()
    if isinstance(server, str):
        return server
    return Side(
        "PostgreSQL",
        lambda _: make_ledger(server.new_url()),
        lambda place, _: LedgerStore(open_place(place)),
        server.drop,
    )
