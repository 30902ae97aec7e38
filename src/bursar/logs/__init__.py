"""What agents have written down of their own: local session logs become an index of calls, each counted once.

Logs are other programs' text: whatever stands in them, reading raises nothing but what says that a file cannot be read.
"""

from bursar.logs.blocks import Block, find_blocks, running_block
from bursar.logs.index import LogIndex, open_index
from bursar.logs.limits import PlanWindow, note_limit, plan_windows
from bursar.logs.periods import (
    Totals,
    UsageRow,
    Wanted,
    add_up,
    day_of,
    month_of,
    rows_by_day,
    rows_by_session,
    week_of,
)
from bursar.logs.places import SOURCES, Source
from bursar.logs.stated import NOTHING_STATED, StatedPrices
from bursar.logs.updating import ReadingResult, update_index
from bursar.logs.zones import Zone, day_text, local_zone, named_zone

__all__ = [
    "NOTHING_STATED",
    "SOURCES",
    "Block",
    "LogIndex",
    "PlanWindow",
    "ReadingResult",
    "Source",
    "StatedPrices",
    "Totals",
    "UsageRow",
    "Wanted",
    "Zone",
    "add_up",
    "day_of",
    "day_text",
    "find_blocks",
    "local_zone",
    "month_of",
    "named_zone",
    "note_limit",
    "open_index",
    "plan_windows",
    "rows_by_day",
    "rows_by_session",
    "running_block",
    "update_index",
    "week_of",
]
