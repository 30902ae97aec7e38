"""What is forecast together: pieces of work, and what waits for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bursar.plan import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One thing that takes something, or a point that others wait for.

    Attributes:
        name: unique within the scope.
        task: None for a phase that has no plan yet, and for a point.
        phase_tokens: the documented guess for a phase that has no plan yet; None for all else.
        used: by measure what its attempt, which is on, has used already: only the rest is still to come.
    """

    name: str
    title: str = ""
    task: Task | None = None
    phase_tokens: int | None = None
    waits_for: tuple[str, ...] = ()
    used: Mapping[str, float] = field(default_factory=dict)
