"""Estimates that learn: every outcome makes the next estimate better. Pure: the same calls give the same answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bursar.estimation.defaults import usual_log
from bursar.estimation.key import Interval, Key

if TYPE_CHECKING:
    from bursar.estimation.numeric import Floats
    from bursar.estimation.stream import Stream

_LARGEST = 1e300


class Estimator:
    """What finished work took, measure by measure; nothing learned of one tells anything of another."""

    def __init__(self) -> None:
        self._streams: dict[str, Stream] = {}

    def observe(self, key: Key, value: float) -> None:
        """The next estimates know that work of this key took `value`; what is no number above 0 is passed over."""
        if is_amount(value):
            self._stream(key.measure).observe(key, math.log(value))

    def observe_all(self, keys: Sequence[Key], values: Sequence[float]) -> None:
        """The next estimates know all of this; faster than one by one, and nothing is estimated between.

        Args:
            keys: in the order in which the work was done.
            values: what each took.
        """
        found: dict[str, list[tuple[Key, float]]] = {}
        for key, value in zip(keys, values, strict=True):
            if is_amount(value):
                found.setdefault(key.measure, []).append((key, math.log(value)))
        for measure, seen in found.items():
            self._stream(measure).observe_all([key for key, _ in seen], [log for _, log in seen])

    def estimate(self, key: Key) -> Interval:
        """What work of this key will probably take; without any history what is usual, said by `observations` 0."""
        return self._stream(key.measure).estimate(key)

    def estimate_total(self, keys: Sequence[Key]) -> Interval:
        """What they will take together, one after another. What makes one dear may make others dear.

        Raises:
            ValueError: there are none, or they are of several measures.
        """
        measures = {key.measure for key in keys}
        if len(measures) != 1:
            raise ValueError(f"a total needs work of one measure, not of {sorted(measures) or 'none'}")
        return self._stream(measures.pop()).estimate_total(keys)

    def observations(self, measure: str) -> int:
        """How many outcomes of this measure it has been told."""
        return self._streams[measure].seen if measure in self._streams else 0

    def coverage(self, measure: str) -> float | None:
        """The share of its outcomes that lay within what was, or would have been, said before; None below ten."""
        return self._streams[measure].coverage if measure in self._streams else None

    def alike(self, key: Key) -> int:
        """How many of them had the key's type, complexity and model."""
        return self._streams[key.measure].alike(key) if key.measure in self._streams else 0

    def draw(self, keys: Sequence[Key], seed: int) -> Floats:
        """Ways in which work of these keys, of one measure, may go: a row for each key, a column for each way.

        The same seed gives the same luck in every measure: what takes many tokens takes long.

        Raises:
            ValueError: nothing of the measure was observed, so there is nothing to draw from.
        """
        from bursar.estimation.forecasting import DRAWS
        from bursar.estimation.totals import half_draws

        measure = keys[0].measure
        if not self.observations(measure):
            raise ValueError(f"nothing is known of {measure} yet")
        return self._stream(measure).draw(keys, half_draws(len(keys), DRAWS, seed))

    def _stream(self, measure: str) -> Stream:
        if measure not in self._streams:
            from bursar.estimation.stream import Stream  # brings numpy, which only those who estimate need to wait for

            self._streams[measure] = Stream(usual_log(measure))
        return self._streams[measure]


def is_amount(value: object) -> bool:
    """Whether it is a number above 0 that can be learned from, and that sums of many can be taken of."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _LARGEST
