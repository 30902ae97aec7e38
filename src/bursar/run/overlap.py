"""How far attempts ran at the same time, from when each began and ended. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """When an attempt began and ended, in seconds of one clock."""

    started: float
    ended: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """See `plan.Execution`: stretches of work with two or more at once, and how many ran at once on average."""

    batches: int
    efficiency: float | None


def measure_overlap(spans: Sequence[Span]) -> Overlap:
    """Pauses between attempts do not count: a run that waited a night for a person is no less parallel for it."""
    batches, busy, worked = 0, 0.0, 0.0
    until, is_counted = float("-inf"), False
    for span in sorted((s for s in spans if s.ended > s.started), key=lambda span: span.started):
        if span.started >= until:  # a new stretch of work: back to back is not at once
            is_counted = False
        elif not is_counted:
            batches, is_counted = batches + 1, True
        busy += max(0.0, span.ended - max(span.started, until))
        worked += span.ended - span.started
        until = max(until, span.ended)
    return Overlap(batches, round(worked / busy, 2) if busy > 0 else None)
