"""Several plans as one: their tasks in one list, each known by its plan, `02-01/3`. Pure.

Whoever runs tasks need not know that they come from several plans; what belongs to a plan of its own (its objective,
its id in a commit's subject, its SUMMARY) is asked here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bursar.plan.model import Plan, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One plan of a program.

    Attributes:
        phase: the number of its phase in the roadmap, and `phase_name` what that is called; empty without a roadmap.
    """

    plan: Plan
    phase: str = ""
    phase_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Plans that are run as one.

    Attributes:
        whole: all of their tasks, numbered `PLAN/TASK`, as one plan; its digest is that of all of them.
        after: by id of a plan, the ids of those plans that go first.
        roadmap: the file that names their phases, as people write it; empty where the plans were named one by one.
    """

    parts: tuple[Part, ...]
    whole: Plan
    after: Mapping[str, Sequence[str]]
    roadmap: str = ""
    _by_number: Mapping[str, tuple[Part, Task]] = field(repr=False, compare=False)

    def part_of(self, number: str) -> Part:
        """The part that a task of the whole belongs to.

        Raises:
            KeyError: the whole has no such task.
        """
        return self._by_number[number][0]

    def own_task(self, number: str) -> Task:
        """The task as its own plan has it, under the number that it has there.

        Raises:
            KeyError: the whole has no such task.
        """
        return self._by_number[number][1]

    def numbers_of(self, part: Part) -> tuple[str, ...]:
        """What the tasks of a part are called in the whole, in its order."""
        return tuple(task_key(part.plan, task) for task in part.plan.tasks)

    @property
    def phases(self) -> tuple[str, ...]:
        """The numbers of all phases, in the order of their first parts."""
        return tuple(dict.fromkeys(part.phase for part in self.parts if part.phase))


def task_key(plan: Plan, task: Task) -> str:
    """What a task of a plan is called among those of several: `02-01/3`."""
    return f"{plan.id}/{task.number}"


def build_program(
    parts: Sequence[Part], after: Mapping[str, Sequence[str]], *, id_: str, path: Path, roadmap: str = ""
) -> Program:
    """The parts as one plan.

    A task that waits for nothing in its plan waits for the last ones of the plans that its plan comes after.

    Args:
        parts: no two of which have an id in common.
        after: for ids of parts, the ids of those parts that go first; others are not looked for.
    """
    by_id = {part.plan.id: part.plan for part in parts}
    last = {plan.id: _last_tasks(plan) for plan in by_id.values()}
    tasks: list[Task] = []
    for plan in by_id.values():
        before = tuple(key for name in after.get(plan.id, ()) for key in last.get(name, ()))
        tasks += [_placed(plan, task, before) for task in plan.tasks]
    digest = hashlib.sha256("\0".join(f"{plan.id}\0{plan.digest}" for plan in by_id.values()).encode()).hexdigest()
    return Program(
        parts=tuple(parts),
        whole=Plan(path=path, id=id_, phase="", number="", tasks=tuple(tasks), digest=digest),
        after=after,
        roadmap=roadmap,
        _by_number={task_key(part.plan, task): (part, task) for part in parts for task in part.plan.tasks},
    )


def _placed(plan: Plan, task: Task, before: tuple[str, ...]) -> Task:
    own = tuple(f"{plan.id}/{name}" for name in task.depends_on)
    return replace(task, number=task_key(plan, task), depends_on=own or before)


def _last_tasks(plan: Plan) -> tuple[str, ...]:
    """Tasks that no other task of the plan waits for: once they are done, all are."""
    awaited = {name for task in plan.tasks for name in task.depends_on}
    return tuple(task_key(plan, task) for task in plan.tasks if task.number not in awaited)
