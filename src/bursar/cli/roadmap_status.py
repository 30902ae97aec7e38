"""`bursar roadmap status N`: one phase, the plans that the roadmap lists and those in its folder, what it waits for."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bursar.cli.json_output import write_json_line
from bursar.cli.roadmap_files import SIGNS, counted, find_phase, label, open_roadmap, phase_as_data, roadmap_parser
from bursar.errors import INVALID_PLAN, OK
from bursar.graph import awaited_phases, startable_phases
from bursar.plan import Phase, PhasePlan, Plan, Roadmap, normal_number, read_plan, summary_path

_FOLDER = re.compile(
    r"(?P<number>(?:[A-Z][A-Z0-9]*-)?[0-9]+(?:\.[0-9]+)*[A-Za-z]?)(?:-(?P<part>[0-9]+))?(?![0-9A-Za-z.])"
)
PLAN_FILE = re.compile(r".*PLAN(?:[-_]v?[0-9]+)?\.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPlan:
    """A plan of a phase: as the roadmap lists it, as it lies in the phase's folder, or both.

    Attributes:
        path: None where only the roadmap knows it.
        summary: the SUMMARY beside it, which says that it is done; None where there is none.
        tasks: None where the plan cannot be read, or is not there.
    """

    id: str
    text: str = ""
    is_ticked: bool | None = None
    path: Path | None = None
    summary: Path | None = None
    tasks: int | None = None

    @property
    def is_done(self) -> bool:
        """A SUMMARY is the truth where there is a plan; otherwise the tick is all that is known."""
        return self.summary is not None or (self.path is None and bool(self.is_ticked))


def main(arguments: Sequence[str]) -> int:
    """Shows one phase; exit code 3 where the roadmap cannot be read."""
    options = roadmap_parser(
        "status", "one phase: its plans, also those in its folder, and what it waits for", of_phase=True
    )
    chosen = options.parse_args(arguments[1:])
    roadmap = open_roadmap(chosen.path)
    if roadmap is None:
        return INVALID_PLAN
    phase = find_phase(roadmap, chosen.number)
    folder = find_folder(roadmap, phase)
    plans = _plans(phase, folder)
    if chosen.json:
        data = _as_data(roadmap, phase, folder, plans)
        write_json_line(data)
    else:
        sys.stdout.write(_words(roadmap, phase, folder, plans))
    return OK


def find_folder(roadmap: Roadmap, phase: Phase) -> Path | None:
    """The folder of a phase in `phases/` beside the roadmap, else among the archived ones; the first by name."""
    return folders_by_phase(roadmap).get(phase.number)


def folders_by_phase(roadmap: Roadmap) -> dict[str, Path]:
    """The folder of each phase that has one, by the phase's number."""
    found: dict[str, Path] = {}
    for pattern in ("phases/*", "milestones/*/*"):
        for folder in sorted(folder for folder in roadmap.path.parent.glob(pattern) if folder.is_dir()):
            for number in _numbers(folder.name, roadmap):
                found.setdefault(number, folder)
    return found


def _numbers(name: str, roadmap: Roadmap) -> tuple[str, ...]:
    """The phase that a folder's name means: `07-login`, `12.1-sync`; `01-5-fix` is 1.5 where there is a phase 1.5."""
    match = _FOLDER.match(name)
    if match is None:
        return ()
    decimal = f"{match['number']}.{match['part']}"
    found = (roadmap.phase(decimal) if match["part"] else None) or roadmap.phase(match["number"])
    return () if found is None else (found.number,)


def _plans(phase: Phase, folder: Path | None) -> list[FoundPlan]:
    """The plans that the roadmap lists, each with its file, then the files that it does not list."""
    files = {_key(found.id): found for found in _files(folder)}
    plans = [_joined(plan, files.pop(_key(_whole_id(phase, plan)), None)) for plan in phase.plans]
    return [*plans, *files.values()]


def _files(folder: Path | None) -> list[FoundPlan]:
    if folder is None:
        return []
    paths = sorted(path for path in folder.iterdir() if PLAN_FILE.fullmatch(path.name))
    return [_file(path) for path in paths]


def _file(path: Path) -> FoundPlan:
    plan = read_plan(path)
    summary = summary_path(path)
    return FoundPlan(
        id=plan.id if isinstance(plan, Plan) else path.stem.removesuffix("-PLAN"),
        text=plan.objective.partition("\n")[0] if isinstance(plan, Plan) else "",
        path=path,
        summary=summary if summary.exists() else None,
        tasks=len(plan.tasks) if isinstance(plan, Plan) else None,
    )


def _joined(plan: PhasePlan, file: FoundPlan | None) -> FoundPlan:
    if file is None:
        return FoundPlan(id=plan.id, text=plan.text, is_ticked=plan.is_done)
    return FoundPlan(
        id=plan.id,
        text=plan.text or file.text,
        is_ticked=plan.is_done,
        path=file.path,
        summary=file.summary,
        tasks=file.tasks,
    )


def _whole_id(phase: Phase, plan: PhasePlan) -> str:
    """`Plan 2` of phase 7 as `7-2`."""
    return f"{phase.number}-{plan.id}" if plan.id and "-" not in plan.id else plan.id


def _key(identity: str) -> str:
    """What two spellings of one id share: `07-02` and `7-2`."""
    return "-".join(normal_number(part) for part in identity.split("-"))


def _as_data(roadmap: Roadmap, phase: Phase, folder: Path | None, plans: Sequence[FoundPlan]) -> dict[str, Any]:
    return {
        "path": str(roadmap.path),
        "phase": phase_as_data(phase),
        "folder": None if folder is None else str(folder),
        "plans": [
            {
                "id": plan.id,
                "text": plan.text,
                "done": plan.is_done,
                "ticked": plan.is_ticked,
                "path": None if plan.path is None else str(plan.path),
                "summary": None if plan.summary is None else str(plan.summary),
                "tasks": plan.tasks,
            }
            for plan in plans
        ],
        "waits_for": [
            {"number": other.number, "name": other.name, "status": other.status.value}
            for other in awaited_phases(roadmap, phase)
        ],
        "can_start": any(other.number == phase.number for other in startable_phases(roadmap)),
    }


def _words(roadmap: Roadmap, phase: Phase, folder: Path | None, plans: Sequence[FoundPlan]) -> str:
    lines = [f"{SIGNS[phase.status]} {label(phase)}: {phase.status.value.replace('_', ' ')}"]
    lines += [f"  goal          {phase.goal}"] if phase.goal else []
    lines += [f"  depends on    {_dependencies(phase)}"]
    awaited = awaited_phases(roadmap, phase)
    lines += [f"  waits for     {label(other)}, {other.status.value.replace('_', ' ')}" for other in awaited]
    lines += [f"  requirements  {', '.join(phase.requirements)}"] if phase.requirements else []
    lines += [f"  criteria      {text}" for text in phase.success_criteria]
    lines += [f"  folder        {folder}"] if folder is not None else []
    lines += [_plan_line(plan) for plan in plans]
    if not plans:
        lines.append("  no plan is known" + (f", {phase.planned_plans} are counted" if phase.planned_plans else ""))
    return "\n".join(lines) + "\n"


def _dependencies(phase: Phase) -> str:
    if phase.depends_text is None:
        return "(the roadmap does not say)"
    unknown = [f"{number} (not in this roadmap)" for number in phase.unknown_dependencies]
    return ", ".join([*phase.depends_on, *unknown]) or "nothing"


def _plan_line(plan: FoundPlan) -> str:
    """One plan; where tick and files disagree, that is said."""
    remarks = [] if plan.tasks is None else [counted(plan.tasks, "task")]
    if plan.path is not None and plan.is_ticked is None:
        remarks.append("not listed in the roadmap")
    elif plan.path is not None and plan.is_ticked != plan.is_done:
        remarks.append("ticked, but there is no SUMMARY" if plan.is_ticked else "done, but not ticked")
    elif plan.path is None and plan.id:
        remarks.append("no file")
    remark = f"  ({', '.join(remarks)})" if remarks else ""
    text = f"{plan.id} {plan.text}".strip()
    return f"  {'✓' if plan.is_done else '○'} {text}{remark}"
