"""How hard a task is, as far as anybody knows: weights on a grid of difficulties.

Difficulty is measured in standard deviations of the tasks that one user gives to agents: 0 is the usual task, 1 is
harder than five out of six. Nobody sees it: it shows in which models fail, and a little in what is known beforehand.
"""

from __future__ import annotations

import math

GRID = tuple(step * 0.6 for step in range(-4, 5))
_LIMIT = 1.5  # what is known beforehand moves the middle by no more: it is a hint, never a verdict

Weights = list[float]


def prior_weights(shift: float) -> Weights:
    """Weights of GRID that sum to 1: normal, with its middle moved by `shift` (cut off at 1.5 either way)."""
    middle = max(-_LIMIT, min(_LIMIT, shift))
    density = [math.exp(-0.5 * (point - middle) ** 2) for point in GRID]
    total = sum(density)
    return [value / total for value in density]


def mean_difficulty(weights: Weights) -> float:
    """The middle of weights that need not sum to 1; 0 when there is no weight at all."""
    total = sum(weights)
    return sum(weight * point for weight, point in zip(weights, GRID, strict=True)) / total if total > 0 else 0.0
