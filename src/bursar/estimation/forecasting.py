"""What a whole of tasks will take: drawn many times over, with failures, retries, slots and what waits for what.

One draw is one way in which everything may go. What makes one task dear makes others dear in the same draw, and a task
that takes many tokens takes long and costs much there. Pure: the draws follow from the seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from bursar.estimation.numeric import Floats, np
from bursar.estimation.tails import ONE_SIDE
from bursar.estimation.totals import normal_draws

DRAWS = 1_000
SEED = 1
_FEW_DRAWS = 10
_COMMON = 0.5  # of the variance of guesses: what all of them share

Draws: TypeAlias = Floats
"""One number for each draw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One attempt as it may go: in each draw what it takes, and how often it succeeds.

    Attributes:
        amounts: by measure, one number for each of the `DRAWS` draws; `seconds` is one of them.
        success: the chance that nothing more has to follow, 0 to 1.
    """

    amounts: dict[str, Floats]
    success: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One task of the whole.

    Attributes:
        name: unique within it.
        rungs: the attempts that it may get, in their order; the next follows where one has failed. None: a person acts.
        waits_for: what has to be done before; named earlier in the order of the pieces.
    """

    name: str
    rungs: Sequence[Rung]
    waits_for: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Forecast:
    """How the whole goes in each draw.

    Attributes:
        amounts: by measure what all attempts together take.
        by_piece: by measure and piece the same.
        seconds: from the start to the end.
        done: 1 where everything was done, else 0.
    """

    amounts: dict[str, Floats]
    by_piece: dict[str, dict[str, Floats]]
    seconds: Floats
    done: Floats

    @property
    def success(self) -> float:
        """The share of the draws in which everything is done, given the money."""
        return float(self.done.mean())


def forecast(pieces: Sequence[Piece], *, slots: int, measures: Sequence[str], seed: int = SEED) -> Forecast:
    """Every draw played to its end. What waits for a task that failed for good is not begun.

    Args:
        pieces: each after all that it waits for.
        slots: how many attempts run at once, 1 or more.
        measures: `seconds` must be among them.
    """
    draw = np.random.default_rng([seed, len(pieces)])
    free = np.zeros((slots, DRAWS))
    done: dict[str, Floats] = {}
    ends: dict[str, Floats] = {}
    by_piece: dict[str, dict[str, Floats]] = {measure: {} for measure in measures}
    for piece in pieces:
        may_start = np.ones(DRAWS)
        ready = np.zeros(DRAWS)
        for name in piece.waits_for:
            may_start *= done[name]
            np.maximum(ready, ends[name], out=ready)
        taken, done[piece.name] = _play(piece, may_start, measures, draw)
        for measure in measures:
            by_piece[measure][piece.name] = taken[measure]
        ends[piece.name] = _take_slot(free, ready, taken["seconds"]) if piece.rungs else ready
    return Forecast(
        amounts={measure: _sum(by_piece[measure].values()) for measure in measures},
        by_piece=by_piece,
        seconds=np.max(np.array([np.zeros(DRAWS), *ends.values()]), axis=0),
        done=np.min(np.array([np.ones(DRAWS), *done.values()]), axis=0),
    )


def spread_draws(size: int, seed: int, row: int, low: float, high: float) -> Draws:
    """Draws between two logarithms, as amounts: one in ten lies below, one above. Half of what varies is common to all.

    Args:
        size: how many there are, and `row` which of them: the luck is that of `Estimator.draw`.
    """
    own = normal_draws(size, DRAWS, seed)[row]
    places = np.sqrt(_COMMON) * _common(size, seed) + np.sqrt(1 - _COMMON) * own
    return np.asarray(np.exp((low + high) / 2 + (high - low) / 2 / ONE_SIDE * places / places.std()))


def left_draws(draws: Draws, used: float) -> Draws:
    """What is still to come of work that has used so much: what it takes in the draws in which it takes more than that.

    What has gone farther than nearly all draws is taken to go on for a quarter of what it has used.
    """
    if used <= 0:
        return draws
    longer = draws[draws > used]
    if len(longer) < _FEW_DRAWS:
        return np.full_like(draws, used / 4)
    return np.where(draws > used, draws, np.resize(longer, len(draws))) - used


@lru_cache(maxsize=2)
def _common(size: int, seed: int) -> Draws:
    return np.asarray(normal_draws(size, DRAWS, seed).sum(0) / np.sqrt(size))


def _play(
    piece: Piece, may_start: Floats, measures: Sequence[str], draw: np.random.Generator
) -> tuple[dict[str, Floats], Floats]:
    """What all its attempts take, and where it was done in the end."""
    taken = {measure: np.zeros(DRAWS) for measure in measures}
    is_open = may_start.copy()
    for rung in piece.rungs:
        for measure in measures:
            taken[measure] += is_open * rung.amounts[measure]
        is_open *= draw.random(DRAWS) >= rung.success
    return taken, may_start * (1 - is_open) if piece.rungs else may_start


def _take_slot(free: Floats, ready: Floats, seconds: Floats) -> Floats:
    """When it ends, begun as soon as it is ready and a slot is free; the slot is taken until then."""
    slot, draws = free.argmin(axis=0), np.arange(free.shape[1])
    begun = np.maximum(free[slot, draws], ready)
    ends = begun + seconds
    free[slot, draws] = np.where(seconds > 0, ends, free[slot, draws])
    return np.asarray(ends)


def _sum(parts: Iterable[Floats]) -> Floats:
    return np.asarray(np.sum(np.array([np.zeros(DRAWS), *parts]), axis=0))
