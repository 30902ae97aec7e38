"""What is to be estimated: the tasks of a plan, of a phase's open plans, or of all open phases of a roadmap."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bursar.cli.parallel_roadmap import link_phases, open_roadmap
from bursar.cli.phases import find_planning, open_phase
from bursar.cli.problems import tell_problems
from bursar.cli.roadmap_files import label
from bursar.errors import InvalidPlan, UserError
from bursar.estimation import estimate_phase_tokens
from bursar.graph import Graph, build_graph, check_plan, plan_nodes
from bursar.history import Work
from bursar.plan import (
    Phase,
    PhaseFolder,
    Plan,
    PlanStatus,
    Problem,
    Roadmap,
    UnreadablePlan,
    find_phase_folders,
    read_phase_plans,
    read_plan,
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything that is estimated together, each piece of work after all that it waits for."""

    title: str
    works: Sequence[Work]


def read_scope(target: str) -> Scope:
    """What `target` means: a file that is a plan or a roadmap, the folder of a phase, or its number.

    Raises:
        UserError: there is no such thing, or nothing in it is left to do.
        InvalidPlan: it cannot be read, or things wait for each other.
    """
    path = Path(target)
    if path.is_file() and "ROADMAP" in path.name.upper():
        return _nonempty(_of_roadmap(open_roadmap(target)))
    if path.is_file():
        plan = _read_plan(path)
        return _nonempty(Scope(f"plan {plan.id}", [*_of_plan(plan, "", ())]))
    if path.suffix == ".md":
        raise UserError(f"there is no file {target}", hint="bursar estimate .planning/ROADMAP.md")
    return _nonempty(_of_folder(open_phase(target)))


def _nonempty(scope: Scope) -> Scope:
    if not any(work.task or work.phase_tokens for work in scope.works):
        raise UserError(f"{scope.title} has nothing left to do")
    return scope


def _of_folder(folder: PhaseFolder) -> Scope:
    if not folder.plans:
        roadmap = folder.path / "ROADMAP.md"
        hint = shlex.join(["bursar", "estimate", str(roadmap)]) if roadmap.is_file() else None
        raise UserError(f"there are no plans in {folder.path}", hint=hint)
    return Scope(f"phase {folder.phase}", [*_of_plans(_open_plans(folder), ())])


def _of_roadmap(roadmap: Roadmap) -> Scope:
    planning = find_planning(roadmap.path.absolute().parent)
    works: list[Work] = []
    graph = link_phases(roadmap)
    for number in graph.order:
        phase = roadmap.phase(number)
        if phase is None:
            continue
        before = tuple(f"phase {name}" for name in graph.dependencies(number))
        inner = [*_of_phase(phase, planning, before)]
        works += inner
        waits = tuple(work.name for work in inner) or before
        works.append(Work(name=f"phase {number}", waits_for=waits))
    return Scope(f"roadmap {roadmap.path}", works)


def _of_phase(phase: Phase, planning: Path | None, before: tuple[str, ...]) -> Iterator[Work]:
    """The open plans of its folder; without any plan the documented guess."""
    folders = find_phase_folders(planning / "phases", phase.number) if planning is not None else []
    folder = read_phase_plans(folders[0]) if len(folders) == 1 else None
    if isinstance(folder, PhaseFolder) and folder.plans:
        yield from _of_plans(_open_plans(folder), before)
        return
    tokens = estimate_phase_tokens(phase)
    yield Work(name=f"all of phase {phase.number}", title=label(phase), phase_tokens=tokens, waits_for=before)


def _of_plans(plans: Sequence[Plan], before: tuple[str, ...]) -> Iterator[Work]:
    """Plan after plan, in the order of their names."""
    for plan in plans:
        inner = [*_of_plan(plan, f"{plan.id}/", before)]
        yield from inner
        end = f"plan {plan.path}"
        yield Work(name=end, waits_for=tuple(work.name for work in inner) or before)
        before = (end,)


def _of_plan(plan: Plan, prefix: str, before: tuple[str, ...]) -> Iterator[Work]:
    graph = build_graph(plan_nodes(plan))
    if not isinstance(graph, Graph):
        raise InvalidPlan("\n".join(map(str, check_plan(plan))))
    tasks = {task.number: task for task in plan.tasks}
    for number in graph.order:
        task = tasks[number]
        waits = tuple(f"{prefix}{name}" for name in graph.dependencies(number)) or before
        name = f"{prefix}{number}"
        yield Work(name=name, title=task.title, task=None if task.is_checkpoint else task, waits_for=waits)


def _open_plans(folder: PhaseFolder) -> list[Plan]:
    """Those that can be read and have no SUMMARY; of the others it is told on stderr that they are left out."""
    plans = []
    for each in folder.plans:
        if each.status is not PlanStatus.PENDING:
            continue
        if isinstance(each.plan, Plan):
            plans.append(each.plan)
        else:
            sys.stderr.write(f"warning: {each.path} is left out: it cannot be read (bursar plan check {each.path})\n")
    return plans


def _read_plan(path: Path) -> Plan:
    plan = read_plan(path)
    if isinstance(plan, UnreadablePlan):
        problems: list[Problem] = [problem for problem in plan.problems if problem.is_error]
        tell_problems(problems)
        raise InvalidPlan(f"{path} is no plan that can be run", hint=f"bursar plan check {path}")
    return plan
