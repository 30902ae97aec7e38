"""The entries that were found, in the order of their numbers, and where some are missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bursar.errors import UserError
from bursar.ledger.entries import FIRST_HASH, RawEntry
from bursar.ledger.rebuilding.findings import Findings
from bursar.ledger.rebuilding.mending import mend

_MOST_MENDED = 64


class Gap(NamedTuple):
    """Entries `first` to `last` are missing; where `last` is below `first`, two that do not fit stand side by side."""

    first: int
    last: int


class Chain(NamedTuple):
    """One entry of each number that is known.

    Attributes:
        mended: numbers of entries in which a byte was damaged, and is known again.
    """

    entries: Sequence[RawEntry]
    gaps: Sequence[Gap]
    mended: Sequence[int]


def build_chain(findings: Findings, exported: Iterable[RawEntry]) -> Chain:
    """What was found in the file, and in exports of the same ledger, as one journal.

    Raises:
        UserError: an export is of another ledger.
    """
    known = {number: list(entries) for number, entries in findings.entries.items()}
    _add_exported(known, exported)
    mended = _mend(known, findings.broken)
    chosen: list[RawEntry] = []
    gaps: list[Gap] = []
    last, last_hash = 0, FIRST_HASH
    for number in sorted(known):
        entry = _choose(known[number], last_hash, known.get(number + 1, ()))
        if number != last + 1 or entry[5] != last_hash:
            gaps.append(Gap(last + 1, number - 1))
        chosen.append(entry)
        last, last_hash = number, entry[6]
    return Chain(chosen, gaps, mended)


def _add_exported(known: dict[int, list[RawEntry]], exported: Iterable[RawEntry]) -> None:
    is_our_own = bool(known)
    for entry in exported:
        ours = known.setdefault(entry[0], [])
        if entry in ours:
            continue
        if ours and is_our_own:
            raise UserError(
                f"the export is of another ledger: its entry {entry[0]} is not the one of the damaged file",
                hint="name an export of this very ledger, or none",
            )
        ours.append(entry)


def _choose(candidates: Sequence[RawEntry], last_hash: str, following: Sequence[RawEntry]) -> RawEntry:
    """The one that follows the entry before, else the one that the next one follows."""
    named = {entry[5] for entry in following}
    return min(candidates, key=lambda entry: (entry[5] != last_hash, entry[6] not in named))


def _mend(known: dict[int, list[RawEntry]], broken: Sequence[RawEntry]) -> list[int]:
    mended: list[int] = []
    for entry in broken[:_MOST_MENDED]:
        missing = _missing(known)
        around = {number for number in (entry[0], *missing) if number not in known}
        previous = {each[6] for number in around for each in known.get(number - 1, ())}
        previous |= {FIRST_HASH} if 1 in around else set()
        wanted = {each[5] for number in around for each in known.get(number + 1, ())}
        found = mend(entry, missing, previous, wanted) if around else None
        if found is not None and found[0] not in known:
            known[found[0]] = [found]
            mended.append(found[0])
    return sorted(mended)


def _missing(known: Mapping[int, object]) -> list[int]:
    """Numbers of which there should be an entry, the next one after the last included; a few of them."""
    last = max(known, default=0)
    if last > 2 * len(known) + _MOST_MENDED:
        return []
    return [number for number in range(1, last + 2) if number not in known][:_MOST_MENDED]
