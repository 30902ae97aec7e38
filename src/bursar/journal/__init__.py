"""What happened to runs, tasks and attempts, and what people approved: the facts that a resume goes by.

The journal holds no money: that is the ledger's. It never guesses: a row says only what was written before acting.
"""

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
)
from bursar.journal.store import Journal, open_journal

__all__ = [
    "AttemptRow",
    "AttemptState",
    "ImportedRun",
    "Journal",
    "PhaseCounts",
    "PlanRow",
    "RunRow",
    "RunState",
    "TaskRow",
    "TaskState",
    "open_journal",
]
