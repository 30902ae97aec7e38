"""`bursar plan annotate`: writes into a plan how its tasks are run today, or which of them could run side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bursar.cli.json_output import write_json_line
from bursar.cli.parsing import parser
from bursar.errors import INVALID_PLAN, OK
from bursar.graph import Conflict, Graph, build_graph, check_plan, plan_nodes
from bursar.layout import count_of
from bursar.plan import (
    Annotated,
    Plan,
    Position,
    Problem,
    Task,
    UnreadablePlan,
    annotate,
    dependency_lines,
    explain_dependencies,
    find_stated_order,
    infer_dependencies,
    read_again,
    read_plan,
    render_diff,
    rewrite_file,
)
from bursar.routing import choose_annotations, effective_model

_MAX_DEPENDENCIES = 100_000  # a graph for people that nobody could read, and that would take minutes to write


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """A plan, the order that it is to have and why, and its text with that in it.

    Attributes:
        tasks: with the dependencies that they are to have.
        kept: tasks whose order was not inferred, as their author wrote it.
        text: the file as it was.
    """

    plan: Plan
    tasks: tuple[Task, ...]
    kept: tuple[str, ...]
    graph: Graph
    reasons: dict[str, dict[str, str]]
    annotated: Annotated
    text: str

    @property
    def is_changed(self) -> bool:
        """Whether anything is to be written."""
        return self.annotated.text != self.text


def main(arguments: Sequence[str]) -> int:
    """Annotates one plan; exit code 3, and nothing written, if it has errors.

    Raises:
        UserError: the file is read-only, cannot be written, or has changed meanwhile.
    """
    options = parser("plan annotate", "write into a plan how its tasks are run today; what stands in it stays")
    options.add_argument("path", metavar="PATH", type=Path)
    options.add_argument("--dry-run", action="store_true", help="show the changes as a diff and write nothing")
    options.add_argument(
        "--parallelize",
        action="store_true",
        help="write dependencies inferred from files, text and order instead of today's order, each with its reason",
    )
    options.add_argument("--json", action="store_true", help="one JSON object")
    chosen = options.parse_args(arguments[1:])
    result = _annotate(chosen.path, is_inferred=chosen.parallelize)
    if not isinstance(result, _Outcome):
        return _tell_problems(chosen.path, result, as_json=chosen.json)
    if result.is_changed and not chosen.dry_run:
        rewrite_file(chosen.path, result.annotated.text.encode(), result.plan.digest)
    if chosen.json:
        write_json_line(_as_data(result, is_dry=chosen.dry_run))
        return OK
    if chosen.dry_run:
        sys.stdout.write(render_diff(result.text, result.annotated.edits, str(chosen.path)))
    words = _in_words(result, is_dry=chosen.dry_run, is_inferred=chosen.parallelize)
    (sys.stderr if chosen.dry_run else sys.stdout).write(words)
    return OK


def _annotate(path: Path, *, is_inferred: bool) -> _Outcome | tuple[Problem, ...]:
    plan = read_plan(path)
    if isinstance(plan, UnreadablePlan):
        return plan.problems
    problems = check_plan(plan)
    if problems:
        return problems
    text = read_again(path, plan.digest).decode()
    stated = find_stated_order(text, plan)
    if isinstance(stated, Problem):
        return (stated,)
    return _annotate_text(plan, text, stated, is_inferred=is_inferred)


def _annotate_text(
    plan: Plan, text: str, stated: frozenset[str], *, is_inferred: bool
) -> _Outcome | tuple[Problem, ...]:
    tasks = plan.tasks
    if is_inferred:
        found = infer_dependencies(tasks, stated)
        tasks = tuple(replace(task, depends_on=found[task.number]) for task in tasks)
    if sum(len(task.depends_on) for task in tasks) > _MAX_DEPENDENCIES:
        message = f"cannot be annotated: its tasks have more than {_MAX_DEPENDENCIES:,} dependencies"
        return (Problem(plan.path, Position(1), message),)
    graph = build_graph(plan_nodes(replace(plan, tasks=tasks)))
    assert isinstance(graph, Graph)  # cycles have been told of, and inferring makes none
    reasons = explain_dependencies(tasks)
    models = {task.number: model for task in tasks if (model := effective_model(task)) is not None}
    section = dependency_lines(
        tasks, graph.waves(), models=models, reasons=reasons, conflicts=list(map(_conflict, graph.conflicts))
    )
    annotated = annotate(text, plan, choose_annotations(tasks, graph), section)
    if isinstance(annotated, Problem):
        return (annotated,)
    kept = tuple(task.number for task in tasks if is_inferred and task.number in stated)
    return _Outcome(plan=plan, tasks=tasks, kept=kept, graph=graph, reasons=reasons, annotated=annotated, text=text)


def _conflict(conflict: Conflict) -> str:
    return f"{conflict.second} waits for {conflict.first}: both write {conflict.file}"


def _tell_problems(path: Path, problems: Sequence[Problem], *, as_json: bool) -> int:
    """Every problem on standard error, or as data; the exit code."""
    if as_json:
        data = {"path": str(path), "plan": None, "changed": False, "tasks": [], "problems": _problems(problems)}
        write_json_line(data)
        return INVALID_PLAN
    for problem in problems:
        sys.stderr.write(f"{'error' if problem.is_error else 'warning'}: {problem}\n")
        if problem.hint:
            sys.stderr.write(f"  hint: {problem.hint}\n")
    sys.stderr.write("nothing was written\n")
    return INVALID_PLAN


def _in_words(result: _Outcome, *, is_dry: bool, is_inferred: bool) -> str:
    """What was done, and with an inferred order why each task waits for what it waits for."""
    plan, count = result.plan, len(result.annotated.added)
    what = f"{plan.path}: plan {plan.id}, {count_of(len(plan.tasks), 'task')}: "
    if not result.is_changed:
        what += "everything is there already, nothing to write"
    else:
        what += f"{count} {'would be annotated' if is_dry else 'annotated'}"
        what += ", in an inferred order" if is_inferred else ", in the order that holds today"
    lines = [what]
    if is_inferred:
        lines += [f"  {line}" for task in result.tasks for line in _order_in_words(task, result)]
        lines += [f"  {_conflict(conflict)}" for conflict in result.graph.conflicts]
    if result.kept:
        lines.append("  take depends-on and parallel out of a task to have its order inferred")
    if result.annotated.has_own_section:
        lines.append("  its own <task_dependency_graph> was left as it is; none was generated")
    return "\n".join(lines) + "\n"


def _order_in_words(task: Task, result: _Outcome) -> list[str]:
    if task.number in result.kept:
        return [f"{task.number} keeps the order that the plan gives it"]
    if not task.depends_on:
        return [f"{task.number} waits for nothing"]
    return [f"{task.number} waits for {name}: {result.reasons[task.number][name]}" for name in task.depends_on]


def _as_data(result: _Outcome, *, is_dry: bool) -> dict[str, Any]:
    annotated = result.annotated
    data: dict[str, Any] = {
        "path": str(result.plan.path),
        "plan": result.plan.id,
        "changed": result.is_changed and not is_dry,
        "tasks": [
            {
                "number": task.number,
                "name": task.name,
                "added": list(annotated.added.get(task.number, ())),
                "depends_on": list(task.depends_on),
                "reasons": result.reasons[task.number],
                "kept": task.number in result.kept,
            }
            for task in result.tasks
        ],
        "waves": [list(wave) for wave in result.graph.waves()],
        "conflicts": [{"first": c.first, "second": c.second, "file": c.file} for c in result.graph.conflicts],
        "section": "own" if annotated.has_own_section else "generated",
        "problems": _problems(result.plan.warnings),
    }
    if is_dry:
        data["diff"] = render_diff(result.text, annotated.edits, str(result.plan.path))
    return data


def _problems(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    return [
        {
            "file": str(problem.path),
            "line": problem.position.line,
            "column": problem.position.column,
            "level": "error" if problem.is_error else "warning",
            "message": problem.message,
        }
        for problem in problems
    ]
