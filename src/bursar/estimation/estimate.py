"""Estimates from a plan's own `<metrics>`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bursar.plan import Task, TokenRange

DEFAULT_TOKENS = 50_000  # what is held for an attempt of which nothing is known
_LOW_SHARE = 4  # the guess spreads over a factor of four
_STEP = 0.15  # how much one step of complexity adds to it or takes from it
_MIDDLE = 5


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
    """The author's range read as p10 to p90, with their geometric mean between; None when the author wrote nothing.

    A range that was generated is not the author's: it came from here, and says nothing new.

    Source: docs/decisions/0007-holds.md (token counts are spread on a log scale).
    """
    written = task.metrics.estimated_tokens
    if written is None or task.metrics.estimated_by is not None:
        return None
    middle = math.isqrt(max(written.low, 1) * written.high)
    return Estimate(tokens_p10=written.low, tokens_p50=middle, tokens_p90=written.high, source="the plan's own range")


def guess_range(complexity: int, token_budget: int | None = None) -> TokenRange:
    """A guess for people where nothing is known: up to the default hold, 15 % more or less for a step of complexity.

    Source: docs/decisions/0007-holds.md (the default); the step is that of the design documents.
    """
    high = round(DEFAULT_TOKENS * (1 + (complexity - _MIDDLE) * _STEP), -3)
    high = max(1, int(min(high, token_budget or high)))
    return TokenRange(max(1, high // _LOW_SHARE // 1000 * 1000), high)
