"""The folder of a phase, `.planning/phases/NN-name`: found by the phase's number, and read."""

from __future__ import annotations

import os
import re
from pathlib import Path

from bursar.errors import UserError
from bursar.plan.read import MAX_BYTES
from bursar.plan.roadmap_model import normal_number

_NUMBER = re.compile(r"(?:phase[-_ ]?)?((?:[A-Z]+-)?\d+(?:\.\d+)*[A-Za-z]?)(?=$|[-_ ])")
_RELEVANT = re.compile(r".*(?:PLAN|SUMMARY|VERIFICATION).*\.md")


def find_phase_folder(start: Path, number: str) -> Path:
    """The folder of the phase of this number, in the nearest `.planning/phases` around `start`; zeros do not matter.

    Raises:
        UserError: there is no such folder, or more than one.
    """
    phases = _phases_around(start)
    folders = {path: phase_number(path.name) for path in sorted(phases.iterdir()) if path.is_dir()}
    wanted = normal_number(number.strip())
    found = [path for path, own in folders.items() if own == wanted or path.name == number.strip()]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(path.name for path in found)
        raise UserError(f"phase {number} has more than one folder: {listed}", hint=f"name one, such as {found[0].name}")
    known = ", ".join(own for own in folders.values() if own)
    raise UserError(
        f"there is no folder of phase `{number}` in {phases}", hint=f"phases there: {known}" if known else None
    )


def phase_number(folder: str) -> str:
    """`8` of `08-features`, `12.1` of `12.1-name`; empty where the name has none."""
    match = _NUMBER.match(folder)
    return normal_number(match[1]) if match else ""


def read_phase_folder(folder: Path) -> dict[str, bytes]:
    """The plans, summaries and verifications that lie in the folder itself, by name.

    Raises:
        UserError: one cannot be read, or is larger than any plan.
    """
    found: dict[str, bytes] = {}
    for path in sorted(folder.iterdir()):
        if not _RELEVANT.fullmatch(path.name) or not path.is_file():
            continue
        try:
            if path.stat().st_size > MAX_BYTES:
                raise UserError(f"{path} is larger than {MAX_BYTES // 2**20} MiB")
            found[path.name] = path.read_bytes()
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}") from error
    return found


def _phases_around(start: Path) -> Path:
    here = Path(os.path.abspath(start))
    for folder in (here, *here.parents):
        phases = folder / ".planning" / "phases"
        if phases.is_dir():
            return Path(os.path.relpath(phases, here)) if start == Path() else phases
    raise UserError("there is no .planning/phases here or above", hint="cd into a project that has one")
