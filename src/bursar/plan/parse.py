"""A plan's text → a `Plan`, or every problem in it. Pure: nothing is opened, resolved or run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bursar.plan.dependencies import Declared, resolve_dependencies
from bursar.plan.elements import MAX_TASK_TAGS, Attribute, Element, find_tasks, has_too_many_tags
from bursar.plan.front_matter import FrontMatter, parse_front_matter
from bursar.plan.headings import find_heading_tasks, with_labelled_fields
from bursar.plan.identity import identify_plan, phase_in_file
from bursar.plan.model import Plan, PlanForm, PlanIdentity, Problem, Task, UnreadablePlan
from bursar.plan.numbering import assign_numbers, split_label
from bursar.plan.plan_fields import parse_plan_fields
from bursar.plan.sections import context_paths, find_section, outside_tasks
from bursar.plan.source import Source
from bursar.plan.task_fields import parse_task, task_title

_DEPENDS_ON = ("depends-on", "depends_on", "depends", "wait_for", "wait-for")


def parse_plan(text: str, path: Path, *, folder: str | None = None, digest: str | None = None) -> Plan | UnreadablePlan:
    """The plan that `text` holds; with an error in it, an `UnreadablePlan` that lists all problems.

    A byte order mark is dropped and `\\r\\n` read as `\\n`, so that digests of tasks do not depend on the checkout.

    Args:
        folder: name of the folder that the file lies in, where `path` does not say it.
        digest: of the file's bytes, where they are not those of `text`.
    """
    source = Source(text.removeprefix("\ufeff").replace("\r\n", "\n"), path)
    front = parse_front_matter(source)
    written = _find_tasks(source, front.body_offset)
    tasks = _parse_tasks(source, written.elements)
    identity = identify_plan(path, path.parent.name if folder is None else folder, front.values)
    _check_phase(source, front, identity)
    fields = parse_plan_fields(source, front)
    prose = outside_tasks(source.text, front.body_offset, written.elements)
    problems = source.problems()
    plan = Plan(
        path=path,
        id=identity.id,
        phase=identity.phase,
        number=identity.number,
        phase_number=identity.phase_number,
        tasks=tasks,
        form=written.form,
        type=fields.type,
        depends_on=fields.depends_on,
        wave=fields.wave,
        files_modified=fields.files_modified,
        objective=find_section(prose, "objective"),
        context_paths=context_paths(prose),
        digest=digest or hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        front_matter=front.values,
        warnings=_warnings(problems),
    )
    if any(problem.is_error for problem in problems):
        return UnreadablePlan(path=path, problems=problems, draft=plan)
    return plan


@dataclass(frozen=True, slots=True)
class _Written:
    """The tasks as they stand in the text, and in which form."""

    form: PlanForm
    elements: Sequence[Element] = ()


def _find_tasks(source: Source, start: int) -> _Written:
    """The tasks in the form that the plan has: elements, else features, else headings; none at all is an error."""
    if has_too_many_tags(source.text):
        source.error(start, f"there are more than {MAX_TASK_TAGS:,} `<task>` tags")
        return _Written(PlanForm.NONE)
    if elements := find_tasks(source, start):
        return _Written(PlanForm.XML, [with_labelled_fields(source, element) for element in elements])
    if features := find_tasks(source, start, "feature"):
        return _Written(PlanForm.FEATURE, [_as_test_first(feature) for feature in features])
    if sections := find_heading_tasks(source, start):
        return _Written(PlanForm.HEADINGS, sections)
    hint = "a plan holds <task> elements, or headings such as `### Task 1: Add login`; is this the right file?"
    source.error(0, "there is no `<task>` in this file", hint=hint)
    return _Written(PlanForm.NONE)


def _as_test_first(feature: Element) -> Element:
    return replace(feature, attributes={"type": Attribute("tdd", feature.offset), **feature.attributes})


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
    return tuple(
        replace(task, depends_on=names) if names else task for task, names in zip(tasks, resolved, strict=True)
    )


def _alias(element: Element) -> str:
    """What the attributes call the task: `id="task-3"` and `number="3"` say `3`."""
    for name in ("id", "number"):
        if name in element.attributes:
            value = " ".join(element.attributes[name].value.split())
            return re.sub(r"^task[\s_#-]+(?=.)", "", value, flags=re.IGNORECASE)
    return ""


def _declared(element: Element, task: Task, alias: str) -> Declared:
    attribute = next((element.attributes[name] for name in _DEPENDS_ON if name in element.attributes), None)
    return Declared(
        number=task.number,
        alias=alias,
        is_parallel=task.is_parallel,
        depends_on=None if attribute is None else attribute.value,
        offset=element.offset,
    )


def _check_phase(source: Source, front: FrontMatter, identity: PlanIdentity) -> None:
    """Warn where the file's name is of another phase than the front matter, as after phases were renumbered."""
    in_file = phase_in_file(source.path)
    if "phase" in front.offsets and identity.phase_number and in_file not in ("", identity.phase_number):
        message = f"`phase` is {identity.phase_number}, and the file's name says {in_file}; the plan is {identity.id}"
        source.warn(front.offsets["phase"], message)


def _warnings(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems if not problem.is_error)
