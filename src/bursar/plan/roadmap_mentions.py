"""Walks through a roadmap once: every mention of a phase, with the lines and the milestone it stands in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from bursar.plan.roadmap_lines import Line
from bursar.plan.roadmap_marks import plain, split_title, status_of, status_of_sign
from bursar.plan.roadmap_model import PhaseStatus
from bursar.plan.roadmap_outline import Mention, milestone_name, read_bullet, read_heading, read_item
from bursar.plan.roadmap_tables import read_table

_SUMMARY = re.compile(r"<summary\b[^<>]{0,200}>(.*)", re.IGNORECASE | re.DOTALL)
_STATUS_LABEL = re.compile(r"[*_]{0,2}Status:?[*_]{0,2}:?[ \t]*(.*)", re.IGNORECASE | re.DOTALL)
_MAY_NAME = re.compile("ase|ASE|阶段|階段|단계")  # a cheap look before the dear one
_MARGIN = 3  # a heading is indented by this at most


@dataclass(slots=True)
class _Context:
    """A heading or summary that is not a phase's, and how deep it stands; a summary's level is 0."""

    level: int
    milestone: str
    status: PhaseStatus | None


@dataclass(slots=True)
class Outline:
    """What a walk has found: mentions in the order of the file, those in plain bullets apart, and the title."""

    mentions: list[Mention] = field(default_factory=list)
    bullets: list[Mention] = field(default_factory=list)
    title: str = ""


def walk(lines: Sequence[Line]) -> Outline:
    """Every mention of a phase in `lines`."""
    walker = _Walker()
    index = 0
    while index < len(lines):
        line = lines[index]
        first = line.text[0]
        if first == "|":
            end = index
            while end < len(lines) and lines[end].text[0] == "|" and (end == index or not lines[end].is_after_blank):
                end += 1
            walker.table(lines[index:end])
            index = end
            continue
        if first == "#" and line.indent <= _MARGIN:
            walker.heading(line)
        elif first == "<" and walker.html(line):
            pass
        else:
            walker.text(line, lines, index)
        index += 1
    return walker.found


class _Walker:
    def __init__(self) -> None:
        self.found = Outline()
        self._outline: list[_Context] = []
        self._closed_outlines: list[list[_Context]] = []  # one for each <details> that is open
        self._section: Mention | None = None
        self._section_level = 0
        self._section_depth = 0
        self._item: Mention | None = None
        self._item_indent = 0
        self._file_status: _Context | None = None

    def heading(self, line: Line) -> None:
        """Ends what stood above it, and begins a phase or a part of the roadmap."""
        level = len(line.text) - len(line.text.lstrip("#"))
        if level > 6:
            self._add_line(line)
            return
        phase = read_heading(line)
        self._item = None
        if phase is None and self._section is not None and level > self._section_level:
            self._add_line(line)
            return
        self._section = None
        while self._outline and self._outline[-1].level >= level:
            self._outline.pop()
        if phase is not None:
            self._begin(phase)
            self._section, self._section_level = phase, level
            self._section_depth = len(self._closed_outlines)
            return
        text = line.text.strip("# \t")
        if level == 1 and not self.found.title:
            self.found.title = plain(text[:500])
        self._enter(level, text)

    def html(self, line: Line) -> bool:
        """Enters and leaves `<details>`; whether the line was one of those."""
        lowered = line.text[:400].lower()
        if not lowered.startswith(("<details", "</details", "<summary")):
            return False
        self._item = None
        if lowered.startswith("</details"):
            self._leave_details()
            return True
        if lowered.startswith("<details"):
            self._closed_outlines.append(list(self._outline) if len(self._closed_outlines) < 64 else [])
        summary = _SUMMARY.search(line.text[:2000])
        if summary is not None and self._section is None:
            self._enter(0, summary[1].partition("</summary>")[0])
        return True

    def table(self, rows: Sequence[Line]) -> None:
        """Adds the phases of a table of phases."""
        for mention in read_table(rows):
            self._begin(mention)

    def text(self, line: Line, lines: Sequence[Line], index: int) -> None:
        """A line of a list or a paragraph: names a phase, belongs to one, or is not of interest."""
        if _MAY_NAME.search(line.text):
            item = read_item(line, lines[index + 1 : index + 3])
            if item is not None:
                self._begin(item)
                self._item, self._item_indent = item, line.indent
                return
            if self._section is None and (bullet := read_bullet(line)) is not None:
                self._mark(bullet)
                self.found.bullets.append(bullet)
        self._add_line(line)
        if self._section is None and not self.found.mentions and "tatus" in line.text:
            self._note_file_status(line)

    def _begin(self, mention: Mention) -> None:
        self._mark(mention)
        self.found.mentions.append(mention)

    def _mark(self, mention: Mention) -> None:
        """Sets the milestone that a mention stands in, the nearest one."""
        of_file = self._file_status
        context = next((entry for entry in reversed(self._outline) if entry.milestone), of_file)
        if context is None:
            return
        if context.status is None and of_file is not None and of_file.milestone == context.milestone:
            context = of_file
        mention.milestone, mention.milestone_status = context.milestone, context.status

    def _add_line(self, line: Line) -> None:
        if self._section is not None:
            self._section.lines.append(line)
        if self._item is not None:
            if line.indent > self._item_indent:
                self._item.lines.append(line)
            elif line.is_after_blank or line.text[0] in "-*+":
                self._item = None

    def _enter(self, level: int, text: str) -> None:
        name = milestone_name(text) if text else ""
        status = split_title(text).status or status_of_sign(text) if name else None
        self._outline.append(_Context(level, name, status))

    def _leave_details(self) -> None:
        if not self._closed_outlines:
            return
        self._outline = self._closed_outlines.pop()
        if self._section is not None and len(self._closed_outlines) < self._section_depth:
            self._section = None

    def _note_file_status(self, line: Line) -> None:
        """`**Status:** SHIPPED` above every phase speaks of the whole file."""
        match = _STATUS_LABEL.match(line.text[:200])
        if match is not None and self._outline and all(entry.level == 1 for entry in self._outline):
            self._file_status = _Context(1, self._outline[-1].milestone, status_of(match[1]))
