"""What `--phases` names: `2-4`, `1,3`, `2.1`."""

from __future__ import annotations

import re

from bursar.errors import UserError
from bursar.plan import Roadmap, normal_number

_RANGE = re.compile(r"(\d+(?:\.\d+)*)\s*(?:-|–|\.\.)\s*(\d+(?:\.\d+)*)")


def named_phases(roadmap: Roadmap, text: str) -> set[str]:
    """The numbers of the phases that `2-4`, `1,3` or `2.1` name; a range has the phases put in between, too.

    Raises:
        UserError: there is no such phase.
    """
    found: set[str] = set()
    for word in filter(None, (word.strip() for word in text.split(","))):
        phase = roadmap.phase(word)
        between = _between(roadmap, word) if phase is None else {phase.number}
        if not between:
            raise UserError(f"{roadmap.path} has no phase `{word}`", hint=_other_phases(roadmap, word))
        found |= between
    if not found:
        raise UserError("--phases names no phase", hint="--phases 2-4")
    return found


def _other_phases(roadmap: Roadmap, word: str) -> str:
    """The range the right way round, where that has phases; else those that there are."""
    match = _RANGE.fullmatch(word)
    if match is not None and _between(roadmap, turned := f"{match[2]}-{match[1]}"):
        return f"--phases {turned}"
    numbers = [phase.number for phase in roadmap.phases]
    some = ", ".join(numbers[:12]) + (", …" if len(numbers) > 12 else "")
    return f"it has {some or 'no phases'}"


def _between(roadmap: Roadmap, word: str) -> set[str]:
    match = _RANGE.fullmatch(word)
    if match is None:
        return set()
    first, last = (_parts(normal_number(end)) for end in match.groups())
    numbers = {phase.number for phase in roadmap.phases if re.fullmatch(r"[\d.]+", phase.number)}
    return {number for number in numbers if first <= _parts(number) <= last}


def _parts(number: str) -> list[int]:
    return [int(part) for part in number.split(".")]
