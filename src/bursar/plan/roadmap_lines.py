"""The lines of a Markdown file that a reader sees: no code blocks, no comments, no blank lines."""

from __future__ import annotations

import re
from typing import NamedTuple

from bursar.plan.source import Source

_FENCE = re.compile(r"[ \t]*(?:(?:>|[-*+]|[0-9]{1,9}[.)])[ \t]+)*(`{3,}|~{3,})(.*)", re.DOTALL)

MAX_LINES = 50_000  # the largest roadmaps that people keep have some 1,500
MAX_LINE = 20_000
_MOST_BLANKS = 200  # before a comment that begins its line


class Line(NamedTuple):
    """A line without the blanks around it; `indent` counts those before it, and `offset` is that of the text."""

    text: str
    offset: int
    indent: int
    is_after_blank: bool = False


def visible_lines(source: Source) -> list[Line]:
    """Every line that is read, in order. A code block or comment that is never closed hides nothing."""
    hidden = _commented(source)
    lines: list[Line] = []
    fenced_from: tuple[str, int, Line] | None = None  # mark, how many lines there were, and its line
    offset = 0
    is_after_blank = False
    for raw in source.text.split("\n"):
        start, offset = offset, offset + len(raw) + 1
        text = raw.strip()
        if not text:
            is_after_blank = True
            continue
        if hidden and _is_hidden(hidden, start):
            continue
        if len(lines) == MAX_LINES:
            source.error(start, f"there are more than {MAX_LINES:,} lines; the rest is not read")
            break
        if len(text) > MAX_LINE:
            source.error(start, f"this line is longer than {MAX_LINE:,} characters; the rest of it is not read")
            text = text[:MAX_LINE]
        line = Line(text, start + (indent := len(raw) - len(raw.lstrip())), indent, is_after_blank)
        is_after_blank = False
        if "```" in text or "~~~" in text:
            fence = _FENCE.match(text)
            if fence is not None:
                if fenced_from is None and not (fence[1][0] == "`" and "`" in fence[2]):
                    fenced_from = (fence[1], len(lines), line)
                    continue
                if fenced_from is not None and _closes(fenced_from[0], fence[1], fence[2]):
                    del lines[fenced_from[1] :]
                    fenced_from = None
                    continue
        lines.append(line)
    if fenced_from is not None:
        source.warn(fenced_from[2].offset, "a code block begins here and never ends; it is read as text")
    return lines


def _closes(opening: str, mark: str, rest: str) -> bool:
    return mark[0] == opening[0] and len(mark) >= len(opening) and not rest.strip()


def _commented(source: Source) -> list[tuple[int, int]]:
    """Where comments of several lines stand that begin their line: first and last offset, in reversed order."""
    text = source.text
    spans: list[tuple[int, int]] = []
    start = text.find("<!--")
    while start >= 0:
        end = text.find("-->", start + 4)
        if end < 0:
            break
        before = text[max(0, start - _MOST_BLANKS) : start].rpartition("\n")[2]
        if not before.strip() and text.find("\n", start, end) >= 0:
            line_end = text.find("\n", end)
            spans.append((start - len(before), line_end if line_end >= 0 else len(text)))
        start = text.find("<!--", end + 3)
    spans.reverse()
    return spans


def _is_hidden(hidden: list[tuple[int, int]], offset: int) -> bool:
    """Whether a line begins in a comment; asked for ever larger offsets, it forgets the comments before."""
    while hidden and hidden[-1][1] < offset:
        hidden.pop()
    return bool(hidden) and hidden[-1][0] <= offset
