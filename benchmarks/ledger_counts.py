"""What a pair of reserve and settle makes SQLite do: figures that are the same however busy the machine is.

    python -m benchmarks.ledger_counts [PAIRS]

Statements and pages written to the log are exact; the processor's time is of this process alone.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.ledger_sides import LedgerStore, make_ledger, open_place

from bursar.ledger import SqliteLedger

_FRAME_BYTES = 24 + 4096
_WARM = 500


class Counts(NamedTuple):
    """Of one pair, on average; times in microseconds."""

    statements: float
    frames: float
    bytes: float
    user: float
    system: float


def count_pairs(store: LedgerStore, log: str, pairs: int) -> Counts:
    """That many pairs, on a ledger whose log is not folded into its file meanwhile."""
    statements = [0]

    def count(*_: object) -> bool:
        statements[0] += 1
        return True

    assert isinstance(store.ledger, SqliteLedger)
    connection = store.ledger._database._connection
    connection.set_exec_trace(count)
    store.reserve("traced")
    store.settle("traced")
    connection.set_exec_trace(None)
    size, before = os.path.getsize(log), resource.getrusage(resource.RUSAGE_SELF)
    for number in range(pairs):
        store.reserve(f"key-{number}")
        store.settle(f"key-{number}")
    after, written = resource.getrusage(resource.RUSAGE_SELF), os.path.getsize(log) - size
    return Counts(
        statements[0],
        written / _FRAME_BYTES / pairs,
        written / pairs,
        1e6 * (after.ru_utime - before.ru_utime) / pairs,
        1e6 * (after.ru_stime - before.ru_stime) / pairs,
    )


def main() -> None:
    """Prints the counts."""
    pairs = int(sys.argv[1]) if sys.argv[1:] else 2000
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as folder:
        place = make_ledger(str(Path(folder) / "ledger" / "ledger.db"))
        store = LedgerStore(open_place(place))
        assert isinstance(store.ledger, SqliteLedger)
        store.ledger._database._connection.execute("PRAGMA wal_autocheckpoint = 0")
        for number in range(_WARM):
            store.reserve(f"warm-{number}")
            store.settle(f"warm-{number}")
        found = count_pairs(store, place + "-wal", pairs)
        store.ledger.close()
    print(f"a pair of reserve and settle, {pairs} of them: {found.statements:.0f} statements")
    print(f"{found.frames:.2f} pages ({found.bytes:.0f} bytes) written to the log")
    print(f"{found.user:.0f} µs of the processor's time, and {found.system:.0f} µs in the system")


if __name__ == "__main__":
    main()
