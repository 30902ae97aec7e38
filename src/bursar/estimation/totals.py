"""Sums of what is expected on a log scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from bursar.estimation.numeric import Floats, np, triangular_root
from bursar.estimation.regression import Expected
from bursar.estimation.tails import ONE_SIDE

_DRAWS = 256
_SEED = 20  # any number: the same draws each time


@dataclass(frozen=True, slots=True)
class Whole:
    """What is expected of one logarithm: its middle and its standard deviation."""

    middle: float
    deviation: float

    def surprise(self, log: float) -> float:
        """How far that is from what was expected, in standard deviations."""
        return (log - self.middle) / self.deviation


def log_sum(logs: Floats) -> float:
    """The logarithm of the sum of what these are the logarithms of."""
    most = float(logs.max())
    return most + math.log(float(np.exp(logs - most).sum()))


def add_up(expected: Expected) -> Whole:
    """What is expected of the logarithm of the sum: drawn, as no formula has it."""
    size = len(expected.means)
    if size == 1:
        return Whole(float(expected.means[0]), math.sqrt(expected.covariance[0, 0]))
    logs = with_opposites(triangular_root(expected.covariance) @ half_draws(size))
    logs += expected.means[:, None]
    low, middle, high = np.quantile(log_sums(logs), [0.1, 0.5, 0.9]).tolist()
    return Whole(middle, (high - low) / (2 * ONE_SIDE))


def log_sums(logs: Floats) -> Floats:
    """The same for every column."""
    most = logs.max(0)
    return np.asarray(most + np.log(np.exp(logs - most).sum(0)))


@lru_cache(maxsize=8)
def normal_draws(size: int, count: int = _DRAWS, seed: int = _SEED) -> Floats:
    """`count` columns of `size` independent normal numbers, each column with its opposite."""
    return with_opposites(half_draws(size, count, seed))


@lru_cache(maxsize=8)
def half_draws(size: int, count: int = _DRAWS, seed: int = _SEED) -> Floats:
    """The same without the opposites."""
    return np.random.default_rng([seed, size]).standard_normal((size, count // 2))


def with_opposites(half: Floats) -> Floats:
    """As many columns again: the opposites."""
    return np.concatenate([half, -half], axis=1)
