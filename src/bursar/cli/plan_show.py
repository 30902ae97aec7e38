"""`bursar plan check|show`: what bursar reads in a plan; nothing is run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bursar.cli.json_output import write_json_line
from bursar.cli.parsing import parser
from bursar.cli.problems import problems_as_data
from bursar.errors import INVALID_PLAN, OK
from bursar.graph import Graph, build_graph, check_plan, plan_nodes, render_waves
from bursar.plan import Plan, PlanForm, Problem, Task, UnreadablePlan, classify_verify, normal_number, read_plan


def main(arguments: Sequence[str]) -> int:
    """Shows or checks plans; exit code 3 if one of them cannot be run."""
    options = parser("plan", "show what bursar reads in a plan, or check it; nothing is run")
    options.add_argument(
        "action", choices=("check", "show"), help="check: problems and commands; show: tasks and order"
    )
    options.add_argument("paths", nargs="+", metavar="PATH")
    options.add_argument("--json", action="store_true", help="one JSON object a line, in the order of the paths")
    chosen = options.parse_args(arguments)
    code = OK
    for path in map(Path, chosen.paths):
        shown = _read(path)
        if shown.errors:
            code = INVALID_PLAN
        if chosen.json:
            write_json_line(_as_data(shown))
        else:
            _print(chosen.action, shown)
    return code


@dataclass(frozen=True, slots=True)
class _Shown:
    """What there is to show of one file: the plan, even one that cannot be run, and every problem."""

    path: Path
    plan: Plan | None
    problems: tuple[Problem, ...]
    is_runnable: bool

    @property
    def errors(self) -> int:
        return sum(1 for problem in self.problems if problem.is_error)


def _read(path: Path) -> _Shown:
    plan = read_plan(path)
    if isinstance(plan, UnreadablePlan):
        return _Shown(path, plan.draft, plan.problems, is_runnable=False)
    return _Shown(path, plan, (*plan.warnings, *check_plan(plan)), is_runnable=True)


def _print(action: str, shown: _Shown) -> None:
    for problem in shown.problems:
        sys.stderr.write(f"{'error' if problem.is_error else 'warning'}: {problem}\n")
        if problem.hint:
            sys.stderr.write(f"  hint: {problem.hint}\n")
    plan = shown.plan
    if plan is None or (action == "check" and not shown.is_runnable):
        return
    count = f"{len(plan.tasks)} task{'' if len(plan.tasks) == 1 else 's'}"
    written = {PlanForm.HEADINGS: ", written as headings", PlanForm.FEATURE: ", written as features"}
    errors = f"{shown.errors} error{'' if shown.errors == 1 else 's'}"
    sys.stdout.write(f"{shown.path}: plan {plan.id}, {count}{written.get(plan.form, '')}, {errors}\n")
    sys.stdout.write(_verification(plan) if action == "check" else _order(plan, shown.errors > 0))


def _verification(plan: Plan) -> str:
    """Which verify texts are commands that would be run, which are prose for the agent, and what waits for a person."""
    lines = []
    for task in plan.tasks:
        read = classify_verify(task.verify)
        lines += [f"  task {task.number}  runs    {command}" for command in task.commands]
        if task.is_checkpoint and not task.commands:
            lines.append(f"  task {task.number}  waits   for a person: {task.type}")
        elif not task.commands:
            lines.append(f"  task {task.number}  prose   {read.reason.removeprefix('prose: ') or 'nothing to verify'}")
    return "".join(f"{line}\n" for line in lines)


def _order(plan: Plan, has_errors: bool) -> str:
    """The tasks; and their waves, where the plan has no errors."""
    lines = [_line(task) for task in plan.tasks]
    graph = None if has_errors else build_graph(plan_nodes(plan))
    if isinstance(graph, Graph):
        lines += ["", render_waves(graph)]
    lines += _subagents(plan)
    return "".join(f"{line}\n" for line in lines)


def _subagents(plan: Plan) -> list[str]:
    """What the types that the plan names mean, agent by agent; nothing where it names none but the usual one."""
    from bursar.agents import subagent_settings  # here, because most plans name none

    kinds: dict[tuple[str, bool], list[str]] = {}
    for task in plan.tasks:
        if task.subagent != "general-purpose" and not task.is_checkpoint:
            kinds.setdefault((task.subagent, bool(task.files)), []).append(task.number)
    lines = []
    for (kind, writes_files), numbers in sorted(kinds.items()):
        why = (
            ", which names files"
            if writes_files and len(numbers) == 1
            else ", which name files"
            if writes_files
            else ""
        )
        lines += ["", f"subagent {kind} (task {', '.join(numbers)}{why}):"]
        settings = subagent_settings(kind, writes_files=writes_files)
        lines += [f"  {agent:<9} {words}" for agent, words in settings.items()]
    return lines


def _line(task: Task) -> str:
    kind = "" if task.type == "auto" or task.title == task.type else f"  [{task.type}]"
    waits = f"  ← {', '.join(task.depends_on)}" if task.depends_on else ""
    return f"  {task.number:>3}  {task.title}{kind}{waits}"


def _as_data(shown: _Shown) -> dict[str, Any]:
    """One plan for other programs; `phase` and `plan` are numbers as text without leading zeros, or else words."""
    plan = shown.plan
    place: dict[str, Any] = {"id": None, "phase": None, "plan": None, "form": None, "type": None}
    place |= {"wave": None, "depends_on": [], "files_modified": [], "tasks": []}
    if plan is not None:
        place |= {
            "id": plan.id,
            "phase": plan.phase_number or plan.phase or None,
            "plan": normal_number(plan.number) or None,
            "form": plan.form.value,
            "type": plan.type or None,
            "wave": plan.wave,
            "depends_on": list(plan.depends_on),
            "files_modified": list(plan.files_modified),
            "tasks": [_task_as_data(task) for task in plan.tasks],
        }
    return {"path": str(shown.path), **place, "problems": problems_as_data(shown.problems)}


def _task_as_data(task: Task) -> dict[str, Any]:
    data = {
        "number": task.number,
        "type": task.type,
        "name": task.name,
        "subagent": task.subagent,
        "context_mode": task.context_mode.value,
        "files": list(task.files),
        "depends_on": list(task.depends_on),
        "commands": list(task.commands),
        "line": task.position.line,
    }
    return data if task.checkpoint is None else {**data, "checkpoint": asdict(task.checkpoint)}
