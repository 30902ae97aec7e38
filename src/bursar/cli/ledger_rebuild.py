"""`bursar ledger rebuild`: whatever knows of reservations is asked, the ledger is rebuilt, and all of it is told."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bursar.budget import Amount, Unit, format_quantity
from bursar.cli.json_output import write_json
from bursar.clock import SystemClock
from bursar.config import find_ledger_place
from bursar.errors import OK, BursarError, UserError
from bursar.journal import AttemptRow, open_journal
from bursar.ledger import Evidence, Rebuilt, is_ledger_url, open_ledger, rebuild_ledger
from bursar.notify import KEPT_FILES
from bursar.paths import AUDIT_FILE, JOURNAL_FILE, state_dir
from bursar.supervision import Ending, read_outcome


def rebuild(options: Any) -> int:
    """There is a whole ledger again, and the damaged one beside it; what became of it is told."""
    place = find_ledger_place()
    exported = [line for file in options.exports for line in _read_lines(Path(file))]
    attempts = () if is_ledger_url(place) else _attempts(Path(state_dir()))
    evidence = [*_from_outcomes(attempts), *_from_audit(Path(state_dir()))]  # the audit log is written last
    rebuilt = rebuild_ledger(place, SystemClock(), exported=exported, evidence=evidence)
    if not rebuilt.is_exact:
        rebuilt = rebuilt._replace(unexplained=[*rebuilt.unexplained, *_unheard_of(place, attempts)])
    if options.json:
        write_json(_as_data(rebuilt))
    sys.stderr.write("".join(f"{line}\n" for line in _tell(rebuilt)))
    return OK


def _read_lines(path: Path) -> Iterator[Mapping[str, object]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"`{path}` cannot be read: {error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise UserError(f"{path}:{number}: this is no line of `bursar ledger export`")
        yield found


def _from_audit(folder: Path) -> Iterator[Evidence]:
    """How operations have ended, by the audit log; the last word on each comes last."""
    names = [f"{AUDIT_FILE}.{number}" for number in range(KEPT_FILES - 1, 0, -1)]
    for name in (*names, AUDIT_FILE):
        try:
            lines = (folder / name).read_bytes().splitlines()
        except OSError:
            continue
        for line in lines:
            found = _read_settled(line, str(folder / name))
            if found is not None:
                yield found


def _read_settled(line: bytes, source: str) -> Evidence | None:
    """What the line says of an end; None where it is about something else, or a stump."""
    try:
        said = json.loads(line)
        if said["event"] != "settled":
            return None
        charged, unknown = _amount(said["charged"]), _amount(said["unknown"])
        known = None if charged.nano_usd is None or unknown.nano_usd is None else charged.nano_usd - unknown.nano_usd
        actual = Amount(charged.tokens - unknown.tokens, known)
        kind = "forfeited" if said["state"] == "forfeited" else "settled"
        return Evidence(str(said["key"]), kind, actual, unknown, dict(said["labels"]), str(said["at"]), source)
    except (ValueError, KeyError, TypeError):
        return None


def _amount(said: Mapping[str, Any]) -> Amount:
    nano_usd = said["nano_usd"]
    return Amount(int(said["tokens"]), None if nano_usd is None else int(nano_usd))


def _attempts(folder: Path) -> Sequence[AttemptRow]:
    """All that the journal of runs knows."""
    if not (folder / JOURNAL_FILE).exists():
        return ()
    try:
        journal = open_journal(folder / JOURNAL_FILE)
        attempts = journal.every_attempt()
        journal.close()
    except BursarError as error:
        sys.stderr.write(f"warning: attempts are not asked: {error.message}\n")
        return ()
    return attempts


def _unheard_of(place: str, attempts: Sequence[AttemptRow]) -> Iterator[str]:
    """Attempts of runs that the new ledger knows, of which it knows nothing."""
    ledger = open_ledger(place, SystemClock())
    runs = {each.labels.get("run") for each in ledger.reservations({})}
    unknown = [row.key for row in attempts if row.run_id in runs and ledger.reservation(row.key) is None]
    ledger.close()
    for key in unknown:
        yield f"attempt `{key}` began, and neither what it held nor what it used can be found"


def _from_outcomes(attempts: Sequence[AttemptRow]) -> Iterator[Evidence]:
    """How attempts have ended, by what their supervisors have left."""
    for row in attempts:
        try:
            outcome = read_outcome(Path(row.directory))
        except (OSError, ValueError):
            continue
        if outcome is None:
            continue
        labels = {"run": row.run_id, "task": row.task, "model": row.model}
        yield Evidence(
            key=row.key,
            kind="released" if outcome.ending is Ending.NOT_STARTED else "settled",
            actual=Amount(outcome.metered_tokens, outcome.metered_nano_usd),
            unknown=Amount(outcome.unknown_tokens, outcome.unknown_nano_usd),
            labels=labels,
            source=os.path.join(row.directory, "outcome.json"),
        )


def _tell(rebuilt: Rebuilt) -> Iterator[str]:
    """All of it in words: what is as it was first, then what is not."""
    yield f"{rebuilt.kept} entries are as they were" + (
        f", {rebuilt.repeated} were repeated after a gap" if rebuilt.repeated else ""
    )
    if rebuilt.mended:
        yield f"  mended, because one byte of each was wrong: entries {_listed(rebuilt.mended)}"
    for first, last in rebuilt.lost:
        yield f"  lost: {_range(first, last)}"
    if not rebuilt.is_end_known:
        yield "  whether there were later entries, nobody knows"
    for ended in rebuilt.ended:
        yield f"  `{ended.key}` is {ended.state}: {_words(ended.charged)}, on the word of {ended.source}"
    for charged in rebuilt.charged:
        yield f"  charged anew, {charged.what}: {_words(charged.amount)} ({charged.source})"
    for sentence in rebuilt.unexplained:
        yield f"warning: {sentence}"
    if rebuilt.is_exact:
        yield "nothing was lost: every hold, charge and balance is what it was"
    elif any(each.state == "forfeited" for each in rebuilt.ended):
        yield "what was forfeited can be lowered on evidence: bursar ledger adjust KEY --tokens N --evidence TEXT"
    if rebuilt.damaged:
        yield f"the damaged file is kept: {rebuilt.damaged}"


def _range(first: int, last: int) -> str:
    if last < first:
        return f"what stood between entries {last} and {first}"
    return f"entry {first}" if first == last else f"entries {first} to {last}"


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _words(amount: Amount) -> str:
    cost = "" if amount.nano_usd is None else f" ({format_quantity(amount.nano_usd, Unit.USD)})"
    return format_quantity(amount.tokens, Unit.TOKENS) + cost


def _as_data(rebuilt: Rebuilt) -> Mapping[str, object]:
    return {
        "exact": rebuilt.is_exact,
        "kept": rebuilt.kept,
        "repeated": rebuilt.repeated,
        "mended": list(rebuilt.mended),
        "lost": [list(each) for each in rebuilt.lost],
        "end_is_known": rebuilt.is_end_known,
        "ended": [
            {"key": each.key, "state": each.state, "charged": _sides(each.charged), "source": each.source}
            for each in rebuilt.ended
        ],
        "charged": [
            {"what": each.what, "amount": _sides(each.amount), "source": each.source} for each in rebuilt.charged
        ],
        "unexplained": list(rebuilt.unexplained),
        "damaged": rebuilt.damaged or None,
    }


def _sides(amount: Amount) -> Mapping[str, int | None]:
    return {"tokens": amount.tokens, "nano_usd": amount.nano_usd}
