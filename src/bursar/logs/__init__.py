"""What agents have written down of their own: local session logs become an index of calls, each counted once.

Logs are other programs' text: whatever stands in them, reading raises nothing but what says that a file cannot be read.
"""

from bursar.logs.call import LoggedCall
from bursar.logs.claude.places import find_files, find_roots
from bursar.logs.index import CallPrices, LogIndex, QuarterSum, open_index
from bursar.logs.periods import (
    Block,
    Totals,
    UsageRow,
    add_up,
    day_of,
    find_blocks,
    group_by_period,
    group_by_session,
    month_of,
    week_of,
)
from bursar.logs.prices import LoggedPrices
from bursar.logs.updating import ReadingResult, update_index

__all__ = [
    "Block",
    "CallPrices",
    "LogIndex",
    "LoggedCall",
    "LoggedPrices",
    "QuarterSum",
    "ReadingResult",
    "Totals",
    "UsageRow",
    "add_up",
    "day_of",
    "find_blocks",
    "find_files",
    "find_roots",
    "group_by_period",
    "group_by_session",
    "month_of",
    "open_index",
    "update_index",
    "week_of",
]
