"""`bursar learn export|import`: observations from one project or machine to another."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bursar.cli.learn_history import opened_history
from bursar.cli.parsing import parser
from bursar.errors import OK, UserError
from bursar.history import export_lines, parse_lines
from bursar.layout import count_of
from bursar.session import find_project

_AHEAD = timedelta(days=1)  # clocks differ
_MOST_BYTES = 256 * 2**20
_SHOWN = 5


def main(arguments: Sequence[str]) -> int:
    """Exports to stdout, or imports a file; what is refused is told on stderr."""
    return _export(arguments[1:]) if arguments[0] == "export" else _import(arguments[1:])


def _export(arguments: Sequence[str]) -> int:
    options = parser("learn export", "the observations on stdout, one JSON object a line; no folder is named in them")
    options.add_argument("--project", action="store_true", help="only those of the project around the current folder")
    chosen = options.parse_args(arguments)
    project = find_project() if chosen.project else None
    with opened_history() as history:
        seen = [each for each in history.observations() if project is None or each.project == project]
    sys.stdout.writelines(f"{line}\n" for line in export_lines(seen))
    sys.stderr.write(f"{count_of(len(seen), 'observation')}\n")
    return OK


def _import(arguments: Sequence[str]) -> int:
    options = parser("learn import", "take in what `bursar learn export` has written; a second time changes nothing")
    options.add_argument("file", metavar="FILE")
    options.add_argument("--name", help="what to call where they come from (default: the file's name)")
    chosen = options.parse_args(arguments)
    path = Path(chosen.file)
    origin = chosen.name or path.name
    if not origin.isprintable() or len(origin) > 100:
        raise UserError("--name must be printable, and at most 100 characters", hint="--name colleague")
    parsed = parse_lines(_read(path).splitlines(), origin, datetime.now(UTC) + _AHEAD)
    with opened_history() as history:
        new = history.record_all(parsed.observations)
        history.refuse(parsed.refused)
    sys.stderr.write(f"{new} new observations, {len(parsed.observations) - new} known before\n")
    for each in parsed.refused[:_SHOWN]:
        sys.stderr.write(f"warning: {path}:{each.line}: refused: {each.reason}\n")
    if len(parsed.refused) > _SHOWN:
        sys.stderr.write(f"warning: {len(parsed.refused) - _SHOWN} more rows are refused\n")
    if parsed.refused and not parsed.observations:
        raise UserError(f"{path} has no row that can be believed", hint="bursar learn export > observations.jsonl")
    return OK


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UserError(f"{path} is larger than {_MOST_BYTES // 2**20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
