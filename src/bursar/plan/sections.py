"""The parts of a plan outside its tasks: the objective, and what the context names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bursar.plan.elements import Element
from bursar.plan.tags import find_first

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_REFERENCE = re.compile(r"[ \t]*(?:[-*+][ \t]+)?@(?P<path>[^\s()\"'`,;]+)(?:\s+.*)?")


def outside_tasks(text: str, start: int, tasks: Sequence[Element]) -> str:
    """The text from `start` on without the task elements."""
    pieces, cursor = [], start
    for task in tasks:
        pieces.append(text[cursor : task.offset])
        cursor = task.after
    return "".join([*pieces, text[cursor:]])


def find_section(text: str, name: str) -> str:
    """What the first `<name>` that stands first on its line holds, stripped; empty where there is none."""
    opening = find_first(text, f"<{name}>", 0, len(text))
    start = opening + len(name) + 2
    closing = text.find(f"</{name}>", start) if opening >= 0 else -1
    return text[start:closing].strip() if closing >= 0 else ""


def context_paths(text: str) -> tuple[str, ...]:
    """What lines that begin with `@` in the context sections name, each once; code fences in them do not count."""
    paths: dict[str, None] = {}
    for name in ("execution_context", "context"):
        is_fenced = False
        for line in find_section(text, name).split("\n"):
            if _FENCE.match(line):
                is_fenced = not is_fenced
            elif not is_fenced and (reference := _REFERENCE.fullmatch(line)):
                paths[reference["path"]] = None
    return tuple(paths)
