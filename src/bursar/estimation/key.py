"""What is known of a piece of work before it runs, and what can be said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Fact = float | int | str | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One piece of work as it is known before it runs.

    Attributes:
        measure: what is counted: `cost_usd`, `tokens`, `calls`, `seconds`; measures never learn from each other.
        model: who works on it; empty where that is not known, as with `project`.
        type: the task's type; "unknown" is a type like any other.
        complexity: 1 to 10; None when nobody said.
        task: what names the work when it is done again, be it by another model; empty when nothing does.
        facts: whatever else is known: sizes, counts, a step's number; None is the same as absent.
        text: the work in words; only its size is looked at.
    """

    measure: str
    model: str = ""
    type: str = "unknown"
    complexity: int | None = None
    project: str = ""
    task: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """What one piece of work, or several together, will probably take: in one of ten cases less than p10, in one more
    than p90.

    All four amounts are in the measure's own unit.

    Attributes:
        mean: the expected value; above p50, because what can go wrong costs more than what can go right saves.
        observations: how many finished pieces of work of this measure it is learned from; 0 is a default.
        alike: how many of them had the same type, complexity and model (of several together: the fewest).
        coverage: share of earlier outcomes that lay within the intervals given before them; None below ten.
    """

    p10: float
    p50: float
    p90: float
    mean: float
    observations: int = 0
    alike: int = 0
    coverage: float | None = None
