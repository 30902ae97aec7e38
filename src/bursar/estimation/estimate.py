"""Estimates from a plan's own `<metrics>`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bursar.plan import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Tokens that one attempt will use, cache included: one in ten attempts stays below p10, one in ten goes above p90.

    Attributes:
        source: where the numbers come from, in words.
    """

    tokens_p10: int
    tokens_p50: int
    tokens_p90: int
    source: str


def estimate(task: Task) -> Estimate | None:
    """The author's range read as p10 to p90, with their geometric mean between; None when nothing was written.

    Source: docs/decisions/0007-holds.md (token counts are spread on a log scale).
    """
    written = task.metrics.estimated_tokens
    if written is None:
        return None
    middle = math.isqrt(max(written.low, 1) * written.high)
    return Estimate(tokens_p10=written.low, tokens_p50=middle, tokens_p90=written.high, source="the plan's own range")
