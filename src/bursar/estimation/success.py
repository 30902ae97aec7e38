"""How often work succeeds: counted where it was seen often, borrowed from what is like it where it was not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from bursar.estimation.key import Key

USUAL = 0.85  # Source: the design documents, where nothing is known
_WORTH = 6.0  # how many outcomes the wider group's rate is worth (docs/decisions/0033-how-estimates-learn.md)


@dataclass(frozen=True, slots=True)
class SuccessRate:
    """The share that will probably succeed, and how many outcomes of exactly this kind say so."""

    rate: float
    observations: int


class SuccessRates:
    """Outcomes counted by model, by type and model, and by type, complexity and model."""

    def __init__(self) -> None:
        self._counts: dict[tuple[object, ...], list[int]] = {}

    def observe(self, key: Key, succeeded: bool) -> None:
        """One more outcome is known."""
        for group in _groups(key):
            count = self._counts.setdefault(group, [0, 0])
            count[0] += succeeded
            count[1] += 1

    def estimate(self, key: Key) -> SuccessRate:
        """The rate of the narrowest group, pulled towards that of what else the next wider one has seen, and so on.

        No outcome counts twice: what is in a narrower group is left out of the wider ones.
        """
        counts = [self._counts.get(group, [0, 0]) for group in _groups(key)]
        rate = USUAL
        for (succeeded, seen), (succeeded_within, seen_within) in pairwise([*counts, [0, 0]]):
            rate = (succeeded - succeeded_within + _WORTH * rate) / (seen - seen_within + _WORTH)
        return SuccessRate(rate, counts[-1][1])


def _groups(key: Key) -> tuple[tuple[object, ...], ...]:
    return (), (key.model,), (key.type, key.model), (key.type, key.complexity, key.model)
