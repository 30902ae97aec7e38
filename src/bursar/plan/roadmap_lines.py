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
    blocks = _CodeBlocks()
    lines: list[Line] = []
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
        indent = len(raw) - len(raw.lstrip())
        line = Line(_cut(source, text, start), start + indent, indent, is_after_blank)
        is_after_blank = False
        if not blocks.ends_or_begins(line, lines):
            lines.append(line)
    if blocks.begins is not None:
        source.warn(blocks.begins.offset, "a code block begins here and never ends; it is read as text")
    return lines


def _cut(source: Source, text: str, start: int) -> str:
    if len(text) <= MAX_LINE:
        return text
    source.error(start, f"this line is longer than {MAX_LINE:,} characters; the rest of it is not read")
    return text[:MAX_LINE]


class _CodeBlocks:
    """Follows the fences of code blocks.

    Attributes:
        begins: the first line of the block that is open; None outside of any.
    """

    def __init__(self) -> None:
        self.begins: Line | None = None
        self._mark = ""
        self._lines_before = 0

    def ends_or_begins(self, line: Line, lines: list[Line]) -> bool:
        """Whether the line is a fence that counts; at the end of a block its lines are taken off `lines`."""
        if "```" not in line.text and "~~~" not in line.text:
            return False
        fence = _FENCE.match(line.text)
        if fence is None:
            return False
        mark, rest = fence[1], fence[2]
        if self.begins is None:
            if mark[0] == "`" and "`" in rest:
                return False
            self.begins, self._mark, self._lines_before = line, mark, len(lines)
            return True
        if mark[0] != self._mark[0] or len(mark) < len(self._mark) or rest.strip():
            return False
        del lines[self._lines_before :]
        self.begins = None
        return True


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
