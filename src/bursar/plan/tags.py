"""The tags of a plan by where they stand: found once, in order, so that every later search is by index.

A tag counts at the *margin*: first on its line, or right after another closing tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

_OPEN = (
    r"<{name}(?=[\s/>])(?P<attributes>(?:\s++[\w:.-]++"
    r"(?:\s*+=\s*+(?:\"(?:[^\"\n]*+|[^\"<]*+)\"|'(?:[^'\n]*+|[^'<]*+)'|[^\s\"'<>=/]++))?+)*+)"
    r"\s*+(?P<empty>/?)(?P<end>>)?"
)
_CLOSE = r"</{name}\s*>"
_BEFORE_OPEN = r"(?:<tasks(?:\s[^<>\n]*)?>|</(?:tasks|{name})[ \t]*>|-->)\Z"
_BEFORE_CLOSE = r"</[\w:.-]+[ \t]*>\Z"
_LONGEST_BEFORE = 200  # a tag that another follows on its line is shorter
_CLOSE_ANY = re.compile(r"</([A-Za-z_][\w:.-]*)\s*>")
_ENDS_ELEMENT = re.compile(r"[ \t]*(?:\n|<|\Z)")


@dataclass(frozen=True, slots=True)
class Span:
    """Where a tag begins, and where what follows it begins."""

    start: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTag:
    """A `<task>` or `</task>` at the margin.

    Attributes:
        is_whole: False for an opening tag whose attributes cannot be read, or that lacks its `>`.
        is_empty: `<task … />`.
        attributes: where the attributes of an opening tag stand.
    """

    start: int
    after: int
    is_open: bool
    is_whole: bool = True
    is_empty: bool = False
    attributes: Span = Span(0, 0)

    @property
    def step(self) -> int:
        """What this tag adds to the depth of nesting."""
        if not self.is_open:
            return -1
        return 1 if self.is_whole and not self.is_empty else 0


class ClosingTags:
    """Every closing tag of a text, by name and in order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._all: dict[str, list[Span]] = {}
        self._ending: dict[str, list[Span]] = {}

    def of(self, name: str) -> Iterator[list[Span]]:
        """Those that end a line or stand before another tag, as real ones do; then all, mentions in prose included."""
        if not self._all:
            self._all = {"": []}
            for match in _CLOSE_ANY.finditer(self._text):
                self._all.setdefault(match[1], []).append(Span(*match.span()))
        found = self._all.get(name, [])
        if name not in self._ending:
            self._ending[name] = [span for span in found if _ENDS_ELEMENT.match(self._text, span.after)]
        yield self._ending[name]
        yield found


def find_task_tags(text: str, start: int, name: str = "task") -> list[TaskTag]:
    """The `<task>` and `</task>` tags (or those of another name) at the margin from `start` on, in order."""
    opening = [match for match in _pattern(_OPEN, name).finditer(text, start) if _may_open(text, match.start(), name)]
    closing: set[tuple[int, int]] = set()
    for match in _pattern(_CLOSE, name).finditer(text, start):
        if stands_first(text, match.start()) or _follows(text, match.start(), _BEFORE_CLOSE, name):
            closing.add(match.span())
    for match in opening:
        if stands_first(text, match.start()):
            closing |= _last_close_on_line(text, match.end(), name)
    tags = [_opening_tag(match) for match in opening]
    tags += [TaskTag(start=offset, after=after, is_open=False) for offset, after in closing]
    return sorted(tags, key=lambda tag: tag.start)


def stands_first(text: str, offset: int) -> bool:
    """Whether only blanks stand before `offset` on its line."""
    return _blanks_before(text, offset) == 0 or text[_blanks_before(text, offset) - 1] == "\n"


def find_first(text: str, needle: str, start: int, end: int) -> int:
    """Where `needle` stands first on its line, between `start` and `end`; -1 where it does not."""
    offset = text.find(needle, start, end)
    while offset >= 0 and not stands_first(text, offset):
        line_end = text.find("\n", offset, end)
        offset = text.find(needle, line_end, end) if line_end >= 0 else -1
    return offset


def _blanks_before(text: str, offset: int) -> int:
    while offset > 0 and text[offset - 1] in " \t":
        offset -= 1
    return offset


def _may_open(text: str, offset: int, name: str) -> bool:
    return stands_first(text, offset) or _follows(text, offset, _BEFORE_OPEN, name)


def _follows(text: str, offset: int, template: str, name: str) -> bool:
    """Whether what stands before `offset` on its line ends with such a tag."""
    end = _blanks_before(text, offset)
    if end == 0 or text[end - 1] != ">":
        return False
    begin = max(text.rfind("<", max(0, end - _LONGEST_BEFORE), end), 0)
    if text.startswith("-->", end - 3):
        begin = end - 3
    return _pattern(template, name).match(text[begin:end]) is not None


@cache
def _pattern(template: str, name: str) -> re.Pattern[str]:
    return re.compile(template.replace("{name}", name))


def _last_close_on_line(text: str, start: int, name: str) -> set[tuple[int, int]]:
    """`<task …>text</task>` on one line: the line begins with a tag, so that its last closing tag counts too."""
    line_end = text.find("\n", start)
    found = list(_pattern(_CLOSE, name).finditer(text, start, len(text) if line_end < 0 else line_end))
    return {found[-1].span()} if found else set()


def _opening_tag(match: re.Match[str]) -> TaskTag:
    start, after = match.span()
    return TaskTag(
        start=start,
        after=after,
        is_open=True,
        is_whole=match["end"] is not None,
        is_empty=bool(match["empty"]),
        attributes=Span(*match.span("attributes")),
    )
