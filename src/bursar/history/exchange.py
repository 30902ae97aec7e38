"""Observations as lines of JSON: to take them to another machine or project, and to bring them in.

What comes in was written by others. Every row is checked by itself; one that cannot be believed is refused and kept
apart, and the others count. The same rows a second time change nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from bursar.history.observation import Observation, check_observation
from bursar.history.store import Refused

MAX_LINE = 16_384  # bytes of one row
MAX_ROWS = 200_000
_OPTIONAL = frozenset({"task_type", "digest", "facts", "origin"})
_FIELDS = frozenset(field.name for field in fields(Observation))


@dataclass(frozen=True, slots=True)
class Parsed:
    """The rows of a file that can be believed, and those that cannot."""

    observations: list[Observation]
    refused: list[Refused]


def export_lines(observations: Iterable[Observation]) -> Iterator[str]:
    """One JSON object for each; folders of projects are not told, only which observations share one."""
    for seen in observations:
        told = replace(seen, project=_veiled(seen.project))
        row = {field.name: getattr(told, field.name) for field in fields(told) if field.name != "origin"}
        yield json.dumps(row | {"facts": dict(told.facts)}, ensure_ascii=False, sort_keys=True)


def parse_lines(lines: Iterable[bytes], origin: str, now: datetime) -> Parsed:
    """What the lines say; a row from after `now` is not believed.

    Args:
        origin: what the observations are said to come from.
    """
    parsed = Parsed([], [])
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            parsed.observations.append(_parse(line, origin, now, is_one_too_many=len(parsed.observations) >= MAX_ROWS))
        except ValueError as reason:
            text = line[:MAX_LINE].decode("utf-8", "replace")
            parsed.refused.append(Refused(origin, number, text, str(reason)))
    return parsed


def _parse(line: bytes, origin: str, now: datetime, *, is_one_too_many: bool) -> Observation:
    """The row.

    Raises:
        ValueError: it cannot be believed; says why.
    """
    if is_one_too_many:
        raise ValueError(f"there are {MAX_ROWS:,} rows before it, which is the most that is taken")
    if len(line) > MAX_LINE:
        raise ValueError(f"it has {len(line):,} bytes; the most is {MAX_LINE:,}")
    row = _read_object(line)
    if missing := sorted(_FIELDS - _OPTIONAL - row.keys()):
        raise ValueError(f"`{missing[0]}` is missing")
    if unknown := sorted(row.keys() - _FIELDS):
        raise ValueError(f"`{unknown[0][:40]!a}` is no field of an observation")
    if not isinstance(row.get("facts", {}), dict):
        raise ValueError("`facts` is no object")
    seen = Observation(**row | {"origin": origin})
    if problem := check_observation(seen, not_after=now):
        raise ValueError(problem)
    return replace(seen, at=_in_utc(seen.at))


def _in_utc(at: str) -> str:
    """The same instant as our own are written: they are ordered as text."""
    try:
        instant = datetime.fromisoformat(at).astimezone(UTC)
    except OverflowError:
        raise ValueError("`at` lies before the first year") from None
    usual = instant.isoformat(timespec="milliseconds")
    return at if at in {usual, instant.isoformat()} else usual


def _read_object(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON: {str(error)[:100]}") from None
    if not isinstance(row, dict):
        raise ValueError("it is no JSON object")
    return row


def _veiled(project: str) -> str:
    if not project or project.startswith("project-"):
        return project
    return f"project-{hashlib.sha256(project.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
