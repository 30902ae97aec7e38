"""The books: what is held, what was spent, and the journal of it all. Never past a limit without saying so."""

from bursar.budget import Shortfall
from bursar.ledger.memory import MemoryLedger
from bursar.ledger.port import CallRecord, Denial, Entry, Ledger, Reservation, ReserveRequest, State
from bursar.ledger.sqlite import SqliteLedger, open_ledger

__all__ = [
    "CallRecord",
    "Denial",
    "Entry",
    "Ledger",
    "MemoryLedger",
    "Reservation",
    "ReserveRequest",
    "Shortfall",
    "SqliteLedger",
    "State",
    "open_ledger",
]
