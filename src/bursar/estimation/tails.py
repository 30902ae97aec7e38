"""Where one outcome in ten lies below, half of them, and one in ten above, from how surprising earlier ones were."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

from bursar.estimation.numeric import Floats, np

ONE_SIDE = NormalDist().inv_cdf(0.9)  # in standard deviations: one of ten normal numbers lies beyond
_LATEST = 400  # surprises that count
_SHARE = 0.1  # of the outcomes on either side
_SHAPE = np.array([NormalDist().inv_cdf((k + 0.5) / 20) for k in range(20)])  # what is assumed before any is known
_HALF = 100.0  # a surprise counts half as much as one that came so many later
_SETTLED = 20.0  # outcomes after which one moves an end half as much as the first


@dataclass(frozen=True, slots=True)
class Tails:
    """Three places, in standard deviations from what was expected."""

    low: float
    middle: float
    high: float


def measure_tails(surprises: Floats, assumed_worth: float, assumed_width: float = 1.0) -> Tails:
    """The places between which the latest surprises lie.

    Args:
        assumed_worth: how many surprises the assumption is worth that they are normal,
        assumed_width: and have this standard deviation.
    """
    latest = surprises[-_LATEST:]
    places = np.concatenate([_SHAPE * assumed_width, latest])
    weights = np.concatenate(
        [np.full(len(_SHAPE), assumed_worth / len(_SHAPE)), 0.5 ** (np.arange(len(latest))[::-1] / _HALF)]
    )
    order = np.argsort(places, kind="stable")
    places, weights = places[order], weights[order]
    shares = (np.cumsum(weights) - weights / 2) / weights.sum()
    low, middle, high = np.interp([_SHARE, 0.5, 1 - _SHARE], shares, places).tolist()
    return Tails(low, middle, high)


def stretch(normals: Floats, tails: Tails) -> Floats:
    """Normal numbers, moved and stretched so that one in ten lies below, and one above, where the tails say."""
    below, above = (tails.middle - tails.low) / ONE_SIDE, (tails.high - tails.middle) / ONE_SIDE
    stretched = np.where(normals < 0, below, above)
    stretched *= normals
    stretched += tails.middle
    return stretched


class Correction:
    """Moves the ends by what came of the intervals that were given: as many outcomes as promised lie beyond each.

    Source: Gibbs, Candès: Adaptive conformal inference under distribution shift (2021), here for each end by itself.
    """

    def __init__(self, rate: float) -> None:
        """`rate`: how far one outcome moves an end, in standard deviations, when many have come already."""
        self._rate = rate
        self._low = self._high = 0.0
        self._hits = self._count = 0

    def correct(self, tails: Tails) -> Tails:
        """The tails as they are to be used."""
        low, high = tails.low - self._low, tails.high + self._high
        return Tails(min(low, tails.middle), tails.middle, max(high, tails.middle))

    def learn(self, used: Tails, surprise: float) -> None:
        """An outcome, of which `used` was said, was this surprising."""
        rate = self._rate * max(1.0, 1.25 * _SETTLED / (self._count + _SETTLED))
        self._low += rate * ((surprise < used.low) - _SHARE)
        self._high += rate * ((surprise > used.high) - _SHARE)
        self._hits += used.low <= surprise <= used.high
        self._count += 1

    @property
    def coverage(self) -> float | None:
        """The share of the outcomes that lay within; None while there are fewer than ten."""
        return self._hits / self._count if self._count >= 10 else None
