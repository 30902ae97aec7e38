"""A plan's text → a `Plan`, or every problem in it. Pure: nothing is opened, resolved or run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bursar.plan.dependencies import Declared, resolve_dependencies
from bursar.plan.elements import Element, find_tasks, has_too_many_tags
from bursar.plan.front_matter import parse_front_matter
from bursar.plan.identity import identify_plan
from bursar.plan.model import Plan, Problem, Task, UnreadablePlan
from bursar.plan.numbering import assign_numbers, split_label
from bursar.plan.plan_fields import parse_plan_fields
from bursar.plan.sections import context_paths, find_section, outside_tasks
from bursar.plan.source import Source
from bursar.plan.task_fields import parse_task, task_title

_HEADING_TASK = re.compile(r"^#{2,5}[ \t]+(?:Task[ \t]+[\w.-]+|T\d+)[ \t]*[:.—–-]", re.MULTILINE)


def parse_plan(text: str, path: Path, *, folder: str | None = None) -> Plan | UnreadablePlan:
    """The plan that `text` holds; with an error in it, an `UnreadablePlan` that lists all problems.

    A byte order mark is dropped and `\\r\\n` read as `\\n`, so that digests of tasks do not depend on the checkout.

    Args:
        folder: name of the folder that the file lies in, where `path` does not say it.
    """
    source = Source(text.removeprefix("\ufeff").replace("\r\n", "\n"), path)
    front = parse_front_matter(source)
    elements = find_tasks(source, front.body_offset)
    if not elements and not has_too_many_tags(source.text):
        _note_no_tasks(source, front.body_offset)
    tasks = _parse_tasks(source, elements)
    identity = identify_plan(path, path.parent.name if folder is None else folder, front.values)
    fields = parse_plan_fields(source, front)
    prose = outside_tasks(source.text, front.body_offset, elements)
    problems = source.problems()
    plan = Plan(
        path=path,
        id=identity.id,
        phase=identity.phase,
        number=identity.number,
        phase_number=identity.phase_number,
        tasks=tasks,
        type=fields.type,
        depends_on=fields.depends_on,
        wave=fields.wave,
        files_modified=fields.files_modified,
        objective=find_section(prose, "objective"),
        context_paths=context_paths(prose),
        digest=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        front_matter=front.values,
        warnings=_warnings(problems),
    )
    if any(problem.is_error for problem in problems):
        return UnreadablePlan(path=path, problems=problems, draft=plan)
    return plan


def _parse_tasks(source: Source, elements: Sequence[Element]) -> tuple[Task, ...]:
    """The tasks with their numbers and dependencies, which only all of them together settle."""
    labels = [split_label(task_title(source, element)) for element in elements]
    aliases = [_alias(element) for element in elements]
    given = [label.number or alias or None for label, alias in zip(labels, aliases, strict=True)]
    numbers = assign_numbers(source, [element.offset for element in elements], given)
    tasks = [
        parse_task(source, element, number, label.name)
        for element, number, label in zip(elements, numbers, labels, strict=True)
    ]
    declared = [_declared(element, task, alias) for element, task, alias in zip(elements, tasks, aliases, strict=True)]
    resolved = resolve_dependencies(source, declared)
    return tuple(replace(task, depends_on=names) for task, names in zip(tasks, resolved, strict=True))


def _alias(element: Element) -> str:
    """What the attributes call the task: `id="task-3"` and `number="3"` say `3`."""
    for name in ("id", "number"):
        if name in element.attributes:
            value = " ".join(element.attributes[name].value.split())
            return re.sub(r"^task[\s_#-]+(?=.)", "", value, flags=re.IGNORECASE)
    return ""


def _declared(element: Element, task: Task, alias: str) -> Declared:
    attribute = element.attributes.get("depends-on") or element.attributes.get("depends_on")
    return Declared(
        number=task.number,
        alias=alias,
        is_parallel=task.is_parallel,
        depends_on=None if attribute is None else attribute.value,
        offset=element.offset,
    )


def _note_no_tasks(source: Source, body_offset: int) -> None:
    heading = _HEADING_TASK.search(source.text, body_offset)
    if heading is None:
        source.error(
            0, "there is no `<task>` in this file", hint="a plan holds <task> elements; is this the right file?"
        )
    else:
        hint = 'write each as <task type="auto"> with <name>, <files>, <action> and <verify>'
        source.error(heading.start(), "tasks written as headings are not read yet, and there is no `<task>`", hint=hint)


def _warnings(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems if not problem.is_error)
