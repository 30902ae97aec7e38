"""`bursar plan check|show`: what bursar reads in a plan; nothing is run."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bursar.cli.parsing import parser
from bursar.errors import INVALID_PLAN, OK
from bursar.graph import Graph, build_graph, check_plan, plan_nodes, render_waves
from bursar.plan import Plan, Problem, UnreadablePlan, classify_verify, read_plan


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
        plan, problems = _read(path)
        if any(problem.is_error for problem in problems):
            code = INVALID_PLAN
        if chosen.json:
            sys.stdout.write(json.dumps(_as_data(path, plan, problems), ensure_ascii=False) + "\n")
        else:
            _print(chosen.action, path, plan, problems)
    return code


def _read(path: Path) -> tuple[Plan | None, tuple[Problem, ...]]:
    plan = read_plan(path)
    if isinstance(plan, UnreadablePlan):
        return None, plan.problems
    return plan, (*plan.warnings, *check_plan(plan))


def _print(action: str, path: Path, plan: Plan | None, problems: Sequence[Problem]) -> None:
    for problem in problems:
        sys.stderr.write(f"{'error' if problem.is_error else 'warning'}: {problem}\n")
        if problem.hint:
            sys.stderr.write(f"  hint: {problem.hint}\n")
    if plan is None:
        return
    errors = sum(1 for problem in problems if problem.is_error)
    sys.stdout.write(f"{path}: plan {plan.id}, {len(plan.tasks)} tasks, {errors} errors\n")
    sys.stdout.write(_verification(plan) if action == "check" else _order(plan))


def _verification(plan: Plan) -> str:
    """Which verify texts are commands that would be run, and which are prose for the agent."""
    lines = []
    for task in plan.tasks:
        read = classify_verify(task.verify)
        lines += [f"  task {task.number}  runs    {command}" for command in task.commands]
        if not task.commands:
            lines.append(f"  task {task.number}  prose   {read.reason or 'nothing to verify'}")
    return "\n".join(lines) + "\n"


def _order(plan: Plan) -> str:
    graph = build_graph(plan_nodes(plan))
    if not isinstance(graph, Graph):
        return ""
    lines = [
        f"  {task.number:>3}  {task.name or task.type}"
        + (f"  ← {', '.join(task.depends_on)}" if task.depends_on else "")
        for task in plan.tasks
    ]
    return "\n".join([*lines, "", render_waves(graph)]) + "\n"


def _as_data(path: Path, plan: Plan | None, problems: Sequence[Problem]) -> dict[str, Any]:
    listed = [
        {
            "file": str(problem.path),
            "line": problem.position.line,
            "column": problem.position.column,
            "level": "error" if problem.is_error else "warning",
            "message": problem.message,
        }
        for problem in problems
    ]
    if plan is None:
        return {"path": str(path), "phase": None, "plan": None, "form": None, "tasks": [], "problems": listed}
    tasks = [
        {
            "number": task.number,
            "type": task.type,
            "name": task.name,
            "files": list(task.files),
            "depends_on": list(task.depends_on),
            "commands": list(task.commands),
            "line": task.position.line,
        }
        for task in plan.tasks
    ]
    return {
        "path": str(path),
        "phase": plan.phase,
        "plan": plan.number,
        "form": "xml",
        "tasks": tasks,
        "problems": listed,
    }
