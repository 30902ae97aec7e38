"""The books: what is held, what was spent, and the journal of it all. Never past a limit without saying so."""

from bursar.budget import Shortfall
from bursar.ledger.memory import MemoryLedger
from bursar.ledger.opening import is_ledger_url, open_ledger, prepare_to_open, rebuild_ledger
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
from bursar.ledger.rebuilt import Evidence, Rebuilt
from bursar.ledger.sqlite import SqliteLedger

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
    "open_ledger",
    "prepare_to_open",
    "rebuild_ledger",
]
