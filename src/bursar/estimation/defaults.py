"""What is assumed while nothing is known."""

from __future__ import annotations

import math

_USUAL = {"tokens": 50_000.0, "cost_usd": 0.5, "calls": 30.0, "seconds": 600.0, "minutes": 10.0}


def usual_log(measure: str) -> float:
    """The logarithm of what an attempt takes, before any has been seen: a first guess that a few outcomes replace.

    Source: docs/decisions/0007-holds.md for tokens; the others go with them.
    """
    return math.log(_USUAL.get(measure, 1.0))
