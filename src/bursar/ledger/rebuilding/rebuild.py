"""The whole of it: found, put in order, completed, checked, and only then put in the old one's place."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from bursar.clock import Clock
from bursar.database import open_salvage
from bursar.errors import InternalError, StoreError, UserError
from bursar.ledger.entries import RawEntry, encode, format_instant
from bursar.ledger.rebuilding.chain import Chain, build_chain
from bursar.ledger.rebuilding.completing import Completing
from bursar.ledger.rebuilding.findings import Findings, find_in_file, is_true
from bursar.ledger.rebuilding.placing import Placing
from bursar.ledger.rebuilding.redraft import Redraft
from bursar.ledger.rebuilding.writing import write_books
from bursar.ledger.rebuilt import Evidence, Rebuilt
from bursar.ledger.sqlite import SqliteLedger, migrations_of_ledger, open_ledger

_NOTHING_TO_READ = "give it an export with `--from FILE`, or restore a backup"


def rebuild_file(
    path: str, clock: Clock, *, exported: Iterable[Mapping[str, object]] = (), evidence: Sequence[Evidence] = ()
) -> Rebuilt:
    """There is a whole ledger at `path`, out of all that could be read; the damaged file lies beside it.

    Args:
        exported: lines of `bursar ledger export` of the same ledger.
        evidence: what others know of reservations.

    Raises:
        UserError: the ledger is whole already; or an export is not one, or of another ledger.
        LedgerBusy: a process uses it.
        StoreError: not one entry could be read. In every case, nothing has changed.
    """
    place = Placing(os.path.abspath(path))
    place.check()
    if place.has_file and _is_whole(place.path, clock):
        raise UserError(f"`{place.path}` is whole: there is nothing to rebuild", hint="bursar ledger verify")
    entries = [_read_exported(number, line) for number, line in enumerate(exported, start=1)]
    with place.taken():
        findings = find_in_file(place.source, migrations_of_ledger()) if place.source else Findings()
        _check_ours(place.path, findings)
        chain = build_chain(findings, [entry for entry in entries if entry is not None])
        if not chain.entries:
            raise StoreError(
                f"not one entry of a ledger can be read from `{place.path}`; nothing has changed", hint=_NOTHING_TO_READ
            )
        ledger = place.begin(lambda new: open_ledger(new, clock))
        try:
            rebuilt = _rebuild(ledger, findings, chain, evidence, clock.now())
            problems = ledger.verify()
            if problems:
                raise InternalError(f"the rebuilt ledger does not add up; nothing has changed: {'; '.join(problems)}")
            place.finish(ledger._database)
        except BaseException:
            ledger.close()
            place.discard()
            raise
        return rebuilt._replace(damaged=place.swap(clock.now()))


def _rebuild(
    ledger: SqliteLedger, findings: Findings, chain: Chain, evidence: Sequence[Evidence], at: datetime
) -> Rebuilt:
    draft = Redraft(findings, at)
    known = {each.key: each for each in evidence}
    kept = _kept(chain)
    for entry in chain.entries[:kept]:
        draft.keep(entry)
    is_end_known = not chain.gaps and findings.length == len(chain.entries)
    is_end_known = is_end_known and not _is_ahead(draft, known)
    if not is_end_known:
        _repeat(draft, findings, chain, kept)
    write_books(ledger._database, draft.rows, draft.folded)
    completing = Completing(ledger, findings, draft, known)
    if not is_end_known:
        completing.complete(_last_instant(chain))
    return Rebuilt(
        kept=kept,
        repeated=len(chain.entries) - kept,
        mended=chain.mended,
        lost=[(gap.first, gap.last) for gap in chain.gaps],
        is_end_known=is_end_known,
        ended=completing.ended,
        charged=completing.charged,
        unexplained=completing.unexplained,
    )


def _repeat(draft: Redraft, findings: Findings, chain: Chain, kept: int) -> None:
    """What was found after the first gap, and of what has no entry any more, what its rows say."""
    draft.begin_repeats(chain.gaps)
    for entry in chain.entries[kept:]:
        draft.repeat(entry)
    for name in findings.budgets:
        draft.define(name)
    for key, holding in findings.holdings.items():
        if key not in draft.folded.reservations:
            draft.open(key)
        if draft.folded.reservations[key].state == "held":
            draft.catch_up(holding)
    draft.end_repeats(findings.marks)


def _kept(chain: Chain) -> int:
    """How many entries stand before the first gap."""
    if not chain.gaps:
        return len(chain.entries)
    first = chain.gaps[0].first
    return sum(entry[0] < first for entry in chain.entries)


def _is_ahead(draft: Redraft, known: Mapping[str, Evidence]) -> bool:
    """Something that is written after the ledger has the end of a hold that is open by the journal: there was more."""
    later = [each.key for each in known.values() if each.at and each.key in draft.folded.reservations]
    return any(draft.folded.reservations[key].state == "held" for key in later)


def _last_instant(chain: Chain) -> Callable[[str], bool]:
    """Whether an instant is one at which an entry may have been written that is lost."""
    by_number = {entry[0]: entry[1] for entry in chain.entries}
    spans = [(by_number.get(gap.first - 1, ""), by_number.get(gap.last + 1, "~")) for gap in chain.gaps]
    spans.append((chain.entries[-1][1], "~"))

    def may_be_lost(at: str) -> bool:
        instant = format_instant(datetime.fromisoformat(at)) if at else ""
        return any(first <= instant <= last for first, last in spans)

    return may_be_lost


def _check_ours(path: str, findings: Findings) -> None:
    if findings.belongs_to == "another program":
        raise StoreError(f"`{path}` is a database of another program", hint="name another file")
    if findings.belongs_to == "a later release":
        raise StoreError(f"`{path}` was written by a later release", hint="upgrade bursar")


def _is_whole(path: str, clock: Clock) -> bool:
    try:
        ledger = open_ledger(path, clock)
    except StoreError:
        return False
    try:
        return not ledger.verify() and open_salvage(path).is_log_whole
    finally:
        ledger.close()


def _read_exported(number: int, line: Mapping[str, object]) -> RawEntry | None:
    """The entry of a line of an export; None where the line is about something else."""
    if line.get("type") != "entry":
        return None
    try:
        at = format_instant(datetime.fromisoformat(str(line["at"])))
        entry = (
            int(str(line["number"])),
            at,
            str(line["kind"]),
            str(line["key"]),
            encode(line["body"]),
            str(line["previous_hash"]),
            str(line["hash"]),
        )
    except (KeyError, ValueError) as error:
        raise UserError(f"line {number} of the export is no entry: {error!r}") from error
    if not is_true(entry):
        raise UserError(f"line {number} of the export has been changed: its hash is not that of its content")
    return entry
