"""Estimates that learn: every outcome makes the next estimate better. Pure: the same calls give the same answers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bursar.estimation.key import Interval, Key

_WIDTH = 1.2


class Estimator:
    """What finished work took, by measure."""

    def __init__(self) -> None:
        self._seen: dict[str, list[float]] = {}

    def observe(self, key: Key, value: float) -> None:
        """The next estimates take into account that work of this key took `value`; no number above 0 is left out."""
        if math.isfinite(value) and value > 0:
            self._seen.setdefault(key.measure, []).append(math.log(value))

    def estimate(self, key: Key) -> Interval:
        """What work of this key will probably take."""
        seen = self._seen.get(key.measure, [])
        middle = sum(seen) / len(seen) if seen else 0.0
        return _interval(middle, _WIDTH, len(seen))

    def estimate_total(self, keys: Sequence[Key]) -> Interval:
        """What all of them will probably take together; they go wrong together, too."""
        single = [self.estimate(key) for key in keys]
        middle = math.log(sum(each.mean for each in single)) if single else 0.0
        return _interval(middle, _WIDTH / 2, min((each.observations for each in single), default=0))


def _interval(middle: float, width: float, observations: int) -> Interval:
    low, p50, high = (math.exp(middle + step) for step in (-width, 0.0, width))
    return Interval(p10=low, p50=p50, p90=high, mean=math.exp(middle + width * width / 3), observations=observations)
