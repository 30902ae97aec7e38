"""Several plans, or phases of a roadmap, as one run: read and sorted out; what can be refused is refused here.

Source: docs/decisions/0041-roadmaps-are-one-run.md
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bursar.errors import InvalidPlan, UserError
from bursar.graph import (
    ChosenPlans,
    Cycle,
    Graph,
    IndexedPlan,
    LeftOut,
    PhaseToRun,
    PlanIndex,
    build_graph,
    build_plan_index,
    check_roadmap,
    choose_plans,
    phases_to_run,
    program_nodes,
    unreadable_problems,
)
from bursar.plan import (
    Phase,
    PhaseFolder,
    PhaseStatus,
    PlanOnDisk,
    PlanStatus,
    Problem,
    Program,
    Roadmap,
    UnreadableRoadmap,
    build_program,
    find_phase_folders,
    read_phase_plans,
    read_plan_on_disk,
    read_roadmap,
    resolve_plan_reference,
)
from bursar.run.named_phases import named_phases


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What was asked for beyond one plan, and what came of it.

    Attributes:
        scope: as the journal keeps it: JSON, the same for the same question.
        id: what the run is called where a single plan's id would stand.
        path: the roadmap, or the first plan.
        phases: those of the roadmap that were asked for, by number.
        roadmap: the roadmap as people write it; empty for plans that were named one by one.
    """

    scope: str
    id: str
    path: Path
    choice: ChosenPlans
    phases: Mapping[str, Phase] = field(default_factory=dict)
    roadmap: str = ""

    def program(self, known: Collection[str] = ()) -> Program:
        """The plans that are to be done, and those that are done and that the run knows, by their ids."""
        parts = {part.plan.id: part for part in self.choice.done if part.plan.id in known}
        parts |= {part.plan.id: part for part in self.choice.parts}
        in_order = [parts[name] for name in self.choice.after if name in parts]
        return build_program(in_order, self.choice.after, id_=self.id, path=self.path, roadmap=self.roadmap)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What is not run this time, and why."""
        return self.choice.left_out


def select_phases(path: Path, phases: str | None) -> Selection:
    """The phases of the roadmap that are to be done, or those of them that `phases` names: `2-4`, `1,3`, `2.1`.

    Raises:
        InvalidPlan: the roadmap or a plan has problems, or phases or plans wait for each other.
        UserError: there is no such phase, or one waits for a phase that is neither done nor asked for.
    """
    roadmap = read_roadmap(path)
    if isinstance(roadmap, UnreadableRoadmap):
        raise InvalidPlan("\n".join(map(str, roadmap.problems)), hint=roadmap.problems[0].hint)
    nodes = phases_to_run(roadmap)
    graph = build_graph(nodes)
    if isinstance(graph, Cycle):
        problems = check_roadmap(roadmap)
        raise InvalidPlan("\n".join(map(str, problems)), hint=problems[0].hint)
    chosen = named_phases(roadmap, phases) if phases is not None else {node.key for node in nodes}
    over = [_is_over(roadmap, each.number) for each in roadmap.phases if each.number in chosen - graph.wave.keys()]
    depends_on = {node.key: node.depends_on for node in nodes}
    found = {number: _phase(roadmap, number) for number in graph.order}
    _check_awaited(roadmap, chosen, depends_on, found)
    wanted = [
        replace(found[number], depends_on=tuple(name for name in depends_on[number] if name in chosen))
        for number in graph.order
        if number in chosen
    ]
    choice = _choose(wanted)
    return Selection(
        scope=json.dumps({"phases": None if phases is None else ",".join(sorted(chosen))}),
        id="roadmap",
        path=path.resolve(),
        choice=replace(choice, left_out=(*over, *choice.left_out)),
        phases={phase.number: phase for phase in roadmap.phases if phase.number in chosen},
        roadmap=str(path),
    )


def select_plans(paths: Sequence[Path]) -> Selection:
    """These plans, in the order that their dependencies ask for.

    Raises:
        InvalidPlan: one has problems, two have one id, they wait for each other, or one for a plan that is neither done
            nor among them.
    """
    files = sorted({path.resolve() for path in paths})
    folders = [_folder_with(folder, files) for folder in dict.fromkeys(file.parent for file in files)]
    wanted = [PhaseToRun(index=_index(folder), folder=str(folder.path)) for folder in folders]
    choice = _choose(wanted, set(files))
    more = f"+{len(files) - 1}" if len(files) > 1 else ""
    ids = [part.plan.id for part in (*choice.done, *choice.parts)]
    return Selection(
        scope=json.dumps({"plans": [str(file) for file in files]}),
        id=f"{ids[0] if ids else files[0].stem}{more}",
        path=files[0],
        choice=choice,
    )


def reselect(scope: str, path: Path) -> Selection:
    """The same question again, as the journal keeps it. Raises what the two above raise."""
    asked = json.loads(scope)
    return (
        select_plans([Path(each) for each in asked["plans"]])
        if "plans" in asked
        else select_phases(path, asked["phases"])
    )


def link_program(program: Program) -> Graph:
    """The graph of all its tasks.

    Raises:
        InvalidPlan: tasks of one plan wait for each other.
    """
    graph = build_graph(program_nodes(program))
    if isinstance(graph, Cycle):
        part = program.part_of(graph.path[0])
        raise InvalidPlan(f"{part.plan.path}: tasks wait for each other: {graph.drawing}")
    return graph


def _choose(phases: Sequence[PhaseToRun], files: Collection[Path] | None = None) -> ChosenPlans:
    """The plans in the order in which they can be done, and what is left out.

    Raises:
        InvalidPlan: something has to be mended first; every problem is named.
    """

    def is_wanted(plan: IndexedPlan) -> bool:
        return files is None or plan.on_disk.path.resolve() in files

    choice = choose_plans(phases, is_wanted)
    problems = [*unreadable_problems(phases, is_wanted), *choice.problems]
    if problems:
        hint = next((problem.hint for problem in problems if problem.hint), None)
        count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise InvalidPlan("\n  ".join([f"these plans have {count}:", *map(str, problems)]), hint=hint)
    return choice


def _is_over(roadmap: Roadmap, number: str) -> LeftOut:
    """A phase that was asked for by name and that nobody is to do."""
    phase = roadmap.phase(number)
    assert phase is not None
    because = {
        PhaseStatus.COMPLETE: "the roadmap says that it is complete",
        PhaseStatus.DROPPED: "the roadmap says that nobody will do it",
        PhaseStatus.PARKED: "the roadmap says that it was put off",
    }[phase.status]
    return LeftOut(f"phase {number}", because)


def _check_awaited(
    roadmap: Roadmap, chosen: Collection[str], depends_on: Mapping[str, Sequence[str]], found: Mapping[str, PhaseToRun]
) -> None:
    """Phases that were asked for wait for nothing but phases that are done or asked for, too.

    Raises:
        UserError: one waits for another phase.
    """
    for number in (each for each in depends_on if each in chosen):
        for name in depends_on[number]:
            if name not in chosen and not _is_done(found[name]):
                all_of_them = ",".join(_with_awaited(chosen, depends_on, found))
                raise UserError(
                    f"phase {number} waits for phase {name}, which is not done and not among --phases",
                    hint=f"bursar run {shlex.quote(str(roadmap.path))} --phases {all_of_them}",
                )


def _with_awaited(
    chosen: Collection[str], depends_on: Mapping[str, Sequence[str]], found: Mapping[str, PhaseToRun]
) -> list[str]:
    """These phases and all that they wait for, one through the other, in the roadmap's order."""
    needed, looked_at = set(chosen), list(chosen)
    while looked_at:
        for name in depends_on.get(looked_at.pop(), ()):
            if name not in needed and not _is_done(found[name]):
                needed.add(name)
                looked_at.append(name)
    return [number for number in depends_on if number in needed]


def _is_done(phase: PhaseToRun) -> bool:
    """Every plan of it has a SUMMARY, whatever the roadmap says."""
    plans = phase.index.plans if phase.index is not None else ()
    is_whole = all(each.on_disk.status is PlanStatus.COMPLETED for each in plans)
    return bool(plans) and is_whole and not phase.missing


def _phase(roadmap: Roadmap, number: str) -> PhaseToRun:
    """The phase with its plans on disk.

    Raises:
        InvalidPlan: it has several folders, or its plans wait for each other.
    """
    phase = roadmap.phase(number)
    assert phase is not None
    base = roadmap.path.resolve().parent
    places = [base / "phases", *sorted(base.glob("milestones/*/"))]
    folders = next(filter(None, (find_phase_folders(place, number) for place in places)), [])
    if len(folders) > 1:
        listed = ", ".join(str(folder) for folder in folders)
        raise InvalidPlan(f"phase {number} has more than one folder: {listed}", hint="move its plans into one of them")
    read = read_phase_plans(folders[0]) if folders else None
    if isinstance(read, Problem):
        raise InvalidPlan(str(read), hint=read.hint)
    words = re.sub(r"[^a-z0-9]+", "-", phase.name.lower()).strip("-")
    default = roadmap.path.parent / "phases" / (f"{number.zfill(2)}-{words}" if words else number.zfill(2))
    return PhaseToRun(
        number=number,
        name=phase.name,
        index=None if read is None else _index(read),
        missing=() if read is None else _missing(phase, read),
        folder=str(folders[0] if folders else default),
    )


def _missing(phase: Phase, folder: PhaseFolder) -> tuple[str, ...]:
    """Plans that the roadmap lists, unticked, and that no file is."""
    identities = [each.identity for each in folder.plans]
    listed = [each.id for each in phase.plans if each.id and not each.is_done]
    own = identities[0].id if identities else f"{phase.number}-00"
    return tuple(name for name in listed if resolve_plan_reference(name, own, identities) is None)


def _index(folder: PhaseFolder) -> PlanIndex:
    index = build_plan_index(folder)
    if isinstance(index, PlanIndex):
        return index
    raise InvalidPlan("\n".join(map(str, index)))


def _folder_with(folder: Path, files: Sequence[Path]) -> PhaseFolder:
    """The plans of a folder, and those of the files in it that are plans though they are not called so."""
    read = read_phase_plans(folder)
    plans: tuple[PlanOnDisk, ...] = () if isinstance(read, Problem) else read.plans
    known = {each.path.resolve() for each in plans}
    more = tuple(read_plan_on_disk(file) for file in files if file.parent == folder and file not in known)
    if isinstance(read, Problem):
        return PhaseFolder(path=folder, phase=folder.name, plans=more)
    return replace(read, plans=(*plans, *more))
