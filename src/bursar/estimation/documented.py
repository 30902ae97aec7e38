"""The learner of the design documents: least, most and mean of each kind of work. Kept for comparison, and for `rules`.

Its ranges promise nothing: of a kind that was seen once they are a single point. See `estimator` for what is used else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bursar.estimation.defaults import usual_log
from bursar.estimation.estimator import Estimator, is_amount
from bursar.estimation.key import Interval, Key

_BASE_TOKENS = {
    "file-read": 2_000.0,
    "simple-impl": 3_000.0,
    "api-impl": 8_000.0,
    "complex-refactor": 15_000.0,
    "test-write": 5_000.0,
    "architecture": 10_000.0,
}
_OTHER_BASE, _STEP, _MIDDLE, _RANGE = 5_000.0, 0.15, 5, 0.3
_OF_MODEL = {"haiku": 1.2, "sonnet": 1.0, "opus": 0.85}


@dataclass(slots=True)
class _Kind:
    count: int = 0
    total: float = 0.0
    least: float = 0.0
    most: float = 0.0

    def add(self, value: float) -> None:
        self.least = min(self.least, value) if self.count else value
        self.most = max(self.most, value)
        self.count, self.total = self.count + 1, self.total + value


class DocumentedLearner(Estimator):
    """Least, mean and most by type, complexity and model; the documented guess where there are none.

    Source: the design documents.
    """

    def __init__(self) -> None:
        super().__init__()
        self._kinds: dict[tuple[object, ...], _Kind] = {}

    def observe(self, key: Key, value: float) -> None:
        """The outcome counts for its kind."""
        if is_amount(value):
            self._kinds.setdefault(_kind(key), _Kind()).add(value)

    def observe_all(self, keys: Sequence[Key], values: Sequence[float]) -> None:
        """All of them count."""
        for key, value in zip(keys, values, strict=True):
            self.observe(key, value)

    def observations(self, measure: str) -> int:
        """How many outcomes of this measure it has been told."""
        return sum(kind.count for (of, *_), kind in self._kinds.items() if of == measure)

    def estimate(self, key: Key) -> Interval:
        """The kind's own range, about its mean."""
        kind = self._kinds.get(_kind(key))
        if kind is None:
            guess = _guess(key)
            return Interval(p10=guess * (1 - _RANGE), p50=guess, p90=guess * (1 + _RANGE), mean=guess)
        mean = min(kind.most, max(kind.least, kind.total / kind.count))
        return Interval(p10=kind.least, p50=mean, p90=kind.most, mean=mean, observations=kind.count, alike=kind.count)

    def estimate_total(self, keys: Sequence[Key]) -> Interval:
        """The sums of their ends."""
        single = [self.estimate(key) for key in keys]
        if not single:
            raise ValueError("a total needs work of one measure, not of none")
        low, middle, high, mean = (
            sum(getattr(each, name) for each in single) for name in ("p10", "p50", "p90", "mean")
        )
        return Interval(
            p10=low, p50=middle, p90=high, mean=mean, observations=min(each.observations for each in single)
        )


def _kind(key: Key) -> tuple[object, ...]:
    return key.measure, key.type, key.complexity, key.model


def _guess(key: Key) -> float:
    step = 1 + ((key.complexity or _MIDDLE) - _MIDDLE) * _STEP
    base = _BASE_TOKENS.get(key.type, _OTHER_BASE) if key.measure == "tokens" else math.exp(usual_log(key.measure))
    return base * step * _OF_MODEL.get(key.model, 1.0)
