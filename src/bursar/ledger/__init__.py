"""The books: what is held, what was spent, and the journal of it all. Never past a limit without saying so."""

from bursar.budget import Shortfall
from bursar.ledger.opening import (
    is_ledger_url,
    open_lasting_ledger,
    open_ledger,
    prepare_to_open,
    rebuild_ledger,
    take_turn,
)
from bursar.ledger.port import (
    USAGE_KINDS,
    CallRecord,
    Denial,
    Entry,
    Ledger,
    LedgerEvent,
    Observer,
    Reservation,
    ReserveRequest,
    State,
)
from bursar.ledger.sqlite import SqliteLedger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bursar.ledger.memory import MemoryLedger
    from bursar.ledger.rebuilt import Evidence, Rebuilt

__all__ = [
    "USAGE_KINDS",
    "CallRecord",
    "Denial",
    "Entry",
    "Evidence",
    "Ledger",
    "LedgerEvent",
    "MemoryLedger",
    "Observer",
    "Rebuilt",
    "Reservation",
    "ReserveRequest",
    "Shortfall",
    "SqliteLedger",
    "State",
    "is_ledger_url",
    "open_lasting_ledger",
    "open_ledger",
    "prepare_to_open",
    "rebuild_ledger",
    "take_turn",
]

_HOMES = {"MemoryLedger": "memory", "Evidence": "rebuilt", "Rebuilt": "rebuilt"}
"""What is imported when it is asked for: quick commands need none of it."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found
