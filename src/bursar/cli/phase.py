"""`bursar phase archive N`: a finished phase summed up in one file, so that later tasks have less to read."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bursar.cli.json_output import write_json_line
from bursar.cli.parsing import parser
from bursar.cli.terminal import write_whole
from bursar.errors import OK, UserError
from bursar.plan import (
    ARCHIVE_NAME,
    PhaseArchive,
    UnfinishedPhase,
    build_archive,
    find_phase_folder,
    phase_number,
    read_phase_folder,
    rewrite_file,
    write_file,
)


def main(arguments: Sequence[str]) -> int:
    """Archives one phase.

    Raises:
        UserError: there is no such phase, it is not finished, or its archive cannot be written.
    """
    options = parser("phase", "sum up a finished phase in one file; nothing else is changed or moved")
    options.add_argument("action", choices=("archive",), help="archive: write the phase's ARCHIVE.json")
    options.add_argument("phase", metavar="N", help="the phase's number, such as 8 or 12.1")
    options.add_argument("--dry-run", action="store_true", help="show the file and write nothing")
    options.add_argument("--json", action="store_true", help="one JSON object")
    chosen = options.parse_args(arguments)
    folder = find_phase_folder(Path(), chosen.phase)
    archive = _archive_of(folder)
    path, text = folder / ARCHIVE_NAME, archive.render()
    before = _read_before(path)
    is_changed = before != text.encode()
    if is_changed and not chosen.dry_run:
        _write(path, text.encode(), before)
    if chosen.json:
        data = _as_data(path, archive, len(text.encode()), is_changed=is_changed and not chosen.dry_run)
        write_json_line(data)
        return OK
    if chosen.dry_run:
        write_whole(sys.stdout, text)
    words = _in_words(path, archive, len(text.encode()), is_changed=is_changed, is_dry=chosen.dry_run)
    (sys.stderr if chosen.dry_run else sys.stdout).write(words)
    return OK


def _archive_of(folder: Path) -> PhaseArchive:
    """The finished phase, summed up.

    Raises:
        UserError: the phase is not finished; every plan that stands in the way is named.
    """
    number = phase_number(folder.name) or folder.name
    found = build_archive(folder.name, number, read_phase_folder(folder))
    if isinstance(found, PhaseArchive):
        return found
    raise UserError(_why_not(number, folder, found))


def _why_not(number: str, folder: Path, found: UnfinishedPhase) -> str:
    if not found.missing and not found.not_done:
        return f"phase {number} has no plans in {folder}"
    lines = [f"phase {number} is not finished"]
    lines += [f"  {folder / name} has no SUMMARY" for name in found.missing]
    lines += [f"  {folder / name} says that its plan is not done" for name in found.not_done]
    return "\n".join(lines)


def _read_before(path: Path) -> bytes | None:
    """What lies there; None where nothing does.

    Raises:
        UserError: it is not an archive of ours, and so is not overwritten.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    try:
        value = json.loads(data)
    except ValueError:
        value = None
    if not isinstance(value, dict) or "format" not in value or "plans_executed" not in value:
        raise UserError(f"{path} was not written by bursar, and stays as it is", hint="move it away")
    return data


def _write(path: Path, data: bytes, before: bytes | None) -> None:
    if before is None:
        write_file(path, data)
    else:
        rewrite_file(path, data, hashlib.sha256(before).hexdigest())


def _in_words(path: Path, archive: PhaseArchive, size: int, *, is_changed: bool, is_dry: bool) -> str:
    data = archive.data
    counts = ", ".join(
        f"{_length(data[key])} {noun if _length(data[key]) == 1 else noun + 's'}"
        for key, noun in (("plans_executed", "plan"), ("files_modified", "file"), ("key_decisions", "decision"))
    )
    verification = data["verification"]
    status = verification.get("status") if isinstance(verification, dict) else None
    what = "is up to date" if not is_changed else "would be written" if is_dry else "written"
    return (
        f"phase {data['phase']}: {counts}, verification {status or 'unknown'}\n"
        f"{path} {what}: {size:,} bytes for {archive.read_bytes:,}\n"
    )


def _length(value: object) -> int:
    return len(value) if isinstance(value, list) else 0


def _as_data(path: Path, archive: PhaseArchive, size: int, *, is_changed: bool) -> dict[str, Any]:
    return {
        "path": str(path),
        "changed": is_changed,
        "bytes": size,
        "read_bytes": archive.read_bytes,
        "archive": archive.data,
    }
