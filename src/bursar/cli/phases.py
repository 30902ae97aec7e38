"""Which folder a person means by a phase's number, name or path."""

from __future__ import annotations

import difflib
from pathlib import Path

from bursar.errors import UserError
from bursar.plan import PhaseFolder, Problem, find_phase_folders, read_phase_plans

PLANNING = ".planning"


def find_planning(start: Path) -> Path | None:
    """The nearest `.planning` folder, up to the top of the checkout; relative where it is in `start` itself."""
    for folder in (start, *start.parents):
        if (folder / PLANNING).is_dir():
            return Path(PLANNING) if folder == start else folder / PLANNING
        if (folder / ".git").exists():
            break
    return None


def open_phase(phase: str) -> PhaseFolder:
    """The phase in the folder of that path, else in `.planning/phases` under that name or number.

    Raises:
        UserError: there is no such folder, there are several, or it cannot be read.
    """
    folder = read_phase_plans(_folder(phase))
    if isinstance(folder, Problem):
        raise UserError(f"{folder.path} {folder.message}")
    return folder


def _folder(phase: str) -> Path:
    path = Path(phase)
    if path.is_dir():
        return path
    if path.exists():
        raise UserError(f"{path} is a file; name the folder of its phase", hint=f"bursar plan index {path.parent}")
    planning = find_planning(_here())
    if planning is None or "/" in phase:
        where = f"there is no folder `{phase}`" + ("" if "/" in phase else f", and no `{PLANNING}` here or above")
        raise UserError(where)
    phases = planning / "phases"
    found = find_phase_folders(phases, phase)
    if len(found) > 1:
        raise UserError(f"phase {phase} may be {_listed(found)}", hint=f"name the one you mean: {found[0].name}")
    if not found:
        raise UserError(f"there is no phase `{phase}` in {phases}", hint=_nearest(phases, phase))
    return found[0]


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise UserError("the current folder has been removed", hint="cd into a folder that exists") from error


def _nearest(phases: Path, phase: str) -> str | None:
    try:
        names = sorted(folder.name for folder in phases.iterdir() if folder.is_dir())
    except OSError:
        return None
    near = difflib.get_close_matches(phase, names[:1_000], n=1)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"phases there: {', '.join(names[:10])}{', …' if len(names) > 10 else ''}" if names else None


def _listed(folders: list[Path]) -> str:
    return " or ".join(folder.name for folder in folders)
