"""The text of one file with its places, and the problems found in it."""

from __future__ import annotations

import html
import re
from array import array
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

from bursar.plan.model import Position, Problem

MAX_PROBLEMS = 1_000  # a file with more is not a plan; nobody reads on
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos);")


def decode_entities(text: str) -> str:
    """The five XML entities as characters, once over: `&amp;lt;` becomes `&lt;`."""
    return _ENTITY.sub(lambda match: html.unescape(match.group()), text)


def shortened(text: str) -> str:
    """`text` on one line of at most 40 characters, for messages."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:39] + "…"


class Source:
    """A text, the file it came from, and every problem found so far.

    Lines end with `\\n` only; columns count characters from 1.
    """

    def __init__(self, text: str, path: Path) -> None:
        self.text = text
        self.path = path
        self._problems: list[tuple[int, Problem]] = []
        self._has_errors = False
        lengths = [len(line) + 1 for line in text.split("\n")]
        self._line_starts = array("Q", accumulate(lengths[:-1], initial=0))

    def position(self, offset: int) -> Position:
        """Where the character at `offset` stands."""
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1] + 1)

    def offset(self, position: Position) -> int:
        """The offset of a place, kept within the text."""
        line = min(position.line, len(self._line_starts))
        return min(self._line_starts[line - 1] + position.column - 1, len(self.text))

    def error(self, offset: int, message: str, *, hint: str | None = None) -> None:
        """Note that the file cannot be run as it is."""
        self._note(offset, message, is_error=True, hint=hint)

    def warn(self, offset: int, message: str, *, hint: str | None = None) -> None:
        """Note something odd that does not keep the plan from running."""
        self._note(offset, message, is_error=False, hint=hint)

    @property
    def count(self) -> int:
        """How many problems have been noted."""
        return len(self._problems)

    def problems(self) -> tuple[Problem, ...]:
        """Everything noted, in order of position."""
        return tuple(problem for _, problem in sorted(self._problems, key=lambda noted: noted[0]))

    def _note(self, offset: int, message: str, *, is_error: bool, hint: str | None) -> None:
        if len(self._problems) >= MAX_PROBLEMS and (not is_error or self._has_errors):
            return
        self._has_errors = self._has_errors or is_error
        problem = Problem(self.path, self.position(offset), message, is_error=is_error, hint=hint)
        self._problems.append((offset, problem))
