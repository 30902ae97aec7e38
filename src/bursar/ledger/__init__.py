"""The books."""

from bursar.ledger.port import (
    CallRecord,
    Denial,
    Entry,
    Ledger,
    Reservation,
    ReserveRequest,
    Shortfall,
    State,
)

__all__ = [
    "CallRecord",
    "Denial",
    "Entry",
    "Ledger",
    "Reservation",
    "ReserveRequest",
    "Shortfall",
    "State",
]
