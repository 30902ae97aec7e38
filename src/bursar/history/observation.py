"""How one attempt went, and whether what says so can be believed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

OUTCOMES = frozenset({"succeeded", "failed", "stopped", "interrupted"})
MAX_TEXT = 500  # characters of any of its words
MAX_FACTS = 32
KIND_SEPARATOR = "|"  # of type, complexity and model, where a kind of work is named in one text
_MOST = {"tokens": 10**12, "nano_usd": 10**15, "calls": 10**7, "wall_seconds": 10**8}
_WORDS = ("key", "at", "project", "plan_id", "task", "subagent", "agent", "model", "outcome", "task_type", "digest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """How one attempt went: what was asked, of whom, what came of it, what it took.

    Attributes:
        key: the attempt's key, RUN/TASK/ATTEMPT; an attempt is observed once.
        at: when it ended, ISO 8601 with a time zone; of one form throughout a history, since it is ordered by it.
        project: what names it, for us its folder; empty where that is not known, as with `plan_id`, `task`, `subagent`.
        complexity: 1 to 10, as the plan says; None where it does not.
        agent: what settings call it.
        model: as it was asked for.
        outcome: `succeeded`, `failed`, `stopped` (by a limit), `interrupted` (teaches nothing).
        tokens: metered, cache included.
        nano_usd: cost of what was metered; None when a price is unknown.
        calls: requests to the model.
        wall_seconds: from its start to its end, without verifying.
        task_type: the kind of work, inferred or corrected.
        digest: which task it was, whatever plan or run it stood in; empty where that is not known.
        facts: numbers that were known before it ran.
        origin: empty for what was observed here, else what it was imported from.
    """

    key: str
    at: str
    project: str
    plan_id: str
    task: str
    subagent: str
    complexity: int | None
    agent: str
    model: str
    outcome: str
    tokens: int
    nano_usd: int | None
    calls: int
    wall_seconds: float
    task_type: str = "unknown"
    digest: str = ""
    facts: Mapping[str, float] = field(default_factory=dict)
    origin: str = ""


def check_observation(seen: Observation, *, not_after: datetime | None = None) -> str | None:
    """What makes it unbelievable, in words; None for nothing.

    Args:
        not_after: it cannot have happened later.
    """
    return _check_words(seen) or _check_numbers(seen) or _check_time(seen.at, not_after)


def _check_words(seen: Observation) -> str | None:
    for name in _WORDS:
        text: object = getattr(seen, name)
        if not isinstance(text, str) or len(text) > MAX_TEXT or not text.isprintable():
            return f"`{name}` is no printable text of at most {MAX_TEXT} characters"
    if not seen.key:
        return "`key` is empty"
    if KIND_SEPARATOR in seen.task_type:
        return f"`task_type` has a `{KIND_SEPARATOR}` in it"
    return None if seen.outcome in OUTCOMES else f"`outcome` is none of {', '.join(sorted(OUTCOMES))}"


def _check_numbers(seen: Observation) -> str | None:
    for name, most in _MOST.items():
        number = getattr(seen, name)
        if number is None and name == "nano_usd":
            continue
        is_kind = isinstance(number, int) or (name == "wall_seconds" and isinstance(number, float))
        if not is_kind or isinstance(number, bool) or not 0 <= number <= most:
            return f"`{name}` is no number from 0 to {most:,}"
    complexity: object = seen.complexity
    if complexity is not None and not (type(complexity) is int and 1 <= complexity <= 10):
        return "`complexity` is no whole number from 1 to 10"
    facts: Mapping[str, object] = seen.facts
    are_facts = len(facts) <= MAX_FACTS and all(_is_fact(name, number) for name, number in facts.items())
    return None if are_facts else f"`facts` are not at most {MAX_FACTS} names with a number each"


def _is_fact(name: object, number: object) -> bool:
    if not isinstance(name, str) or len(name) > MAX_TEXT:
        return False
    return (type(number) is int and abs(number) < 10**15) or (type(number) is float and math.isfinite(number))


def _check_time(at: str, not_after: datetime | None) -> str | None:
    try:
        instant = datetime.fromisoformat(at)
        is_late = not_after is not None and instant > not_after
    except (ValueError, TypeError):  # unreadable, or without a time zone
        return "`at` is no time with a time zone, as in 2026-03-01T10:00:00+00:00"
    return "`at` lies in the future" if is_late else None
