"""`bursar roadmap show|check`: the phases of roadmaps, and everything that is wrong with them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from bursar.cli.json_output import write_json_line
from bursar.cli.parsing import parser
from bursar.cli.problems import problems_as_data, tell_problems
from bursar.cli.roadmap_files import SIGNS, counted, find_roadmap, phase_as_data
from bursar.cli.roadmap_unticked import tell_unticked
from bursar.errors import INVALID_PLAN, OK
from bursar.graph import check_roadmap
from bursar.plan import Phase, PhaseStatus, Problem, Roadmap, UnreadableRoadmap, read_roadmap

_NAME_WIDTH = 44
_ABOUT = {
    "show": "show the phases that bursar reads in a roadmap",
    "check": "tell everything that is wrong or unclear in a roadmap; exit code 3 on errors",
}


def main(arguments: Sequence[str]) -> int:
    """Shows or checks roadmaps; exit code 3 if one of them has errors."""
    action = arguments[0]
    options = parser(f"roadmap {action}", _ABOUT[action])
    options.add_argument("paths", nargs="*", metavar="PATH", help="default: the project's .planning/ROADMAP.md")
    options.add_argument("--json", action="store_true", help="one JSON object a line, in the order of the paths")
    chosen = options.parse_args(arguments[1:])
    code = OK
    for path in map(Path, chosen.paths or [find_roadmap()]):
        roadmap, problems = _read(path)
        if any(problem.is_error for problem in problems):
            code = INVALID_PLAN
        if chosen.json:
            write_json_line(_as_data(path, roadmap, problems))
        else:
            tell_problems(problems)
            sys.stdout.write(_words(action, roadmap, problems))
            if roadmap is not None and action == "show":
                tell_unticked(roadmap)
    return code


def _read(path: Path) -> tuple[Roadmap | None, tuple[Problem, ...]]:
    roadmap = read_roadmap(path)
    if isinstance(roadmap, UnreadableRoadmap):
        return None, roadmap.problems
    return roadmap, (*roadmap.warnings, *check_roadmap(roadmap))


def _words(action: str, roadmap: Roadmap | None, problems: Sequence[Problem]) -> str:
    if roadmap is None:
        return ""
    done = sum(phase.status is PhaseStatus.COMPLETE for phase in roadmap.phases)
    errors = sum(problem.is_error for problem in problems)
    found = f"{counted(errors, 'error')}, {counted(len(problems) - errors, 'warning')}"
    lines = [f"{roadmap.path}: {counted(len(roadmap.phases), 'phase')}, {done} complete, {found}"]
    if action == "show":
        has_milestones = any(phase.milestone for phase in roadmap.phases)
        for milestone, phases in groupby(roadmap.phases, key=lambda phase: phase.milestone):
            lines += [f"\n{milestone or 'in no milestone'}"] if has_milestones else []
            lines += map(_line, phases)
    return "\n".join(lines) + "\n"


def _line(phase: Phase) -> str:
    name = phase.name if len(phase.name) <= _NAME_WIDTH else phase.name[: _NAME_WIDTH - 1] + "…"
    waits = ", ".join([*phase.depends_on, *(f"{number}?" for number in phase.unknown_dependencies)])
    line = f"  {SIGNS[phase.status]} {phase.number:<6} {name:<{_NAME_WIDTH}}  {phase.status.value.replace('_', ' ')}"
    return line + _plans(phase) + (f"  ← {waits}" if waits else "")


def _plans(phase: Phase) -> str:
    """`, 2 of 5 plans`; nothing where no plan is known."""
    done = sum(plan.is_done for plan in phase.plans)
    planned = max(len([plan for plan in phase.plans if plan.id]), phase.planned_plans or 0)
    if not planned:
        return ""
    return f", {done} of {counted(planned, 'plan')}" if phase.plans else f", {counted(planned, 'plan')}"


def _as_data(path: Path, roadmap: Roadmap | None, problems: Sequence[Problem]) -> dict[str, Any]:
    phases = [] if roadmap is None else [phase_as_data(phase) for phase in roadmap.phases]
    title = None if roadmap is None else roadmap.title
    return {"path": str(path), "title": title, "phases": phases, "problems": problems_as_data(problems)}
