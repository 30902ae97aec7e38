"""Where the processor's time of a pair of reserve and settle goes, on a file system that syncs for nothing.

    python -m benchmarks.ledger_parts [PAIRS]

The parts are measured in turns in one process, and the quickest round of each counts: so other load matters little.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from benchmarks.ledger import _memory_folder
from benchmarks.ledger_sides import BUDGET, LedgerStore, make_ledger, open_place

from bursar.clock import SystemClock
from bursar.database import lock_file, unlock_file
from bursar.ledger import MemoryLedger, SqliteLedger

_ROUNDS = 8
_WARM = 300

Row = tuple[Any, ...]

_keys = map("k{}".format, count())


class Replay:
    """What a pair has SQLite do, again and again, and nothing else; on a ledger of its own."""

    def __init__(self, place: str) -> None:
        store = LedgerStore(open_place(place))
        assert isinstance(store.ledger, SqliteLedger)
        self._connection = store.ledger._database._connection
        for number in range(_WARM):
            pair(store, f"warm-{number}")
        self._statements: list[tuple[str, Row]] = []
        self._connection.set_exec_trace(self._note)
        pair(store, "traced")
        self._connection.set_exec_trace(None)
        self._last = store.ledger.history(1)[0].number

    def pair(self, key: str) -> None:
        """The statements, with the same values under a new key."""
        for sql, values in self._statements:
            self._connection.execute(sql, self._renewed(sql, values, key)).fetchall()

    def _note(self, _: object, sql: str, values: Any) -> bool:
        self._statements.append((sql, values or ()))
        return True

    def _renewed(self, sql: str, values: Row, key: str) -> Row:
        if sql.startswith("INSERT INTO entries"):
            self._last += 1
            return (self._last, *values[1:])
        if sql.startswith("INSERT INTO reservations"):
            return (key, *values[1:])
        return (*values[:-1], key) if sql.startswith("UPDATE reservations") else values


def pair(store: LedgerStore, key: str) -> None:
    """A reserve and a settle."""
    store.reserve(key)
    store.settle(key)


def take_twice(lock: str) -> None:
    """The lock is taken and left twice."""
    for _ in range(2):
        unlock_file(lock_file(lock, 1.0))


def measure(part: Callable[[str], None], times: int) -> float:
    """Microseconds of the processor's time for one."""
    keys = [next(_keys) for _ in range(times)]
    began = time.process_time()
    for key in keys:
        part(key)
    return 1e6 * (time.process_time() - began) / times


def main() -> None:
    """Prints the parts."""
    pairs = int(sys.argv[1]) if sys.argv[1:] else 300
    with _memory_folder() as folder:
        whole = LedgerStore(open_place(make_ledger(str(folder / "whole" / "ledger.db"))))
        law = LedgerStore(MemoryLedger(SystemClock()))
        law.ledger.define(BUDGET)
        lock = str(folder / "lock")
        parts: dict[str, Callable[[str], None]] = {
            "a pair": lambda key: pair(whole, key),
            "the law, in memory": lambda key: pair(law, key),
            "its statements": Replay(make_ledger(str(folder / "replay" / "ledger.db"))).pair,
            "its locks": lambda _: take_twice(lock),
        }
        rounds = [{name: measure(part, pairs) for name, part in parts.items()} for _ in range(_ROUNDS)]
    best = {name: min(each[name] for each in rounds) for name in parts}
    for name, microseconds in best.items():
        print(f"{name:<20}{microseconds:6.0f} µs{microseconds / best['a pair']:6.0%}")


if __name__ == "__main__":
    main()
