"""Which roadmap a command is about, and its phases for people and for programs."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from bursar.cli.parsing import Parser, parser
from bursar.cli.problems import tell_problems
from bursar.errors import UserError
from bursar.plan import Phase, PhaseStatus, Roadmap, UnreadableRoadmap, read_roadmap

SIGNS = {
    PhaseStatus.COMPLETE: "✓",
    PhaseStatus.IN_PROGRESS: "▸",
    PhaseStatus.PLANNED: "○",
    PhaseStatus.DROPPED: "✗",
    PhaseStatus.PARKED: "‖",
}


def roadmap_parser(action: str, about: str, *, of_phase: bool = False) -> Parser:
    """A parser for an action on one roadmap, and of one of its phases."""
    options = parser(f"roadmap {action}", about)
    if of_phase:
        options.add_argument("number", metavar="N", help="the phase: 7, 2.1, 12A, PROJ-42")
    options.add_argument("path", nargs="?", metavar="PATH", help="default: the project's .planning/ROADMAP.md")
    options.add_argument("--json", action="store_true", help="a JSON object on stdout")
    return options


def find_roadmap() -> Path:
    """`.planning/ROADMAP.md` in the current folder or the nearest one above it, as a path to show people.

    Raises:
        UserError: there is none up to the top of the checkout, or the current folder is gone.
    """
    try:
        here = Path.cwd()
    except FileNotFoundError as error:
        raise UserError("the current folder has been removed", hint="cd into a folder that exists") from error
    for folder in (here, *here.parents):
        path = folder / ".planning" / "ROADMAP.md"
        if path.exists():
            return path.relative_to(here) if folder == here else path
        if (folder / ".git").exists():
            break
    raise UserError(
        "there is no .planning/ROADMAP.md here or above",
        hint="cd into its project, or name its file at the end of the command",
    )


def open_roadmap(path: str | None) -> Roadmap | None:
    """The roadmap at `path`, else the project's; None if it cannot be read, which has been told on stderr.

    Raises:
        UserError: no path was given and there is none to be found.
    """
    roadmap = read_roadmap(find_roadmap() if path is None else Path(path))
    if isinstance(roadmap, UnreadableRoadmap):
        tell_problems(roadmap.problems)
        return None
    return roadmap


def find_phase(roadmap: Roadmap, number: str) -> Phase:
    """The phase of that number.

    Raises:
        UserError: there is none; the hint names the nearest.
    """
    phase = roadmap.phase(number.strip())
    if phase is not None:
        return phase
    numbers = [phase.number for phase in roadmap.phases]
    near = difflib.get_close_matches(number, numbers, n=1, cutoff=0.3)
    some = ", ".join(numbers[:12]) + (", …" if len(numbers) > 12 else "")
    hint = f"did you mean phase {near[0]}? It has {some}" if near else f"it has {some or 'no phases'}"
    raise UserError(f"{roadmap.path} has no phase `{number}`", hint=hint)


def counted(number: int, noun: str) -> str:
    """`1 plan`, `2 plans`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def label(phase: Phase) -> str:
    """`phase 7 (Billing)`, for sentences."""
    return f"phase {phase.number} ({phase.name})" if phase.name else f"phase {phase.number}"


def phase_as_data(phase: Phase) -> dict[str, Any]:
    """For JSON. `depends_on` has everything that the author names; what the roadmap does not have comes last in it."""
    return {
        "number": phase.number,
        "name": phase.name,
        "status": phase.status.value,
        "line": phase.position.line,
        "milestone": phase.milestone,
        "goal": phase.goal,
        "depends_on": [*phase.depends_on, *phase.unknown_dependencies],
        "unknown_dependencies": list(phase.unknown_dependencies),
        "depends_text": phase.depends_text,
        "requirements": list(phase.requirements),
        "success_criteria": list(phase.success_criteria),
        "planned_plans": phase.planned_plans,
        "plans": [
            {"id": plan.id, "text": plan.text, "done": plan.is_done, "line": plan.position.line} for plan in phase.plans
        ],
    }
