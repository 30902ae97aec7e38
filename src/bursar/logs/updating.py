"""Brings the index up to date with log files: what is new in them is read, what was read before is not.

Where nothing is new, nothing that reads is imported: `bursar usage` is asked again and again.
"""

from __future__ import annotations

import sys
import time

from bursar.logs.files import FolderSearch, is_utf8
from bursar.logs.places import SOURCES, Source
from bursar.logs.stated import NOTHING_STATED, StatedPrices
from bursar.paths import attempt_homes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bursar.logs.files import LogFile
    from bursar.logs.index import LogIndex
    from bursar.logs.prices import CallPrices


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


def _import_read_logs() -> Callable[..., None]:
    """What reads. It needs msgspec, which imports `typing_extensions` if it can: that is half of the time."""
    without = "typing_extensions" not in sys.modules and "msgspec" not in sys.modules
    if without:
        sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    try:
        import bursar.logs.ingesting
    finally:
        if without:
            del sys.modules["typing_extensions"]
    return bursar.logs.ingesting.read_logs


def update_index(
    index: LogIndex,
    environment: Mapping[str, str],
    sources: Sequence[Source] = SOURCES,
    prices: CallPrices | None = None,
    stated: StatedPrices = NOTHING_STATED,
) -> ReadingResult:
    """The index has every call of the logs as they are now; a file that cannot be read is named in the answer.

    Args:
        environment: says where the user's logs are; those of bursar's own attempts are beside the index.
        prices: None means list prices, and before them those that the user states.
        stated: the latter; where they are others than before, all calls are priced anew.
    """
    result, seen, folders, now = ReadingResult(), index.seen(), index.folders(), time.time_ns()
    listed: dict[tuple[str, str], int] = {}
    homes = [{"HOME": home} for home in attempt_homes(index.state_dir)]
    changed: dict[str, tuple[str, LogFile]] = {}
    for source in sources:
        search = FolderSearch(source.suffixes, seen, folders.get(source.name, {}), now)
        found: list[LogFile] = []
        for each in (environment, *homes):
            for folder in source.database_folders(each):
                found += search.changed_databases(folder)
            for root in source.roots(each):
                found += search.changed_in(root)
        changed |= {file.path: (source.name, file) for file in found}  # one folder may lie within another
        if search.files:
            result.sources.append(source.name)
        result.files += search.files
        result.unreadable |= search.unreadable
        listed |= {(source.name, folder): changed for folder, changed in search.listed.items()}
    if changed or (prices is None and index.stated_prices()[0] != stated.mark):
        read_logs = _import_read_logs()
        result.changed = len(changed)
        read_logs(index, list(changed.values()), prices, stated, result)
        _keep_folders(index, listed, folders, result.unreadable)
    return result


def _keep_folders(
    index: LogIndex,
    listed: Mapping[tuple[str, str], int],
    known: Mapping[str, Mapping[str, int]],
    unreadable: Mapping[str, str],
) -> None:
    """What was listed need not be listed again; but for folders of which not everything could be read."""
    again = {path.rpartition("/")[0] for path in unreadable}
    rows = [(source, path, 0 if path in again else changed) for (source, path), changed in listed.items()]
    index.keep_folders([row for row in rows if is_utf8(row[1]) and known.get(row[0], {}).get(row[1]) != row[2]])
