"""How often each model succeeds on tasks of a difficulty, learned from finished attempts.

A logistic curve for each model: level and slope, with a normal prior on both. Which attempts are seen depends on what
failed before, so a model's bare share of successes says little; the difficulty of each task is therefore averaged over
what its own attempts leave possible (expectation), and the curves are fitted to that (maximisation).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from bursar.routing.difficulty import GRID, Weights, prior_weights
from bursar.routing.purchases import Evidence

# Priors, in logits. A usual task is a coin toss for a small model and a little better for a larger one; the same task
# tends to fail on every model: with a slope of 2.6 two models' results correlate by about 0.5.
LEVEL = {"small": 0.2, "medium": 0.6, "large": 1.0}
_LEVEL_SPREAD = 1.0
SLOPE = 2.6
_SLOPE_SPREAD = 0.6
_SHIFT_STEP = 0.25  # tasks whose shifts are this close are counted as one kind
_NEWTON_STEPS = 3
_LEAST_SLOPE = 0.3


@dataclass(frozen=True, slots=True)
class Curve:
    """A model's chance of success at each difficulty."""

    level: float
    slope: float

    def chances(self) -> Weights:
        """Success probabilities on GRID."""
        return [1.0 / (1.0 + math.exp(self.slope * point - self.level)) for point in GRID]


Pattern = tuple[float, tuple[Evidence, ...]]


@dataclass(slots=True)
class Skills:
    """Curves of all models that were ever seen, and the kinds of tasks that they were learned from."""

    tiers: dict[str, str] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    patterns: Counter[Pattern] = field(default_factory=Counter)
    _chances: dict[str, Weights] = field(default_factory=dict)

    def meet(self, model: str, tier: str) -> None:
        """The model's tier is known."""
        if model not in self.tiers:
            self.tiers[model] = tier
            self._chances.pop(model, None)

    def chances(self, model: str) -> Weights:
        """Success probabilities on GRID; from the prior of its tier where nothing was seen."""
        known = self._chances.get(model)
        if known is None:
            known = self._chances[model] = self.curve(model).chances()
        return known

    def curve(self, model: str) -> Curve:
        """The model's curve; that of its tier where nothing was seen."""
        return self.curves.get(model) or Curve(self._prior_level(model), SLOPE)

    def _prior_level(self, model: str) -> float:
        return LEVEL.get(self.tiers.get(model, "medium"), LEVEL["medium"])

    def count(self, pattern: Pattern, times: int = 1) -> None:
        """So many more tasks of this kind have ended this way; fewer, if negative."""
        self.patterns[pattern] += times
        if self.patterns[pattern] <= 0:
            del self.patterns[pattern]

    def weights(self, shift: float, seen: tuple[Evidence, ...]) -> Weights:
        """What the attempts leave of the difficulties; not normalised: the sum is the chance of having seen this."""
        weights = prior_weights(shift)
        for one in seen:
            chances = self.chances(one.model)
            weights = [
                weight * (chance * one.if_good + (1 - chance) * one.if_bad)
                for weight, chance in zip(weights, chances, strict=True)
            ]
        return weights

    def fit(self, rounds: int = 1) -> None:
        """Move the curves towards what the patterns make likeliest."""
        for _ in range(rounds):
            goods, bads = self._expected()
            for model in goods:
                self.curves[model] = self._fitted(model, goods[model], bads[model])
            self._chances.clear()

    def _expected(self) -> tuple[dict[str, Weights], dict[str, Weights]]:
        goods: dict[str, Weights] = {}
        bads: dict[str, Weights] = {}
        for (shift, seen), count in self.patterns.items():
            weights = self.weights(shift, seen)
            scale = count / max(sum(weights), 1e-300)
            for one in seen:
                self._add(one, weights, scale, goods, bads)
        return goods, bads

    def _add(
        self, one: Evidence, weights: Weights, scale: float, goods: dict[str, Weights], bads: dict[str, Weights]
    ) -> None:
        good = goods.setdefault(one.model, [0.0] * len(GRID))
        bad = bads.setdefault(one.model, [0.0] * len(GRID))
        for index, (weight, chance) in enumerate(zip(weights, self.chances(one.model), strict=True)):
            as_good, as_bad = chance * one.if_good, (1 - chance) * one.if_bad
            total = as_good + as_bad
            if total > 0:
                good[index] += scale * weight * as_good / total
                bad[index] += scale * weight * as_bad / total

    def _fitted(self, model: str, good: Weights, bad: Weights) -> Curve:
        """Newton's steps on the penalised likelihood of expected counts."""
        curve = self.curve(model)
        level, slope = curve.level, curve.slope
        level_weight, slope_weight = _LEVEL_SPREAD**-2, _SLOPE_SPREAD**-2
        prior_level = self._prior_level(model)
        for _ in range(_NEWTON_STEPS):
            to_level, to_slope = level_weight * (prior_level - level), slope_weight * (SLOPE - slope)
            h_ll, h_ls, h_ss = level_weight, 0.0, slope_weight
            for point, yes, no in zip(GRID, good, bad, strict=True):
                chance = 1.0 / (1.0 + math.exp(slope * point - level))
                error, bend = yes - (yes + no) * chance, (yes + no) * chance * (1 - chance)
                to_level, to_slope = to_level + error, to_slope - error * point
                h_ll, h_ls, h_ss = h_ll + bend, h_ls - bend * point, h_ss + bend * point * point
            det = h_ll * h_ss - h_ls * h_ls
            level += (h_ss * to_level - h_ls * to_slope) / det
            slope = max(_LEAST_SLOPE, slope + (h_ll * to_slope - h_ls * to_level) / det)
        return Curve(level, slope)


def kind_of(shift: float) -> float:
    """The shift that tasks of this kind are counted under."""
    return round(shift / _SHIFT_STEP) * _SHIFT_STEP
