"""`bursar learn correct|forget`: a person's word on what was learned."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bursar.cli.learn_history import opened_history
from bursar.cli.parsing import parser
from bursar.errors import OK, UserError
from bursar.estimation import TaskType
from bursar.history import History, Observation
from bursar.layout import count_of
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
    attempts = f"{count_of(seen, 'finished attempt')} at it {'counts' if seen == 1 else 'count'}"
    sys.stderr.write(f"task {chosen.task} is {chosen.type}; {attempts} as that\n")
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
    conditions = _Conditions(find_project() if chosen.project else None, chosen.model, chosen.origin)
    with opened_history() as history:
        found = _find(history, conditions)
        if chosen.yes:
            _drop(history, found, conditions)
    words = f"{_several(found.told)} {'are' if chosen.yes else 'would be'} forgotten"
    sys.stderr.write(f"{words}\n" if chosen.yes else f"{words}; say --yes to do it\n")
    return OK


@dataclass(frozen=True, slots=True)
class _Conditions:
    """What has to hold of an observation; None: anything."""

    project: str | None
    model: str | None
    origin: str | None

    @property
    def are_none(self) -> bool:
        return self.project is None and self.model is None and self.origin is None

    @property
    def are_of_imports(self) -> bool:
        """Whether refused rows are meant: they are of an origin, and of no project and no model."""
        return self.project is None and self.model is None

    def hold(self, seen: Observation) -> bool:
        return (
            self.project in {None, seen.project}
            and self.model in {None, seen.model}
            and self.origin in {None, seen.origin}
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """The observations that are meant, and all that is meant, in words."""

    keys: list[str]
    told: list[str]


def _find(history: History, conditions: _Conditions) -> _Found:
    read = history.read()
    keys = [seen.key for seen in read.observations if conditions.hold(seen)]
    told = [count_of(len(keys), "observation")]
    refused = [each for each in history.refused() if conditions.origin in {None, each.origin}]
    if refused and conditions.are_of_imports:
        told.append(f"{count_of(len(refused), 'refused row')} of imports")
    if conditions.are_none and read.unbelievable:
        told.append(f"{count_of(read.unbelievable, 'row')} that cannot be believed")
    if conditions.are_none and (corrections := history.corrections()):
        told.append(f"{len(corrections)} corrected {'type' if len(corrections) == 1 else 'types'}")
    return _Found(keys, told)


def _drop(history: History, found: _Found, conditions: _Conditions) -> None:
    if conditions.are_none:
        history.clear()
        return
    history.forget(found.keys)
    if conditions.origin is not None and conditions.are_of_imports:
        history.forget_refused(conditions.origin)


def _several(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
