"""Brings the index up to date with log files: what is new in them is read, what was read before is not.

Where nothing is new, nothing that reads is imported: `bursar usage` is asked again and again.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bursar.logs.claude.places import LogFile
    from bursar.logs.index import CallPrices, FileMark, LogIndex

_FILES_AT_ONCE = 200


class ReadingResult(NamedTuple):
    """What was looked at: how many files there are, how many of them had something new, and which could not be read
    (and why)."""

    files: int
    changed: int
    unreadable: Mapping[str, str]


def update_index(index: LogIndex, source: str, files: Iterable[LogFile], prices: CallPrices) -> ReadingResult:
    """The index has every call of the files as they are now; a file that cannot be read is named in the answer."""
    found, marks = list(files), index.marks()
    changed = [file for file in found if _is_changed(file, marks.get(file.path))]
    unreadable: dict[str, str] = {}
    if changed:
        prices.load()
    for start in range(0, len(changed), _FILES_AT_ONCE):
        _read(index, source, changed[start : start + _FILES_AT_ONCE], prices, marks, unreadable)
    return ReadingResult(len(found), len(changed), unreadable)


def _is_changed(file: LogFile, mark: FileMark | None) -> bool:
    return mark is None or (mark.size, mark.changed) != (file.size, file.changed)


def _read(
    index: LogIndex,
    source: str,
    files: Iterable[LogFile],
    prices: CallPrices,
    marks: Mapping[str, FileMark],
    unreadable: dict[str, str],
) -> None:
    from bursar.logs import reading

    with index.adding(prices) as adding:
        for file in files:
            try:
                mark, calls = reading.read_new(file, marks.get(file.path))
            except OSError as error:
                unreadable[file.path] = error.strerror or str(error)
                continue
            adding.add(source, calls)
            adding.mark(mark)
