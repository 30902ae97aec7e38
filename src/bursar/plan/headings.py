"""Tasks that are written as headings: `### Task 1: Add login`, `## Task 2 — Log out`, `### T3. Clean up`.

Such a task is all the text below its heading. What labels mark there (`**Files:**`, `**Verify:**`) is read as the
element of that name; the rest is what to do.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from bursar.plan.dependencies import number_key
from bursar.plan.elements import MAX_TASKS, Attribute, Child, Element
from bursar.plan.markdown import Field, Heading, find_fields, find_headings
from bursar.plan.source import Source, shortened
from bursar.plan.tags import Span

_TASK = re.compile(
    r"#{2,5}[ \t]+(?:\[[^\]\n]?\][ \t]+)?[^\w\n]{0,4}"
    r"(?:Task[ \t]+#?(?P<number>(?=[\w.-]*\d)\w[\w.-]*?)|T(?P<short>\d+))(?:[ \t]*[:—–]|[ \t]+-(?=[ \t])|\.(?=[ \t]))"
    r"[ \t]*(?P<name>.*?)[ \t*_#]*"
)
_END = re.compile(
    r"^[ \t]*(?:#+[ \t]*|\*\*)?(?:</tasks>|<(?:verification|success_criteria|output|objective|context|threat_model)>)",
    re.MULTILINE,
)
_RULE = re.compile(r"\s*^[ \t]*(?:-{3,}|\*{3,}|_{3,})\Z", re.MULTILINE)
_TYPE_IN_NAME = re.compile(r"[(\[`](?:type:\s*)?`?(?P<type>checkpoint(?::[\w-]+)?)`?[)\]`]", re.IGNORECASE)
_BETWEEN = re.compile(r"\s*(?:[,;&+]|\band\b)\s*")
_NOTHING = frozenset({"none", "nothing", "n/a", "-", "—"})
_NOTE = re.compile(r"\s*[(（][^()（）]*[)）]")
_PLAIN_FIELDS = ("type", "depends-on")


def find_heading_tasks(source: Source, start: int) -> list[Element]:
    """Every task at or after `start` that a heading begins, in order; too many are noted."""
    headings = find_headings(source.text, start)
    found: list[Element] = []
    for index, heading in enumerate(headings):
        match = _TASK.fullmatch(source.text, heading.line.start, heading.line.after)
        if match is None:
            continue
        if len(found) == MAX_TASKS:
            source.error(heading.line.start, f"there are more than {MAX_TASKS:,} tasks")
            break
        found.append(_read_task(source, match, _end(source.text, headings, index)))
    known = {number_key(element.attributes["id"].value) for element in found}
    return [_with_known_dependencies(source, element, known) for element in found]


def with_labelled_fields(source: Source, element: Element) -> Element:
    """The element with what labels mark in its own text as further children, where it has hardly any of its own."""
    if len(element.children) > 3 or any(child.name not in ("name", "title", "n") for child in element.children):
        return element
    fields = find_fields(source.text, element.content)
    inside = [field for field in fields if not any(c.offset <= field.whole.start < c.after for c in element.children)]
    children = [_child(field) for field in inside if field.name not in _PLAIN_FIELDS]
    return replace(element, children=(*element.children, *children))


def _read_task(source: Source, match: re.Match[str], end: int) -> Element:
    content = Span(match.end(), end)
    fields = find_fields(source.text, content)
    name = Span(*match.span("name"))
    children = [Child("name", name.start, name.start, name.after, name.after)]
    children += [_child(field) for field in fields]
    attributes = {field.name: _attribute(source, field) for field in fields if field.name in _PLAIN_FIELDS}
    attributes["id"] = Attribute(match["number"] or match["short"], match.start())
    if (kind := _TYPE_IN_NAME.search(match["name"])) is not None:
        attributes.setdefault("type", Attribute(kind["type"].lower(), name.start))
    return Element(match.start(), attributes, tuple(children), content, end)


def _end(text: str, headings: Sequence[Heading], index: int) -> int:
    """Where the section of a heading ends: at the next task, at a heading of its level, or at a closing `</tasks>`."""
    own = headings[index]
    limit = len(text)
    for heading in headings[index + 1 :]:
        if heading.level <= own.level or _TASK.fullmatch(text, heading.line.start, heading.line.after):
            limit = heading.line.start
            break
    closing = _END.search(text, own.line.after, limit)
    return _without_rule(text, own.line.after, closing.start() if closing else limit)


def _without_rule(text: str, start: int, end: int) -> int:
    """The end of what stands before `end`, without blanks and without a rule (`---`) that parts it from the rest."""
    while end > start and text[end - 1].isspace():
        end -= 1
    rule = _RULE.search(text, max(start, end - 100), end)
    return rule.start() if rule else end


def _child(field: Field) -> Child:
    return Child(field.name, field.whole.start, field.value.start, field.value.after, field.whole.after)


def _attribute(source: Source, field: Field) -> Attribute:
    """`**Type:** auto` and `**Depends on:** Task 1 (types)` as attributes, without marks and notes."""
    value = _NOTE.sub("", source.text[field.value.start : field.value.after])
    return Attribute(" ".join(value.strip(" \t\n*_`.").split()), field.whole.start)


def _with_known_dependencies(source: Source, element: Element, known: Collection[str]) -> Element:
    """The element without a dependency that is prose: below a heading, unlike in an attribute, it may be that."""
    attribute = element.attributes.get("depends-on")
    if attribute is None or attribute.value.lower() in _NOTHING:
        return element
    if all(number_key(name) in known for name in _BETWEEN.split(attribute.value)):
        return element
    message = f"it is not understood what tasks `{shortened(attribute.value)}` are; this task waits for the one before"
    source.warn(attribute.offset, message, hint="name them: **Depends on:** Task 1, Task 2")
    rest = {name: value for name, value in element.attributes.items() if name != "depends-on"}
    return replace(element, attributes=rest)
