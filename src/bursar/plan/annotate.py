"""Annotations → a plan's text, in which nothing else changes: by the offsets that the reader gives, never by rendering.

What an author wrote stays: an attribute that is there is not touched, whatever it says. The result is read again before
it is given out: a text that reads as the plan did but for what was added, or else a problem.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bursar.plan.annotation import ESTIMATED_BY, Annotated, TaskAnnotation
from bursar.plan.dependency_section import find_sections, section_edit
from bursar.plan.elements import Element, find_tasks
from bursar.plan.front_matter import parse_front_matter
from bursar.plan.metrics import METRIC_NAMES
from bursar.plan.model import Plan, Position, Problem, Task
from bursar.plan.original import Edit, Original, apply_edits
from bursar.plan.parse import parse_plan
from bursar.plan.read import MAX_BYTES
from bursar.plan.source import Source
from bursar.plan.tags import TaskTag, find_task_tags

_NAMEABLE = re.compile(r"(?!(?:none|nothing|null|and|n/a|na|-|—|task)\Z)[^\s,;&+#\[\]`\"']+", re.IGNORECASE)
_SPELLINGS = {"depends-on": ("depends-on", "depends_on")}


def annotate(
    text: str, plan: Plan, annotations: Mapping[str, TaskAnnotation], section: Sequence[str]
) -> Annotated | Problem:
    """The plan's text with what its tasks lack; the same text where they lack nothing.

    Args:
        text: what `plan` was read from, byte order mark and line ends included.
        annotations: by the number of the task.
        section: the lines of the dependency graph, without tags.
    """
    original = Original(text)
    found = _find_elements(original, plan)
    if isinstance(found, Problem):
        return found
    if (unnamed := _unnameable(plan, annotations)) is not None:
        hint = "give it a number: <name>Task 1: …</name>"
        return _refused(plan, f"`{unnamed.number}` cannot stand in depends-on", unnamed.position, hint)
    writer = _Writer(original, find_task_tags(original.normal, found.body_offset))
    for task, element in zip(plan.tasks, found.elements, strict=True):
        writer.annotate_task(task, element, annotations.get(task.number, TaskAnnotation()))
    sections = find_sections(original.normal, found.body_offset, found.elements)
    if not sections.has_own:
        writer.edits.extend(section_edit(original, sections, section))
    result = Annotated(
        text=apply_edits(text, writer.edits),
        edits=tuple(sorted(writer.edits, key=lambda edit: edit.start)),
        added=writer.added,
        has_own_section=sections.has_own,
    )
    return _check(plan, annotations, result)


def find_stated_order(text: str, plan: Plan) -> frozenset[str] | Problem:
    """The tasks whose author says when they may run, with `depends-on` or `parallel`; the others follow the plan."""
    found = _find_elements(Original(text), plan)
    if isinstance(found, Problem):
        return found
    names = {*_SPELLINGS["depends-on"], "parallel"}
    pairs = zip(plan.tasks, found.elements, strict=True)
    return frozenset(task.number for task, element in pairs if names & element.attributes.keys())


@dataclass(frozen=True, slots=True)
class _Found:
    """The elements of a plan's tasks, one for each, and where its body begins."""

    elements: Sequence[Element]
    body_offset: int


def _find_elements(original: Original, plan: Plan) -> _Found | Problem:
    source = Source(original.normal, plan.path)
    front = parse_front_matter(source)
    elements = find_tasks(source, front.body_offset)
    if [source.position(element.offset) for element in elements] != [task.position for task in plan.tasks]:
        hint = 'write each task as <task type="auto"> with <name>, <files>, <action> and <verify>'
        return _refused(plan, "its tasks are not written as <task> elements, which alone have attributes", hint=hint)
    return _Found(elements, front.body_offset)


class _Writer:
    """Collects the edits of one plan."""

    def __init__(self, original: Original, tags: Sequence[TaskTag]) -> None:
        self.edits: list[Edit] = []
        self.added: dict[str, tuple[str, ...]] = {}
        self._original = original
        self._opening = {tag.start: tag for tag in tags if tag.is_open}
        self._closing = {tag.after: tag for tag in tags if not tag.is_open}

    def annotate_task(self, task: Task, element: Element, annotation: TaskAnnotation) -> None:
        """Add what the task lacks of its annotation."""
        attributes = [
            (name, value)
            for name, value in _attribute_values(annotation)
            if not any(spelling in element.attributes for spelling in _SPELLINGS.get(name, (name,)))
        ]
        if attributes:
            self._write_attributes(element, attributes)
        names = [name for name, _ in attributes]
        if annotation.estimated_tokens is not None and self._write_metrics(element, annotation):
            names.append("metrics")
        if names:
            self.added[task.number] = tuple(names)

    def _write_attributes(self, element: Element, attributes: Sequence[tuple[str, str]]) -> None:
        """After the last attribute, in one line with it, or in lines of their own where it has its own."""
        tag = self._opening[element.offset]
        last = max((attribute.offset for attribute in element.attributes.values()), default=tag.start)
        indentation = self._original.indentation(last) if last > tag.start else None
        before = " " if indentation is None else self._original.line_end(last) + indentation
        text = "".join(f'{before}{name}="{_escaped(value)}"' for name, value in attributes)
        self.edits.append(self._original.insertion(tag.attributes.after, text))

    def _write_metrics(self, element: Element, annotation: TaskAnnotation) -> bool:
        """Into the task's `<metrics>`, else as a new one before `</task>`; not where a guess stands already."""
        assert annotation.estimated_tokens is not None
        guess = f"{annotation.estimated_tokens.low}-{annotation.estimated_tokens.high}"
        lines = [f"<estimated-tokens>{guess}</estimated-tokens>", f"<estimated-by>{ESTIMATED_BY}</estimated-by>"]
        own = [child for child in element.children if child.name in METRIC_NAMES]
        if any("estimated-" in self._original.normal[child.offset : child.end] for child in own):
            return False
        metrics = next((child for child in own if child.name == "metrics"), None)
        if metrics is not None:
            self._write_lines(metrics.end, lines, self._indentation_in(metrics.offset))
            return True
        closing = self._closing.get(element.after)
        if closing is None:
            return False
        first = element.children[0].offset if element.children else None
        indentation = self._original.indentation(first) if first is not None else None
        if indentation is None:
            indentation = self._indentation_in(element.offset)
        lines = ["<metrics>", *(f"  {line}" for line in lines), "</metrics>"]
        self._write_lines(closing.start, lines, indentation)
        return True

    def _indentation_in(self, offset: int) -> str:
        """How far what stands in the element at `offset` is indented."""
        return (self._original.indentation(offset) or "") + "  "

    def _write_lines(self, offset: int, lines: Sequence[str], indentation: str) -> None:
        """Whole lines above the tag at `offset` that stands first on its line; else right before it."""
        if self._original.indentation(offset) is None:
            self.edits.append(self._original.insertion(offset, "".join(line.strip() for line in lines)))
            return
        start = self._original.line_start(offset)
        end = self._original.line_end(offset)
        self.edits.append(self._original.insertion(start, "".join(f"{indentation}{line}{end}" for line in lines)))


def _unnameable(plan: Plan, annotations: Mapping[str, TaskAnnotation]) -> Task | None:
    """The first task that another waits for and that `depends-on` cannot name."""
    waited_for = {name for annotation in annotations.values() for name in annotation.depends_on or ()}
    return next((t for t in plan.tasks if t.number in waited_for and not _NAMEABLE.fullmatch(t.number)), None)


def _attribute_values(annotation: TaskAnnotation) -> Iterator[tuple[str, str]]:
    if annotation.subagent is not None:
        yield "subagent", annotation.subagent
    if annotation.model is not None:
        yield "model", annotation.model
    if annotation.is_parallel is not None:
        yield "parallel", "can-parallelize" if annotation.is_parallel else "sequential"
    if annotation.complexity is not None:
        yield "estimated-complexity", str(annotation.complexity)
    if annotation.depends_on is not None:
        yield "depends-on", ",".join(annotation.depends_on)
    if annotation.context_mode is not None:
        yield "context-mode", annotation.context_mode.value


def _escaped(value: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        value = value.replace(character, entity)
    return value


def _refused(plan: Plan, why: str, position: Position | None = None, hint: str | None = None) -> Problem:
    return Problem(plan.path, position or Position(1), f"cannot be annotated: {why}", hint=hint)


def _check(plan: Plan, annotations: Mapping[str, TaskAnnotation], result: Annotated) -> Annotated | Problem:
    """The result, once it has been seen to read as it should."""
    if len(result.text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return _refused(plan, f"it would grow past {MAX_BYTES // 2**20} MiB")
    after = parse_plan(result.text, plan.path)
    if not isinstance(after, Plan):
        return _refused(plan, f"afterwards it could not be read: {after.problems[0].message}")
    if len(after.tasks) != len(plan.tasks):
        return _refused(plan, "afterwards it would have other tasks")
    for before, now in zip(plan.tasks, after.tasks, strict=True):
        expected = _expected(before, annotations.get(before.number), result.added.get(before.number, ()))
        if replace(now, position=before.position, digest=before.digest) != expected:
            return _refused(plan, "this task would read differently", before.position)
    if sorted(warning.message for warning in after.warnings) != sorted(warning.message for warning in plan.warnings):
        return _refused(plan, "it would be warned of")
    outside = (plan.objective, plan.context_paths, plan.front_matter)
    if (after.objective, after.context_paths, after.front_matter) != outside:
        return _refused(plan, "what it says outside its tasks would read differently")
    return result


def _expected(task: Task, annotation: TaskAnnotation | None, added: Sequence[str]) -> Task:
    """The task as it should read with what was added."""
    if annotation is None:
        return task
    if "subagent" in added:
        task = replace(task, subagent=annotation.subagent or "")
    if "model" in added:
        task = replace(task, model=annotation.model)
    if "parallel" in added:
        task = replace(task, is_parallel=bool(annotation.is_parallel))
    if "estimated-complexity" in added:
        task = replace(task, complexity=annotation.complexity)
    if "depends-on" in added:
        task = replace(task, depends_on=annotation.depends_on or ())
    if "context-mode" in added and annotation.context_mode is not None:
        task = replace(task, context_mode=annotation.context_mode)
    if "metrics" in added:
        metrics = replace(task.metrics, estimated_tokens=annotation.estimated_tokens, estimated_by=ESTIMATED_BY)
        task = replace(task, metrics=metrics)
    return task
