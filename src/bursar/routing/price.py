"""What an attempt of each model costs, learned from finished ones: log-normal, apart for successes and failures.

Means are pooled: a model's successes and failures towards each other, models towards a common scale. A cost that was
cut off at a cap is taken for what it would probably have been.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

# Priors. One attempt costs tens of cents, give or take a factor of four; a larger tier takes 65 % more for a task; a
# failure costs half as much again as a success; one attempt in three is dearer or cheaper by a factor of 2.2 or more.
_SCALE, _SCALE_SPREAD = math.log(0.3), 1.5
_STEP = {"small": -0.5, "medium": 0.0, "large": 0.5}
_MODEL_SPREAD = 1.0
_FAILED, _FAILED_SPREAD = 0.4, 0.4
_SIGMA, _SIGMA_COUNT = 0.8, 6.0
_SHARED, _SHARED_COUNT = 0.45, 20.0  # share of the variance that a task keeps from one model to the next
_ROOT_OF_TWO = math.sqrt(2)
_FAR = 4.0  # standard deviations beyond which a tail is taken for exponential
_FARTHEST = 2.5  # standard deviations beyond which no mean is extrapolated


@dataclass(frozen=True, slots=True)
class Costs:
    """Log-normal dollars of one attempt that would end in one way."""

    middle: float
    sigma: float

    def within(self, cap: float) -> float:
        """The share of attempts that end at or below the cap."""
        return _normal((math.log(cap) - self.middle) / self.sigma)

    def mean(self, cap: float) -> float:
        """Mean dollars when attempts are ended at the cap."""
        upto = (math.log(cap) - self.middle) / self.sigma
        whole = math.exp(self.middle + self.sigma**2 / 2)
        return whole * _normal(upto - self.sigma) + cap * _normal(-upto)

    def moved(self, by: float, spread: float = 1.0) -> Costs:
        """The same, dearer by `by` logits and with a spread of this share."""
        return Costs(self.middle + by, self.sigma * spread)

    @property
    def longest(self) -> float:
        """Dollars that are taken for the dearest attempt."""
        return math.exp(self.middle + _FARTHEST * self.sigma)


class Spread:
    """Costs of attempts that would end in one way, one log-normal for each place of a grid, all with one sigma."""

    def __init__(self, middles: Sequence[float], sigma: float) -> None:
        self._middles, self._sigma = middles, sigma
        self._wholes = [math.exp(middle + sigma**2 / 2) for middle in middles]

    def cut(self, cap: float) -> tuple[list[float], list[float]]:
        """What `Costs.within` and `Costs.mean` say of the cap, for each place."""
        sigma, log_cap, scale = self._sigma, math.log(cap), _ROOT_OF_TWO
        within, means = [], []
        for middle, whole in zip(self._middles, self._wholes, strict=True):
            upto = (log_cap - middle) / sigma
            above = 0.5 * math.erfc(upto / scale)
            within.append(1 - above)
            means.append(whole * 0.5 * math.erfc((sigma - upto) / scale) + cap * above)
        return within, means


def _normal(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))


@dataclass(slots=True)
class _Sums:
    count: float = 0.0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float, weight: float) -> None:
        self.count += weight
        self.total += weight * value
        self.squares += weight * value * value

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0

    @property
    def scatter(self) -> float:
        return max(0.0, self.squares - self.total * self.mean)


@dataclass(slots=True)
class Prices:
    """Costs of all models that were ever seen."""

    tiers: dict[str, str] = field(default_factory=dict)
    good: dict[str, _Sums] = field(default_factory=dict)
    bad: dict[str, _Sums] = field(default_factory=dict)
    _known: dict[str, tuple[Costs, Costs]] = field(default_factory=dict)
    scale: float = _SCALE
    _shared_sum: float = 0.0
    _shared_count: float = 0.0

    def meet(self, model: str, tier: str) -> None:
        """The model's tier is known."""
        if model not in self.tiers:
            self.tiers[model] = tier
            self._known.pop(model, None)

    def costs(self, model: str) -> tuple[Costs, Costs]:
        """(of a success, of a failure), before anything is known of the task."""
        known = self._known.get(model)
        if known is None:
            known = self._known[model] = self._pooled(model)
        return known

    def learn(self, model: str, log_cost: float, good: float, weight: float = 1.0) -> None:
        """Count one attempt whose work was good with this probability; `log_cost` is less the task's own effect."""
        self.good.setdefault(model, _Sums()).add(log_cost, weight * good)
        self.bad.setdefault(model, _Sums()).add(log_cost, weight * (1 - good))
        self._known.clear()
        self.scale = self._fit_scale()

    def learn_shared(self, product: float) -> None:
        """Count the product of two standardised residuals of one task."""
        self._shared_sum += max(-4.0, min(4.0, product))
        self._shared_count += 1

    @property
    def shared(self) -> float:
        """How much of a surprise in one attempt's cost is expected of the next model's, 0 to 0.9."""
        got = (_SHARED * _SHARED_COUNT + self._shared_sum) / (_SHARED_COUNT + self._shared_count)
        return max(0.0, min(0.9, got))

    def _step(self, model: str) -> float:
        return _STEP.get(self.tiers.get(model, "medium"), 0.0)

    def _fit_scale(self) -> float:
        weight, total = _SCALE_SPREAD**-2, _SCALE * _SCALE_SPREAD**-2
        for model in self.good:
            good, bad = self.good[model], self.bad[model]
            count = max(good.count + bad.count, 1e-9)
            middle = (good.total + bad.total - bad.count * _FAILED) / count - self._step(model)
            own = 1 / (_MODEL_SPREAD**2 + _SIGMA**2 / count)
            weight, total = weight + own, total + own * middle
        return total / weight

    def _pooled(self, model: str) -> tuple[Costs, Costs]:
        """Means by precision: the middle of both ways from the scale, then each way from that middle."""
        good, bad = self.good.get(model, _Sums()), self.bad.get(model, _Sums())
        before = self.scale + self._step(model)
        noise = self._variance(good, bad)
        count = good.count + bad.count
        shrink = count / (count + noise / _MODEL_SPREAD**2)
        level = (good.total + bad.total - bad.count * _FAILED) / count if count else before
        middle = before + shrink * (level - before)
        own = noise / _FAILED_SPREAD**2
        at_good = (good.total + own * middle) / (good.count + own)
        at_bad = (bad.total + own * (middle + _FAILED)) / (bad.count + own)
        return Costs(at_good, self._sigma(good, noise)), Costs(at_bad, self._sigma(bad, noise))

    def _variance(self, good: _Sums, bad: _Sums) -> float:
        scatter = good.scatter + bad.scatter
        return (_SIGMA**2 * _SIGMA_COUNT + scatter) / (_SIGMA_COUNT + max(0.0, good.count + bad.count - 2))

    def _sigma(self, sums: _Sums, common: float) -> float:
        own = (common * _SIGMA_COUNT + sums.scatter) / (_SIGMA_COUNT + max(0.0, sums.count - 1))
        return math.sqrt(max(0.01, own))


def beyond(log_cap: float, middle: float, sigma: float) -> float:
    """The mean of a normal variable that is known to be above `log_cap`."""
    z = (log_cap - middle) / sigma
    if z > _FAR:
        return log_cap + sigma / z
    density = math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return middle + sigma * density / _normal(-z)
