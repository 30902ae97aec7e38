"""Finds the `<task>` elements of a plan and what stands directly inside each.

Task text is not XML: most real plans hold `&&`, generics or JSX that a strict parser rejects. What can be relied on is
where tags stand (see `tags`). What a known element holds is text, whatever it looks like; whole sample plans may stand
in an action. Code fences are no guide inside a task, as many are unbalanced.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from bursar.plan.source import MAX_PROBLEMS, Source, decode_entities
from bursar.plan.tags import ClosingTags, Span, TaskTag, find_first, find_task_tags

MAX_TASKS = 10_000
MAX_TASK_TAGS = 4 * MAX_TASKS  # samples in actions included
MAX_DEPTH = 64
MAX_CHILDREN = 1_000
MAX_UNCLOSED = 200  # names of unclosed elements that are looked up; a limit for hostile files only
KNOWN_CHILDREN = frozenset({"name", "title", "files", "action", "verify", "done", "metrics"})

_ATTRIBUTE = re.compile(r"([\w:.-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>=/]+)))?")
_CHILD = r"(?P<tag><(?P<name>[A-Za-z_][\w:.-]*)(?:\s(?:[^<>\"'\n]|\"[^\"\n]*\"|'[^'\n]*')*)?>|(?P<comment><!--))"
_CHILD_AT_MARGIN = re.compile(rf"^[ \t]*{_CHILD}", re.MULTILINE)
_CHILD_HERE = re.compile(rf"\s*{_CHILD}")
_COMMENT = "<!--"
_FENCE_LINE = re.compile(r"(?:`{3,}|~{3,})[^\n`]*$", re.MULTILINE)
_ONLY_TASKS_TAG = re.compile(r"\s*(?:<tasks(?:\s[^<>\n]*)?>\s*)?")


@dataclass(frozen=True, slots=True)
class Attribute:
    """A value with its entities decoded, and where its name stands."""

    value: str
    offset: int


@dataclass(frozen=True, slots=True)
class Child:
    """An element directly inside a task: where its tag stands, where its text begins and ends, and what follows it."""

    name: str
    offset: int
    start: int
    end: int
    after: int


@dataclass(frozen=True, slots=True)
class Element:
    """One `<task>`: offsets from its `<` to what follows `</task>`, and between them where its content stands."""

    offset: int
    attributes: Mapping[str, Attribute]
    children: tuple[Child, ...]
    content: Span
    after: int


def find_tasks(source: Source, start: int = 0, name: str = "task") -> list[Element]:
    """Every real `<task>` (or element of another name) at or after `start`, in order; broken structure is noted."""
    return _without_fenced_samples(source.text, start, _Scanner(source, start, name).tasks())


def has_too_many_tags(text: str) -> bool:
    """Whether a text holds more tags of tasks than any plan."""
    return any(text.count(tag) > MAX_TASK_TAGS for tag in ("<task", "</task", "<feature", "</feature"))


class _Scanner:
    """One pass over the `<task>` tags of a text; every search goes forward, so that the time stays linear."""

    def __init__(self, source: Source, start: int, name: str) -> None:
        self._source = source
        self._name = name
        self._text = source.text
        self._start = start
        self._tags = find_task_tags(source.text, start, name)
        self._offsets = [tag.start for tag in self._tags]
        self._closing_tags = ClosingTags(source.text)
        self._last_comment_end = source.text.rfind("-->")
        self._unclosed: dict[str, int] = {}  # name → no element of this name that begins before here is closed

    def tasks(self) -> list[Element]:
        """Every task that stands in no other task and in no comment."""
        found: list[Element] = []
        cursor = self._start
        while (tag := self._next_outer_tag(cursor)) is not None and self._source.count < MAX_PROBLEMS:
            if len(found) == MAX_TASKS:
                self._source.error(tag.start, f"there are more than {MAX_TASKS:,} tasks")
                break
            cursor = tag.after
            if tag.is_open and tag.is_whole:
                found.append(self._read_task(tag))
                cursor = found[-1].after
            elif tag.is_open:
                hint = 'write its attributes as name="value" and end it with >'
                self._source.error(tag.start, f"this `<{self._name}>` tag cannot be read", hint=hint)
                following = self._tag_from(cursor)
                cursor = following.after if following is not None and not following.is_open else cursor
            else:
                self._source.warn(tag.start, f"`</{self._name}>` closes nothing")
        return found

    def _next_outer_tag(self, cursor: int) -> TaskTag | None:
        """The first task tag from `cursor` on that no closed comment hides."""
        while (tag := self._tag_from(cursor)) is not None:
            comment = find_first(self._text, _COMMENT, cursor, tag.start)
            hidden_to = None if comment < 0 else self._comment_end(comment + len(_COMMENT))
            if hidden_to is None:
                return tag
            cursor = hidden_to
        return None

    def _read_task(self, tag: TaskTag) -> Element:
        children: list[Child] = []
        end = Span(tag.after, tag.after) if tag.is_empty else self._read_children(tag, children)
        content = Span(tag.after, end.start)
        return Element(tag.start, _attributes(self._text, tag.attributes), tuple(children), content, end.after)

    def _read_children(self, tag: TaskTag, children: list[Child]) -> Span:
        """Collect what stands directly in the task that `tag` opens; where its closing tag stands."""
        cursor = tag.after
        while True:
            boundary = self._tag_from(cursor)
            limit = len(self._text) if boundary is None else boundary.start
            if len(children) > MAX_CHILDREN:
                self._source.error(tag.start, f"this `<{self._name}>` has more than {MAX_CHILDREN:,} elements")
                return Span(limit, limit)
            opener = _CHILD_HERE.match(self._text, cursor, limit) or _CHILD_AT_MARGIN.search(self._text, cursor, limit)
            if opener is not None:
                cursor = self._read_child(opener, children)
            elif boundary is not None and not boundary.is_open:
                return Span(boundary.start, boundary.after)
            elif boundary is not None and not boundary.is_whole:
                cursor = boundary.after
            else:
                hint = f"end it with </{self._name}> on its own line"
                self._source.error(tag.start, f"this `<{self._name}>` is never closed", hint=hint)
                return Span(limit, limit)

    def _read_child(self, opener: re.Match[str], children: list[Child]) -> int:
        """Take one child element in, or step over a comment; the offset from which to read on."""
        if opener["comment"]:
            return self._comment_end(opener.end()) or opener.end()
        name, offset = opener["name"], opener.start("tag")
        closing = self._closing_tag(name, opener.end())
        if closing is not None:
            children.append(Child(name, offset, opener.end(), closing.start, closing.after))
            return closing.after
        if name in KNOWN_CHILDREN:
            self._source.error(offset, f"`<{name}>` is never closed", hint=f"end it with </{name}>")
        return opener.end()

    def _closing_tag(self, name: str, start: int) -> Span | None:
        """Where the element `name` whose text begins at `start` ends; None where it does not."""
        if start < self._unclosed.get(name, -1) or len(self._unclosed) > MAX_UNCLOSED:
            return None
        for closing_tags in self._closing_tags.of(name):
            found = self._outermost(closing_tags, start)
            if found is not None:
                return found
        boundary = self._tag_from(start)
        self._unclosed[name] = len(self._text) if boundary is None else boundary.start
        return None

    def _outermost(self, closing_tags: list[Span], start: int) -> Span | None:
        """The first of `closing_tags` from `start` on that stands in no sample task and before the task's own end.

        Where the tags of a sample do not balance, the second best: the first one within a sample that is never closed,
        or one behind a stray `</task>` with no other task between.
        """
        position, depth = bisect_left(self._offsets, start), 0
        in_sample: Span | None = None
        for index in range(bisect_left(closing_tags, start, key=lambda span: span.start), len(closing_tags)):
            closing = closing_tags[index]
            while position < len(self._tags) and self._tags[position].start < closing.start:
                depth += self._tags[position].step
                if depth < 0:
                    return closing if self._is_stray_end(position, closing) else None
                position += 1
            if depth == 0:
                return closing
            in_sample = in_sample or closing
            if depth > MAX_DEPTH:
                break
        return in_sample

    def _is_stray_end(self, position: int, closing: Span) -> bool:
        """Whether the `</task>` at `position` may be text: the element is closed after it, then the task itself."""
        following = self._tags[position + 1] if position + 1 < len(self._tags) else None
        return following is not None and not following.is_open and closing.start < following.start

    def _tag_from(self, cursor: int) -> TaskTag | None:
        index = bisect_left(self._offsets, cursor)
        return self._tags[index] if index < len(self._tags) else None

    def _comment_end(self, start: int) -> int | None:
        """What follows the comment whose text begins at `start`; None where it is never closed."""
        return self._text.find("-->", start) + 3 if start <= self._last_comment_end else None


def _attributes(text: str, span: Span) -> dict[str, Attribute]:
    """The attributes of an opening tag; of two with one name the first counts."""
    found: dict[str, Attribute] = {}
    for match in _ATTRIBUTE.finditer(text, span.start, span.after):
        value = match[2] or match[3] or match[4] or ""
        found.setdefault(match[1], Attribute(decode_entities(value), match.start()))
    return found


def _fence_lines(text: str, start: int, end: int) -> list[int]:
    """Where what follows each line begins that may open or close a code fence, from `start` to `end`."""
    fences: list[int] = []
    for mark in ("```", "~~~"):
        offset = find_first(text, mark, start, end)
        while offset >= 0:
            line_end = text.find("\n", offset)
            line_end = len(text) if line_end < 0 else line_end
            if _FENCE_LINE.fullmatch(text, offset, line_end):
                fences.append(line_end)
            offset = find_first(text, mark, line_end, end)
    return sorted(fences)


def _without_fenced_samples(text: str, start: int, tasks: list[Element]) -> list[Element]:
    """Drop tasks in a code fence that holds nothing else and stands outside every real task; never all of them."""
    kept: list[Element] = []
    cursor, is_fenced = start, False
    last_fence: int | None = None
    for task in tasks:
        fences = _fence_lines(text, cursor, task.offset)
        if is_fenced or len(fences) % 2 == 0:
            is_fenced = is_fenced and not fences
        else:
            opens_sample = _ONLY_TASKS_TAG.fullmatch(text, fences[-1], task.offset) is not None
            if opens_sample and last_fence is None:
                last_fence = max(_fence_lines(text, fences[-1], len(text)), default=-1)
            is_fenced = opens_sample and last_fence is not None and last_fence > task.after
        if not is_fenced:
            kept.append(task)
        cursor = task.after
    return kept or tasks
