"""What a task is called: its number, and its name without the number's label."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bursar.plan.dependencies import number_key
from bursar.plan.source import Source

# `Task 4: …`, `task 16-01-1 — …`, `W1 Task 2. …`; the label must hold a digit (`Task runner: …` has none).
_LABEL = re.compile(
    r"(?P<wave>W\d+\s+)?Task\s+#?(?P<number>(?=[A-Za-z.-]*\d)[A-Za-z0-9][\w.-]*?)"
    r"(?:\s*:|\.(?=\s)|\)(?=\s)|\s*[—–]|\s+-(?=\s)|-(?=\s)|$)\s*(?P<name>.*)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Label:
    """A title taken apart; `number` is None where it bears none."""

    number: str | None
    name: str


def split_label(title: str) -> Label:
    """`Task 4: Add login` as number and name; a title that is a label only keeps it as its name.

    `W2 Task 4: Add login` keeps its label: the name would no longer say the wave.
    """
    match = _LABEL.fullmatch(title)
    if match is None:
        return Label(None, title)
    return Label(match["number"], title if match["wave"] else match["name"] or title)


def assign_numbers(source: Source, offsets: Sequence[int], given: Sequence[str | None]) -> list[str]:
    """One number for each task: the one given, else its position, or the next number that no task claims.

    Two tasks that were given the same number are an error at the second.
    """
    first_with: dict[str, int] = {}
    for offset, number in zip(offsets, given, strict=True):
        if number is None:
            continue
        first = first_with.setdefault(number_key(number), offset)
        if first != offset:
            source.error(offset, f"task number {number} is taken: line {source.position(first).line} has it already")
    taken = set(first_with)
    numbers: list[str] = []
    following = 1
    for position, number in enumerate(given, start=1):
        if number is None:
            following = max(following, position)
            while str(following) in taken:
                following += 1
            number = str(following)
            taken.add(number)
        numbers.append(number)
    return numbers
