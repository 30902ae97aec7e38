"""Which tasks a task waits for, by number. Cycles are found one room up, in `graph`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bursar.plan.source import Source

MAX_HINTS = 20  # looking for the nearest name takes time, and the first hints say it all
MAX_NAMES = 10_000
_NO_DEPENDENCY = frozenset({"", "none", "n/a", "na", "nothing", "-", "—", "null"})
_TASK_WORD = re.compile(r"(?<![\w-])tasks?(?![A-Za-z])[\s_#:-]*|#", re.IGNORECASE)
_SEPARATORS = re.compile(r"[,;&+\s]+(?:and\s+)?")
_RANGE = re.compile(r"(\d{1,5})\s*[-–—]\s*(\d{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What one task declares about its place: `depends_on` is None where the attribute is absent."""

    number: str
    alias: str
    is_parallel: bool
    depends_on: str | None
    offset: int


def number_key(number: str) -> str:
    """What two spellings of one number share: `4`, `04`, `Task 4` and `task-4` are the same."""
    bare = _TASK_WORD.sub("", number.strip().lower()).strip("`\"' ")
    return bare.lstrip("0") or "0" if bare.isascii() and bare.isdigit() else bare


def resolve_dependencies(source: Source, tasks: Sequence[Declared]) -> list[tuple[str, ...]]:
    """For each task the numbers of the tasks it waits for; unknown names and a task's own are noted as errors.

    An absent `depends-on` means the task before, or nothing for a task that can run in parallel. One deliberate
    departure from the letter of the format: a sequential task that follows a run of parallel ones waits for all of
    that run, and for the sequential task before it, not only for the last member. An author who writes "set up, three
    features, then the integration test" means all three. An empty `depends-on=""` means no dependencies at all.
    """
    known = _known_numbers(tasks)
    before = _before_each(tasks)
    return [
        before[index] if task.depends_on is None else _resolve(source, task, task.depends_on, known)
        for index, task in enumerate(tasks)
    ]


def _known_numbers(tasks: Sequence[Declared]) -> dict[str, str]:
    """Every name that a task answers to, numbers before ids."""
    known = {number_key(task.number): task.number for task in reversed(tasks)}
    for task in tasks:
        if task.alias:
            known.setdefault(number_key(task.alias), task.number)
    return known


def _before_each(tasks: Sequence[Declared]) -> list[tuple[str, ...]]:
    """What each task waits for when it says nothing."""
    before: list[tuple[str, ...]] = []
    sequential: tuple[str, ...] = ()
    run: list[str] = []
    for task in tasks:
        if task.is_parallel:
            before.append(())
            run.append(task.number)
            continue
        before.append((*sequential, *run))
        sequential, run = (task.number,), []
    return before


def _resolve(source: Source, task: Declared, text: str, known: Mapping[str, str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for name in _names(text, known):
        number = known.get(number_key(name))
        if number is None:
            message = f"task {task.number} depends on `{name}`, which is no task of this plan"
            source.error(task.offset, message, hint=_nearest(name, known) if source.count < MAX_HINTS else None)
        elif number == task.number:
            source.error(task.offset, f"task {task.number} depends on itself")
        else:
            found[number] = None
    return tuple(found)


def _names(text: str, known: Mapping[str, str]) -> list[str]:
    """The names in a `depends-on`: `1,2`, `Task 3`, `[task-1]`, `4-6`; none for `[]` and `none`."""
    bare = text.strip().strip("[]").strip()
    if bare.lower() in _NO_DEPENDENCY:
        return []
    names: list[str] = []
    for name in _SEPARATORS.split(_TASK_WORD.sub(" ", bare)):
        name = name.strip("`\"'")
        if name and name.lower() not in _NO_DEPENDENCY and name.lower() != "and":
            names.extend(_expanded(name, known) if len(names) < MAX_NAMES else [name])
    return names


def _expanded(name: str, known: Mapping[str, str]) -> list[str]:
    """A range such as `4-6` as its members, unless a task bears that very number or an end of it is unknown."""
    match = None if number_key(name) in known else _RANGE.fullmatch(name)
    if match is None or match[1].lstrip("0") not in known or match[2].lstrip("0") not in known:
        return [name]
    return [str(number) for number in range(int(match[1]), int(match[2]) + 1)] or [name]


def _nearest(name: str, known: Mapping[str, str]) -> str | None:
    """`did you mean` with the known number that is nearest: by value for numbers, else by spelling."""
    key = number_key(name)
    if key.isascii() and key.isdigit() and len(key) < 10:
        numbers = [other for other in known if other.isascii() and other.isdigit() and len(other) < 10]
        close = sorted(numbers, key=lambda other: (abs(int(other) - int(key)), int(other)))[:1]
    elif len(known) > 1_000:
        close = []
    else:
        close = difflib.get_close_matches(key, list(known), n=1)
    return f"did you mean `{known[close[0]]}`?" if close else f"tasks here: {_listed(known)}"


def _listed(known: Mapping[str, str]) -> str:
    numbers = list(dict.fromkeys(known.values()))
    return ", ".join(numbers[:10]) + (", …" if len(numbers) > 10 else "")
