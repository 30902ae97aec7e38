"""`bursar roadmap next`: the phases that can start now, and which first; by the roadmap and by what runs have done."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from bursar.cli.json_output import write_json_line
from bursar.cli.problems import tell_problems
from bursar.cli.roadmap_files import counted, label, open_roadmap, phase_as_data, roadmap_parser
from bursar.cli.roadmap_progress import Progress, read_progress, tell_progress
from bursar.errors import INVALID_PLAN, OK
from bursar.graph import awaited_phases, check_roadmap, startable_phases
from bursar.plan import Phase, PhaseStatus, Roadmap


def main(arguments: Sequence[str]) -> int:
    """Tells what can start; exit code 3 where the roadmap cannot be read or phases wait for each other."""
    options = roadmap_parser("next", "the phases whose dependencies are all done, and which to take first")
    chosen = options.parse_args(arguments[1:])
    roadmap = open_roadmap(chosen.path)
    if roadmap is None:
        return INVALID_PLAN
    progress = read_progress(roadmap)
    roadmap = progress.roadmap
    startable = startable_phases(roadmap)
    waiting = _waiting(roadmap, startable)
    if chosen.json:
        data = _as_data(roadmap, startable, waiting) | progress.as_data()
        write_json_line(data)
    else:
        sys.stdout.write(_words(progress, startable, waiting))
        tell_progress(progress)
    cycles = check_roadmap(roadmap)
    tell_problems(cycles)
    return INVALID_PLAN if cycles else OK


def _waiting(roadmap: Roadmap, startable: Sequence[Phase]) -> list[tuple[Phase, tuple[Phase, ...]]]:
    """The other phases that are to be done, each with what it waits for."""
    can_start = {phase.number for phase in startable}
    others = (phase for phase in roadmap.phases if phase.number not in can_start)
    return [(phase, awaited_phases(roadmap, phase)) for phase in others if phase.status.is_to_do]


def _as_data(
    roadmap: Roadmap, startable: Sequence[Phase], waiting: Sequence[tuple[Phase, tuple[Phase, ...]]]
) -> dict[str, Any]:
    return {
        "path": str(roadmap.path),
        "first": startable[0].number if startable else None,
        "startable": [phase_as_data(phase) for phase in startable],
        "waiting": [
            {"number": phase.number, "name": phase.name, "waits_for": [other.number for other in awaited]}
            for phase, awaited in waiting
        ],
    }


def _words(progress: Progress, startable: Sequence[Phase], waiting: Sequence[tuple[Phase, tuple[Phase, ...]]]) -> str:
    if not startable:
        return _why_none(progress.roadmap, len(waiting)) + "\n"
    first, *others = startable
    lines = [f"first: {label(first)}{_remark(first, progress)}"]
    lines += [f"also:  {label(phase)}{_remark(phase, progress)}" for phase in others]
    lines += [f"waits: {label(phase)} for {', '.join(other.number for other in awaited)}" for phase, awaited in waiting]
    return "\n".join(lines) + "\n"


def _remark(phase: Phase, progress: Progress) -> str:
    """What a reader should know before starting it."""
    remarks = ["has been begun"] if phase.status is PhaseStatus.IN_PROGRESS else []
    if progress.works_on(phase):
        remarks = [f"run {progress.run_id} works on it"]
    if phase.unknown_dependencies:
        remarks.append(f"names phase {', '.join(phase.unknown_dependencies)}, which this roadmap does not have")
    if phase.depends_text is None:
        remarks.append("does not say what it depends on")
    return f": {'; '.join(remarks)}" if remarks else ""


def _why_none(roadmap: Roadmap, waiting: int) -> str:
    if not roadmap.phases:
        return f"{roadmap.path} names no phase"
    parked = sum(phase.status is PhaseStatus.PARKED for phase in roadmap.phases)
    if waiting:
        return f"nothing can start: {counted(waiting, 'phase')} to be done, each waits for another"
    return "every phase is done" + (f", {parked} parked" if parked else "")
