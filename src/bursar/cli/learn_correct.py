"""`bursar learn correct|forget`: a person's word on what was learned."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bursar.cli.learn_history import opened_history
from bursar.cli.parsing import parser
from bursar.errors import OK, UserError
from bursar.estimation import TaskType
from bursar.history import Observation
from bursar.plan import UnreadablePlan, read_plan
from bursar.session import find_project


def main(arguments: Sequence[str]) -> int:
    """Corrects or forgets."""
    return _correct(arguments[1:]) if arguments[0] == "correct" else _forget(arguments[1:])


def _correct(arguments: Sequence[str]) -> int:
    options = parser("learn correct", "this task is of that type, whatever was inferred, in all its attempts")
    options.add_argument("plan", metavar="PLAN")
    options.add_argument("task", metavar="TASK", help="the task's number")
    options.add_argument("type", metavar="TYPE", help=", ".join(TaskType))
    chosen = options.parse_args(arguments)
    if chosen.type not in tuple(TaskType):
        raise UserError(f"there is no type `{chosen.type}`", hint=f"types: {', '.join(TaskType)}")
    digest = _digest(Path(chosen.plan), chosen.task)
    with opened_history() as history:
        history.correct(digest, chosen.type)
        seen = sum(each.digest == digest for each in history.observations())
    sys.stderr.write(f"task {chosen.task} is {chosen.type}; {seen} finished attempts at it count as that\n")
    return OK


def _digest(path: Path, number: str) -> str:
    plan = read_plan(path)
    if isinstance(plan, UnreadablePlan):
        raise UserError(f"{path} is no plan that can be read", hint=f"bursar plan check {path}")
    found = next((task.digest for task in plan.tasks if task.number == number), None)
    if found is None:
        numbers = ", ".join(task.number for task in plan.tasks[:12])
        raise UserError(f"plan {plan.id} has no task `{number}`", hint=f"it has {numbers}")
    return found


def _forget(arguments: Sequence[str]) -> int:
    options = parser("learn forget", "observations are dropped for good; all conditions given must hold")
    options.add_argument("--project", action="store_true", help="those of the project around the current folder")
    options.add_argument("--model", help="those of this model")
    options.add_argument("--origin", help="those that were imported under this name")
    options.add_argument("--all", action="store_true", help="all there are")
    options.add_argument("--yes", action="store_true", help="do it; without this it is only said what would go")
    chosen = options.parse_args(arguments)
    if not (chosen.all or chosen.project or chosen.model or chosen.origin):
        raise UserError("say what to forget", hint="bursar learn forget --model sonnet")
    project = find_project() if chosen.project else None

    def is_meant(seen: Observation) -> bool:
        return (
            (project is None or seen.project == project)
            and (chosen.model is None or seen.model == chosen.model)
            and (chosen.origin is None or seen.origin == chosen.origin)
        )

    with opened_history() as history:
        keys = [seen.key for seen in history.observations() if is_meant(seen)]
        gone = history.forget(keys) if chosen.yes else 0
    if chosen.yes:
        sys.stderr.write(f"{gone} observations are forgotten\n")
    else:
        sys.stderr.write(f"{len(keys)} observations would be forgotten; say --yes to do it\n")
    return OK
