"""Markdown as plans use it: headings that no code fence hides, and parts that a label such as `**Files:**` begins."""

from __future__ import annotations

import re
import sys
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import islice

from bursar.plan.tags import Span, find_first

MAX_LABELS = 1_000
_FAR = sys.maxsize
_FENCE = re.compile(
    r"^[ \t]*+(?:(?:>|[-*+][ \t]|\d{1,9}[.)][ \t])[ \t]*+)*+(?P<mark>`{3,}+|~{3,}+)(?P<info>.*+)$", re.MULTILINE
)
_HEADING = re.compile(r"^(?P<marks>#{1,6})[ \t]+\S.*$", re.MULTILINE)
# `**Files:** …`, `**Files**: …`, `Files: …`, `#### Files`, `**<files>** …`, `<files>…`
_LABEL = re.compile(
    r"^[ \t]*+(?:[-*+][ \t]++)?(?:"
    r"(?:\*\*|__)(?P<bold>[^*<>\n]{1,60}?)(?::(?:\*\*|__)|(?:\*\*|__)[ \t]*+(?::|$))"
    r"|(?P<plain>[A-Za-z][A-Za-z _-]{0,30}):(?=[ \t]|$)"
    r"|#{3,6}[ \t]+(?P<heading>[^\n]{1,200})$"
    r"|(?:\*\*)?<(?P<tag>[a-z][a-z_-]{0,30})>(?:\*\*)?"
    r")",
    re.MULTILINE,
)
_FIRST_LINES = re.compile(r"\s*?(?P<list>(?:\n[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t].*)+|(?:\n[ \t]*[^\s#].*)+)")
_MEANING = {
    **dict.fromkeys(
        ("file", "files", "files modified", "files to modify", "files to create", "files changed"), "files"
    ),
    **dict.fromkeys(("verify", "verification"), "verify"),
    **dict.fromkeys(("done", "done when", "acceptance", "acceptance criteria"), "done"),
    **dict.fromkeys(("type", "task type"), "type"),
    **dict.fromkeys(("depends on", "dependencies"), "depends-on"),
}


@dataclass(frozen=True, slots=True)
class Heading:
    """Where a heading's line stands, and its level, 1 to 6."""

    line: Span
    level: int


@dataclass(frozen=True, slots=True)
class Field:
    """A part with a label: `files`, `verify`, `done`, `type` or `depends-on`; all of it, and its value."""

    name: str
    whole: Span
    value: Span


class HiddenParts:
    """What code fences and comments hide from `start` to `end`; one that is never closed hides nothing."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._spans = _closed_fences(text, start, end)
        if comments := self._comments(text, start, end):
            self._spans = sorted([*self._spans, *comments])

    def hides(self, offset: int) -> bool:
        """Whether what stands at `offset` is within a fence or comment."""
        index = bisect_right(self._spans, (offset, _FAR)) - 1
        return index >= 0 and offset < self._spans[index][1]

    def _comments(self, text: str, start: int, end: int) -> list[tuple[int, int]]:
        comments: list[tuple[int, int]] = []
        last_end = text.rfind("-->", start, end)
        offset = find_first(text, "<!--", start, max(start, last_end))
        while offset >= 0:
            cursor = offset + 4
            if not self.hides(offset):
                cursor = text.index("-->", cursor) + 3
                comments.append((offset, cursor))
            offset = find_first(text, "<!--", cursor, last_end)
        return comments


def find_headings(text: str, start: int) -> list[Heading]:
    """Every heading from `start` on that is not hidden, in order."""
    hidden = HiddenParts(text, start, len(text))
    return [
        Heading(Span(*match.span()), len(match["marks"]))
        for match in _HEADING.finditer(text, start)
        if not hidden.hides(match.start())
    ]


def find_fields(text: str, content: Span) -> list[Field]:
    """The parts with a label that stand in a piece of Markdown, in order; the first of a name counts, of files all.

    Text with more labels than any task has is text: none of them counts.
    """
    found = list(islice(_LABEL.finditer(text, content.start, content.after), MAX_LABELS + 1))
    if not found or len(found) > MAX_LABELS:
        return []
    hidden = HiddenParts(text, content.start, content.after)
    labels = [match for match in found if not hidden.hides(match.start())]
    bounds = [label.start() for label in labels if label["plain"] is None or _meaning(label)]
    fields: dict[str, list[Field]] = {}
    cursor = content.start
    for label in labels:
        name = _meaning(label)
        if label.start() < cursor or not name or (name in fields and name != "files"):
            continue
        following = bisect_left(bounds, label.end())
        limit = bounds[following] if following < len(bounds) else content.after
        field = _read_field(text, label, name, limit, content.after)
        fields.setdefault(name, []).append(field)
        cursor = field.whole.after
    return sorted((field for found in fields.values() for field in found), key=lambda field: field.whole.start)


def _closed_fences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Code fences with the lines that open and close them, as CommonMark has them."""
    spans: list[tuple[int, int]] = []
    if text.find("```", start, end) < 0 and text.find("~~~", start, end) < 0:
        return spans
    opened: re.Match[str] | None = None
    for match in _FENCE.finditer(text, start, end):
        mark, info = match["mark"], match["info"]
        if opened is None:
            opened = match if mark[0] == "~" or "`" not in info else None
        elif mark[0] == opened["mark"][0] and len(mark) >= len(opened["mark"]) and not info.strip():
            spans.append((opened.start(), match.end()))
            opened = None
    return spans


def _meaning(label: re.Match[str]) -> str:
    """The field that a label begins; empty for a label that bears another word."""
    words = label["bold"] or label["plain"] or label["heading"] or label["tag"] or ""
    return _MEANING.get(" ".join(re.split(r"[\s_-]+", words.strip(" :*").lower())), "")


def _read_field(text: str, label: re.Match[str], name: str, limit: int, end: int) -> Field:
    """The field after a label: a closed tag's text, a list of files, one line, or all up to the next label."""
    start = label.end()
    if label["tag"] and (closing := re.compile(rf"(?:\*\*)?</{label['tag']}>(?:\*\*)?").search(text, start, end)):
        return Field(name, Span(label.start(), closing.end()), Span(start, closing.start()))
    line_end = text.find("\n", start, limit)
    line_end = limit if line_end < 0 else line_end
    after = limit
    if text[start:line_end].strip(" \t*") and name in ("files", "type", "depends-on"):
        after = line_end
    elif name in ("files", "type", "depends-on"):
        lines = _FIRST_LINES.match(text, line_end, limit)
        after = line_end if lines is None else lines.end()
    return Field(name, Span(label.start(), after), Span(start, after))
