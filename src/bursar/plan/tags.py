"""The tags of a plan by where they stand: found once, in order, so that every later search is by index.

A tag counts at the *margin*: first on its line, or right after another closing tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

_OPEN = (
    r"(?:^|<tasks(?:\s[^<>\n]*)?>|</(?:tasks|{name})[ \t]*>|-->)[ \t]*+(?P<tag><{name}(?=[\s/>])"
    r"(?P<attributes>(?:\s++[\w:.-]++"
    r"(?:\s*+=\s*+(?:\"(?:[^\"\n]*+|[^\"<]*+)\"|'(?:[^'\n]*+|[^'<]*+)'|[^\s\"'<>=/]++))?+)*+)"
    r"\s*+(?P<empty>/?)(?P<end>>)?)"
)
_CLOSE = r"(?:^|</[\w:.-]+[ \t]*>)[ \t]*(?P<tag></{name}\s*>)"
_CLOSE_ANYWHERE = r"</{name}\s*>"
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
        self._all: dict[str, list[Span]] = {}
        self._ending: dict[str, list[Span]] = {}
        for match in _CLOSE_ANY.finditer(text):
            span = Span(*match.span())
            self._all.setdefault(match[1], []).append(span)
            if _ENDS_ELEMENT.match(text, span.after):
                self._ending.setdefault(match[1], []).append(span)

    def of(self, name: str) -> Iterator[list[Span]]:
        """Those that end a line or stand before another tag, as real ones do; then all, mentions in prose included."""
        yield self._ending.get(name, [])
        yield self._all.get(name, [])


def find_task_tags(text: str, start: int, name: str = "task") -> list[TaskTag]:
    """The `<task>` and `</task>` tags (or those of another name) at the margin from `start` on, in order."""
    opening = list(_pattern(_OPEN, name).finditer(text, start))
    closing = {match.span("tag") for match in _pattern(_CLOSE, name).finditer(text, start)}
    for match in opening:
        if match[0].lstrip(" \t") == match["tag"]:
            closing |= _last_close_on_line(text, match.end(), name)
    tags = [_opening_tag(match) for match in opening]
    tags += [TaskTag(start=offset, after=after, is_open=False) for offset, after in closing]
    return sorted(tags, key=lambda tag: tag.start)


@cache
def _pattern(template: str, name: str) -> re.Pattern[str]:
    return re.compile(template.replace("{name}", name), re.MULTILINE)


def _last_close_on_line(text: str, start: int, name: str) -> set[tuple[int, int]]:
    """`<task …>text</task>` on one line: the line begins with a tag, so that its last closing tag counts too."""
    line_end = text.find("\n", start)
    found = list(_pattern(_CLOSE_ANYWHERE, name).finditer(text, start, len(text) if line_end < 0 else line_end))
    return {found[-1].span()} if found else set()


def _opening_tag(match: re.Match[str]) -> TaskTag:
    start, after = match.span("tag")
    return TaskTag(
        start=start,
        after=after,
        is_open=True,
        is_whole=match["end"] is not None,
        is_empty=bool(match["empty"]),
        attributes=Span(*match.span("attributes")),
    )
