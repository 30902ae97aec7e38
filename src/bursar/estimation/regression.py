"""The regression behind the estimates: logarithms of outcomes as sums of normal effects, learned exactly.

The outcomes of a window have one covariance, from how alike they are. Its triangular root, taken in the order in which
they happened, gives three things at once: what to expect of the next, how sure that is, and how far each earlier
outcome was from what its predecessors let expect.

Source: docs/decisions/0033-how-estimates-learn.md
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bursar.estimation.key import Key
from bursar.estimation.likeness import (
    EXACT,
    MODEL,
    NOISE,
    TYPE,
    Coder,
    Rows,
    carry_over,
    effects,
    own_variances,
    prior_variances,
    telling,
)
from bursar.estimation.numeric import Codes, Floats, inverse_of_triangle, np, triangular_root

_PRIOR_WORTH = 1.0  # how many observations an assumed variance is worth
_SCALE_WORTH = 6.0  # the same for the scale of all of them
_SCALES = (1e-3, 30.0)
_LEAST_NOISE = 1e-4  # of all variances together: with less the arithmetic would not hold
_ROUNDING = 1e-9
_REASON = 12.0  # a logarithm so far from the middle one (160,000 times as much, or as little) is an error
_LEARN_FROM = 250  # variances are learned from the latest so many outcomes
_LEARN_AFTER = 5
_STEPS = 2  # towards the likeliest variances, from those that were learned before
_LOUD = (TYPE, MODEL, EXACT)  # what noise may differ by
_LOUD_WORTH = 10.0  # how many outcomes the assumption that it does not is worth
_LOUD_AFTER = 10
_LARGEST_SQUARE = 9.0  # one outlier makes nothing loud


@dataclass(frozen=True, slots=True)
class Expected:
    """Means and covariance of logarithms of outcomes, noise included."""

    means: Floats
    covariance: Floats


class Regression:
    """What a window of outcomes teaches; more can be added at its end, until it is full."""

    def __init__(
        self, keys: Sequence[Key], logs: Floats, *, start: int, level: float, room: int, before: Regression | None
    ) -> None:
        """Fitted to these outcomes, the first at time `start`, going on from what was learned `before`.

        Args:
            logs: the outcomes' logarithms.
            level: where they are assumed to lie.
            room: how many more can be added.
        """
        self._level, self._start, self.count = level, start, len(keys)
        self._middle = float(np.median(logs)) if len(keys) else None
        logs = self._within_reason(logs)
        self._coder = Coder(keys)
        rows = self._coder.rows(keys, start, are_kept=True)
        self._variances = prior_variances(len(self._coder.columns))
        self._noise, self._scale = NOISE, 1.0
        self._loud: list[dict[int, float]] = []
        if before is not None:
            is_same = before._coder.columns == self._coder.columns
            self._variances = carry_over(before._variances, len(self._coder.columns), is_same=is_same)
            self._noise, self._scale = before._noise, before._scale
        if self.count >= _LEARN_AFTER:
            self._leave_out_what_cannot_be_told(rows)
            self._learn_variances(rows.part(-_LEARN_FROM), logs[-_LEARN_FROM:] - level)
        covariance = self._covariance(rows, rows)
        root, surprises = self._root(covariance, rows, logs)
        if self.count >= _LOUD_AFTER:
            self._loud = _learn_loudness(rows.codes, surprises)
            root, surprises = self._root(covariance, rows, logs)
        self._rows = rows.room_for(self.count + room)
        self._inverse_root = np.pad(root, (0, room))
        self._surprises = np.pad(surprises, (0, room))

    @property
    def surprises(self) -> Floats:
        """How far each outcome was from what those before it let expect, in standard deviations."""
        return self._surprises[: self.count]

    def expect(self, keys: Sequence[Key]) -> Expected:
        """What to expect of the next pieces of work."""
        return self._expect(self._coder.rows(keys, self._start + self.count, are_kept=False))[0]

    def add(self, key: Key, log: float) -> float:
        """The outcome belongs to the window; returns how surprising it was."""
        row, n = self._coder.rows([key], self._start + self.count, are_kept=True), self.count
        expected, known = self._expect(row)
        deviation = float(np.sqrt(expected.covariance[0, 0]))
        surprise = (float(self._within_reason(np.array(log))) - float(expected.means[0])) / deviation
        self._inverse_root[n, :n] = -(known[:, 0] @ self._inverse_root[:n, :n]) / deviation
        self._inverse_root[n, n] = 1 / deviation
        self._surprises[n] = surprise
        self._rows.codes[n], self._rows.numbers[n], self._rows.times[n] = row.codes[0], row.numbers[0], row.times[0]
        self.count += 1
        return surprise

    def expected_then(self, start: int, logs: Floats) -> Expected:
        """What was to be expected of these outcomes of the window, before the first of them was known."""
        end = start + len(logs)
        root = inverse_of_triangle(self._inverse_root[start:end, start:end])
        return Expected(logs - root @ self._surprises[start:end], root @ root.T)

    def _expect(self, rows: Rows) -> tuple[Expected, Floats]:
        past = self._rows.part(0, self.count)
        known = self._inverse_root[: self.count, : self.count] @ self._covariance(past, rows)
        own = self._covariance(rows, rows) if len(rows) > 1 else own_variances(self._variances, rows)[:, None]
        noises = self._noises(rows)
        left = own - known.T @ known
        spare = np.maximum(0.0, -left.diagonal()) + _ROUNDING * own.diagonal()  # rounding leaves no variance below 0
        covariance = left + np.diag(noises + spare)
        return Expected(self._level + known.T @ self.surprises, covariance), known

    def _within_reason(self, logs: Floats) -> Floats:
        """What is so far from all others that it must be an error is taken as lying at the edge of reason."""
        if self._middle is None:
            return logs
        return np.clip(logs, self._middle - _REASON, self._middle + _REASON)

    def _covariance(self, one: Rows, other: Rows) -> Floats:
        total, kinds = np.zeros((len(one), len(other))), np.flatnonzero(self._variances)
        for variance, shared in zip(self._variances[kinds].tolist(), effects(one, other, kinds.tolist()), strict=True):
            total += variance * shared
        return total

    def _noises(self, rows: Rows) -> Floats:
        noises = np.full(len(rows), self._noise)
        for place, loud in zip(_LOUD, self._loud, strict=False):
            noises *= [loud.get(code, 1.0) for code in rows.codes[:, place].tolist()]
        return noises

    def _root(self, covariance: Floats, rows: Rows, logs: Floats) -> tuple[Floats, Floats]:
        """The inverse of the triangular root of the covariance, and the surprises."""
        noisy = covariance.copy()
        noisy[np.diag_indices(len(rows))] += self._noises(rows)
        root = inverse_of_triangle(triangular_root(noisy))
        return root, root @ (logs - self._level)

    def _learn_variances(self, rows: Rows, logs: Floats) -> None:
        """A few steps of minorise-maximise towards the likeliest variances, given those that are assumed.

        Source: Zhou, Hu, Qiao, Zhou: MM algorithms for variance components models (2019).
        """
        kinds = np.flatnonzero(self._variances)
        shared = np.empty((len(kinds), len(rows) ** 2))
        for place, each in enumerate(effects(rows, rows, kinds.tolist())):
            shared[place] = each.ravel()
        for _ in range(_STEPS):
            self._step_towards(shared, kinds, logs)

    def _step_towards(self, shared: Floats, kinds: Codes, logs: Floats) -> None:
        """One step; `shared` has a row for each of these kinds of effect."""
        count = len(logs)
        covariance = (self._variances[kinds] @ shared).reshape(count, count)
        covariance[np.diag_indices(count)] += self._noise
        root = inverse_of_triangle(triangular_root(covariance))
        inverse = root.T @ root
        pull = inverse @ logs
        self._learn_scale(float(pull @ logs), count)
        priors = prior_variances(len(self._coder.columns)) * self._scale
        changes = (shared @ np.column_stack([np.outer(pull, pull).ravel(), inverse.ravel()])).tolist()
        for k, (gain, loss) in zip(kinds.tolist(), changes, strict=True):
            if k:  # the level's own stays as it is: there is one level only
                self._variances[k] *= _step(gain, loss, float(self._variances[k]), float(priors[k]))
        self._noise *= _step(float(pull @ pull), float(np.trace(inverse)), self._noise, NOISE * self._scale)
        self._noise = max(self._noise, _LEAST_NOISE * float(self._variances.sum()))

    def _leave_out_what_cannot_be_told(self, rows: Rows) -> None:
        """Effects that are nothing but noise so far have no variance: it is the noise's."""
        assumed = prior_variances(len(self._coder.columns)) * self._scale
        known = np.where(self._variances > 0, self._variances, assumed)
        self._variances = np.where(telling(rows), known, 0.0)

    def _learn_scale(self, squares: float, count: int) -> None:
        """What is assumed of all variances is right but for a factor, which the first few outcomes tell already."""
        ratio = (squares + _SCALE_WORTH / self._scale) / (count + _SCALE_WORTH)
        ratio = float(np.clip(self._scale * ratio, *_SCALES)) / self._scale
        self._scale *= ratio
        self._variances[1:] *= ratio
        self._noise *= ratio


def _step(gain: float, loss: float, variance: float, prior: float) -> float:
    gain += _PRIOR_WORTH * prior / variance**2
    loss += _PRIOR_WORTH / variance
    return float(np.sqrt(gain / loss))


def _learn_loudness(codes: Codes, surprises: Floats) -> list[dict[int, float]]:
    """How many times the usual noise each level has, from the squares of its surprises; by each place of `_LOUD` what
    those before it leave.
    """
    squares, found = np.minimum(surprises**2, _LARGEST_SQUARE), []
    for place in _LOUD:
        levels, where = np.unique(codes[:, place], return_inverse=True)
        sums, counts = np.bincount(where, squares / squares.mean()), np.bincount(where)
        ratios = (sums + _LOUD_WORTH) / (counts + _LOUD_WORTH)
        squares = squares / ratios[where]
        found.append(dict(zip(levels.tolist(), ratios.tolist(), strict=True)))
    return found
