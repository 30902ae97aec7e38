"""Brings the index up to date with log files: what is new in them is read, what was read before is not.

Where nothing is new, nothing that reads is imported: `bursar usage` is asked again and again.
"""

from __future__ import annotations

from bursar.logs.files import FolderSearch
from bursar.logs.places import SOURCES, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bursar.logs.adding import CallPrices
    from bursar.logs.files import LogFile
    from bursar.logs.index import LogIndex


class ReadingResult:
    """What was looked at.

    Attributes:
        sources: the agents that have logs here.
        files: how many logs there are.
        changed: how many of them had something new.
        unreadable: what could not be read, and why.
        refused: of each log, how many lines told of a call that cannot have been.
    """

    def __init__(self) -> None:
        self.sources: list[str] = []
        self.files = 0
        self.changed = 0
        self.unreadable: dict[str, str] = {}
        self.refused: dict[str, int] = {}


def update_index(
    index: LogIndex,
    environment: Mapping[str, str],
    sources: Sequence[Source] = SOURCES,
    prices: CallPrices | None = None,
    homes: Sequence[str] = (),
) -> ReadingResult:
    """The index has every call of the logs as they are now; a file that cannot be read is named in the answer.

    Args:
        environment: says where the logs are.
        prices: None means list prices.
        homes: more homes than the user's, whose logs are read too: those of attempts.
    """
    places = [environment, *({"HOME": home} for home in homes)]
    result, seen = ReadingResult(), index.seen()
    changed: list[tuple[str, LogFile]] = []
    for source in sources:
        search = FolderSearch(source.suffixes, seen)
        folders = [folder for place in places for folder in source.database_folders(place)]
        roots = [root for place in places for root in source.roots(place)]
        found = [file for folder in folders for file in search.changed_databases(folder)]
        found += [file for root in roots for file in search.changed_in(root)]
        changed += [(source.name, file) for file in found]
        if search.files:
            result.sources.append(source.name)
        result.files += search.files
        result.unreadable |= search.unreadable
    if changed:
        from bursar.logs.ingesting import read_logs

        result.changed = len(changed)
        read_logs(index, changed, prices, result)
    return result
