"""A text as it lies on the disk beside the text that the reader sees, so that what was read can be edited in place."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

_BOM = "\ufeff"
_CRLF = re.compile("\r\n")
_BLANKS = re.compile(r"[ \t]*")


@dataclass(frozen=True, slots=True)
class Edit:
    """`text` in place of what stands from `start` to `end` (offsets in the original); equal for an insertion."""

    start: int
    end: int
    text: str


class Original:
    """A file's text, byte order marks and line ends included.

    The reader drops byte order marks and reads `\\r\\n` as `\\n`; `normal` is what it sees. Offsets here are offsets in
    `normal` unless they are called original.
    """

    def __init__(self, text: str) -> None:
        bare = text.removeprefix(_BOM).removeprefix(_BOM)
        self.text = text
        self.normal = bare.replace("\r\n", "\n")
        self._prefix = len(text) - len(bare)
        # The n-th `\r\n` of the original, counted from 0, is a `\n` n characters further to the left.
        self._long_ends = [match.start() - n for n, match in enumerate(_CRLF.finditer(bare))]

    def original_offset(self, offset: int) -> int:
        """Where in the original the character at `offset` stands; a line end's is that of its first character."""
        return self._prefix + offset + bisect_left(self._long_ends, offset)

    def insertion(self, offset: int, text: str) -> Edit:
        """`text` before the character at `offset`."""
        place = self.original_offset(offset)
        return Edit(place, place, text)

    def replacement(self, start: int, end: int, text: str) -> Edit:
        """`text` in place of what stands from `start` to `end`."""
        return Edit(self.original_offset(start), self.original_offset(end), text)

    def line_start(self, offset: int) -> int:
        """Where the line begins that holds the character at `offset`."""
        return self.normal.rfind("\n", 0, offset) + 1

    def indentation(self, offset: int) -> str | None:
        """The blanks before what stands at `offset`, or None where more than blanks stand before it on its line."""
        start = self.line_start(offset)
        found = _BLANKS.fullmatch(self.normal, start, offset)
        return None if found is None else found[0]

    def line_end(self, offset: int) -> str:
        """How lines end there: as the line before does, else the line itself, else `\\n`."""
        start = self.line_start(offset)
        end = start - 1 if start else self.normal.find("\n", offset)
        place = bisect_left(self._long_ends, end)
        is_long = place < len(self._long_ends) and self._long_ends[place] == end
        return "\r\n" if is_long else "\n"


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """`text` with every edit made; they do not overlap. Of two at one place the one given first comes first."""
    pieces: list[str] = []
    cursor = 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        pieces += [text[cursor : edit.start], edit.text]
        cursor = edit.end
    return "".join([*pieces, text[cursor:]])


def inverse_edits(text: str, edits: Iterable[Edit]) -> list[Edit]:
    """The edits that turn the edited text into `text` again."""
    inverse: list[Edit] = []
    shift = 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        start = edit.start + shift
        inverse.append(Edit(start, start + len(edit.text), text[edit.start : edit.end]))
        shift += len(edit.text) - (edit.end - edit.start)
    return inverse
