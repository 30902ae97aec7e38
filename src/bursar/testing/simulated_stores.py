"""What the conductors of a simulated run keep their books in, and what they are told prices and ids by."""

from __future__ import annotations

import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from bursar.history import History, open_history
from bursar.journal import Journal, open_journal
from bursar.ledger import Ledger
from bursar.pricing import RateTable
from bursar.run import Stores
from bursar.testing.simulated_faults import Faults, guarded
from bursar.testing.simulated_scenario import NANO_PER_TOKEN

_JOURNAL_WRITES = frozenset(
    {
        *("begin_run", "change_plan", "take_over", "conduct", "end_run", "set_task", "reset_task"),
        *("begin_attempt", "begin_merge", "end_attempt", "controls.cancel", "controls.add_to_limit"),
        *("controls.put_question", "controls.give_answer", "controls.leave", "controls.go_on", "controls.refuse"),
    }
)
_LEDGER_WRITES = frozenset({"define", "reserve", "extend", "settle", "release", "forfeit", "charge", "record"})
RATES = RateTable.from_data(
    {
        "dated": "",
        "models": [
            {
                "model": name,
                "match": ["equals", name],
                "rates": {kind: [NANO_PER_TOKEN * 1_000_000] for kind in ("input_tokens", "output_tokens")},
            }
            for name in "sml"
        ],
    }
)


def guard_stores(ledger: Ledger, journal: Journal, history: History, faults: Faults) -> Stores:
    """The stores as one conductor has them: each of its durable writes may be its last, or fail."""
    return Stores(
        ledger=guarded(ledger, "ledger", _LEDGER_WRITES, faults),
        ledger_place="memory",
        journal=guarded(journal, "journal", _JOURNAL_WRITES, faults),
        history=guarded(history, "history", frozenset({"record"}), faults),
    )


class CountedIds:
    """Ids that are counted."""

    def __init__(self) -> None:
        self._count = 0

    def new_id(self) -> str:
        """`run1`, `run2`, …"""
        self._count += 1
        return f"run{self._count}"

    def new_uuid(self) -> str:
        """A UUID that is counted."""
        self._count += 1
        return f"00000000-0000-4000-8000-{self._count:012}"


def copy_empty_stores(folder: Path) -> None:
    """A journal and a history, both empty, are in the folder."""
    for name, template in _templates().items():
        shutil.copy(template, folder / name)


@lru_cache(maxsize=1)
def _templates() -> dict[str, Path]:
    """Empty stores, made once: to make them takes longer than to run a plan."""
    folder = Path(tempfile.mkdtemp(prefix="bursar-sim-templates-"))
    open_journal(folder / "journal.db").close()
    open_history(folder / "history.db").close()
    return {name: folder / name for name in ("journal.db", "history.db")}
