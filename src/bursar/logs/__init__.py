"""What agents have written down of their own: local session logs become an index of calls, each counted once.

Logs are other programs' text: whatever stands in them, reading raises nothing but what says that a file cannot be read.
"""

from bursar.logs.call import LoggedCall
from bursar.logs.index import LogIndex, QuarterSum, open_index
from bursar.logs.reading import ReadingResult, update_index

__all__ = ["LogIndex", "LoggedCall", "QuarterSum", "ReadingResult", "open_index", "update_index"]
