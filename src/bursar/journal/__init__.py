"""What happened to runs, tasks and attempts, and what people approved: the facts that a resume goes by.

The journal holds no money: that is the ledger's. It never guesses: a row says only what was written before acting.
"""

from bursar.journal.controls import (
    Answer,
    Cancellation,
    Controls,
    Option,
    Question,
    RefusalRow,
    Remainder,
    Request,
    RequestKind,
    TopUp,
)
from bursar.journal.rows import (
    AttemptRow,
    AttemptState,
    ImportedRun,
    PhaseCounts,
    PlanRow,
    RunRow,
    RunState,
    TaskRow,
    TaskState,
    escaped,
)
from bursar.journal.store import Journal, open_journal
from bursar.journal.window_record import WindowRecord, read_window_record, write_window_record

__all__ = [
    "Answer",
    "AttemptRow",
    "AttemptState",
    "Cancellation",
    "Controls",
    "ImportedRun",
    "Journal",
    "Option",
    "PhaseCounts",
    "PlanRow",
    "Question",
    "RefusalRow",
    "Remainder",
    "Request",
    "RequestKind",
    "RunRow",
    "RunState",
    "TaskRow",
    "TaskState",
    "TopUp",
    "WindowRecord",
    "escaped",
    "open_journal",
    "read_window_record",
    "write_window_record",
]
