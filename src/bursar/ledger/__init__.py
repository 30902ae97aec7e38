"""The books: what is held, what was spent, and the journal of it all. Never past a limit without saying so."""

from bursar.budget import Shortfall
from bursar.doors import open_late
from bursar.ledger.opening import (
    is_ledger_url,
    open_lasting_ledger,
    open_ledger,
    prepare_to_open,
    rebuild_ledger,
    take_turn,
)
from bursar.ledger.port import Ledger
from bursar.ledger.sqlite import SqliteLedger
from bursar.ledger.types import (
    USAGE_KINDS,
    CallRecord,
    Denial,
    Entry,
    LedgerEvent,
    Observer,
    Reservation,
    ReserveRequest,
    State,
)

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

if not TYPE_CHECKING:  # quick commands need none of it
    __getattr__ = open_late(__name__, {"memory": ["MemoryLedger"], "rebuilt": ["Evidence", "Rebuilt"]})
