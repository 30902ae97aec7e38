"""What finished work of one measure took, and what the next will take. Memory is bounded: a window and some counts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bursar.estimation.key import Interval, Key
from bursar.estimation.numeric import Floats, np, triangular_root
from bursar.estimation.regression import Regression
from bursar.estimation.tails import ONE_SIDE, Correction, Tails, measure_tails, stretch
from bursar.estimation.totals import Whole, add_up, log_sum, log_sums, with_opposites

_WINDOW, _KEPT = 600, 480  # outcomes that are learned from; a full window forgets its oldest down to so many
_FEWEST_NEW = 5  # outcomes between two fits; later a tenth of the window
_FIRST = 5  # outcomes of which nothing could be expected
_WORTH, _TOTAL_WORTH = 10.0, 12.0  # how many surprises the assumed tails are worth
_WIDTH, _TOTAL_WIDTH = 1.15, 1.3  # variances are known less well than it seems, and what a sum has in common even less
_RATE, _TOTAL_RATE = 0.02, 0.1  # see `Correction`
_MOST_COUNTED = 50_000  # kinds of work that are counted
_JUDGED_AT_ONCE = 20
_GUESS = 10.0  # how many times more, or less, it may be while nothing is known
_EQUAL = 1e-12  # logarithms that lie so close are the same number: of work that always takes the same
_LARGEST = 690.0  # logarithm of what a float can hold


class Stream:
    """The outcomes of one measure."""

    def __init__(self, level: float) -> None:
        """`level`: where logarithms are assumed to lie before any is known."""
        self._level = level
        self._keys: list[Key] = []
        self._logs: list[float] = []
        self.seen = 0
        self._counts: dict[tuple[object, ...], int] = {}
        self._correction, self._total_correction = Correction(_RATE), Correction(_TOTAL_RATE)
        self._asked: tuple[tuple[Key, ...], int, Tails, Whole] | None = None
        self._is_behind = False
        self._fitted = self._regression(None)
        self._measured: Tails | None = None
        self._measured_totals: dict[int, Tails] = {}

    def observe(self, key: Key, log: float) -> None:
        """The outcome is learned from."""
        self._catch_up()
        used = self._tails()
        surprise = self._fitted.add(key, log)
        if self.seen >= _FIRST:
            self._correction.learn(used, surprise)
        self._remember(key, log)
        self._learn_from_total()
        if self._fitted.count >= self._fit_at:
            self._fit()

    def observe_all(self, keys: Sequence[Key], logs: Sequence[float]) -> None:
        """The outcomes are learned from in one go, the latest of them at least."""
        for key, log in zip(keys, logs, strict=True):
            self._remember(key, log)
        self._is_behind = True

    def estimate(self, key: Key) -> Interval:
        """What one piece of work will take."""
        if not self.seen:
            return self._usual(1)
        self._catch_up()
        whole = add_up(self._fitted.expect([key]))
        return self._interval(whole, self._tails(), self.alike(key), self._correction)

    def estimate_total(self, keys: Sequence[Key]) -> Interval:
        """What the sum of them will take."""
        if not self.seen:
            return self._usual(len(keys))
        self._catch_up()
        whole, size = add_up(self._fitted.expect(keys)), len(keys)
        tails = self._total_correction.correct(self._tails_of_totals(size))
        self._asked = (tuple(keys), self.seen, tails, whole)
        alike = min(self.alike(key) for key in keys)
        return self._interval(whole, tails, alike, self._total_correction)

    def _usual(self, size: int) -> Interval:
        """What is assumed while nothing is known: a wide guess."""
        middle = size * _exp(self._level)
        return Interval(p10=middle / _GUESS, p50=middle, p90=middle * _GUESS, mean=middle * 2)

    def _remember(self, key: Key, log: float) -> None:
        self._keys.append(key)
        self._logs.append(log)
        self.seen += 1
        kind = _kind(key)
        if kind in self._counts or len(self._counts) < _MOST_COUNTED:
            self._counts[kind] = self._counts.get(kind, 0) + 1

    @property
    def coverage(self) -> float | None:
        """The share of outcomes that lay within their intervals; None below ten."""
        self._catch_up()
        return self._correction.coverage

    def alike(self, key: Key) -> int:
        """How many outcomes were of the key's type, complexity and model."""
        return self._counts.get(_kind(key), 0)

    def draw(self, keys: Sequence[Key], normals: Floats) -> Floats:
        """Ways in which it may go, a row for each key: apart they keep to `estimate`, together to `estimate_total`.

        Args:
            normals: a row of normal numbers for each key, a column for each two draws: these are opposites.
        """
        self._catch_up()
        expected = self._fitted.expect(keys)
        deviations = np.sqrt(expected.covariance.diagonal())[:, None]
        apart = with_opposites((triangular_root(expected.covariance) / deviations) @ normals)
        logs = stretch(apart, self._tails())
        logs *= deviations
        logs += expected.means[:, None]
        if len(keys) == 1:
            return _all_exp(logs)
        whole, sums = add_up(expected), log_sums(logs)
        tails = self._total_correction.correct(self._tails_of_totals(len(keys)))
        low, middle, high = np.quantile(sums, [0.1, 0.5, 0.9])
        widths = np.where(sums > middle, high - middle, middle - low)
        places = np.divide(sums - middle, widths, out=np.zeros_like(sums), where=widths > _EQUAL) * ONE_SIDE
        wanted = whole.middle + whole.deviation * stretch(places, tails)
        logs += wanted - sums
        return _all_exp(logs)

    def _catch_up(self) -> None:
        """What was learned in one go is fitted when it is asked for, and what would have been said of it is judged."""
        if not self._is_behind:
            return
        self._is_behind = False
        self._fit()
        surprises = self._fitted.surprises
        for start in range(2 * _FIRST, len(surprises), _JUDGED_AT_ONCE):
            measured = measure_tails(surprises[_FIRST:start], _WORTH, _WIDTH)
            for surprise in surprises[start : start + _JUDGED_AT_ONCE].tolist():
                self._correction.learn(self._correction.correct(measured), surprise)

    def _fit(self) -> None:
        if len(self._keys) >= _WINDOW:
            del self._keys[:-_KEPT], self._logs[:-_KEPT]
        self._fitted = self._regression(self._fitted)
        self._measured = None
        self._measured_totals.clear()

    def _regression(self, before: Regression | None) -> Regression:
        count = len(self._keys)
        self._fit_at = count + max(_FEWEST_NEW, count // 10)
        return Regression(
            self._keys,
            np.array(self._logs),
            start=self.seen - count,
            level=self._level,
            room=self._fit_at - count,
            before=before,
        )

    def _tails(self) -> Tails:
        if self._measured is None:
            self._measured = measure_tails(self._fitted.surprises[_FIRST:], _WORTH, _WIDTH)
        return self._correction.correct(self._measured)

    def _tails_of_totals(self, size: int) -> Tails:
        """From what totals of as many earlier outcomes were, against what could be expected before their first."""
        size = min(size, max(2, len(self._logs) // 5))
        if size not in self._measured_totals:
            logs, surprises = np.array(self._logs), []
            for start in range(2 * _FIRST, len(logs) - size + 1, max(1, size // 2)):
                block = logs[start : start + size]
                whole = add_up(self._fitted.expected_then(start, block))
                surprises.append(whole.surprise(log_sum(block)))
            self._measured_totals[size] = measure_tails(np.array(surprises), _TOTAL_WORTH, _TOTAL_WIDTH)
        return self._measured_totals[size]

    def _learn_from_total(self) -> None:
        """The last total that was asked for, once exactly its work has been done."""
        if self._asked is None:
            return
        keys, since, used, whole = self._asked
        done = self.seen - since
        if self._keys[-done:] != list(keys[:done]):
            self._asked = None
        elif done == len(keys):
            self._total_correction.learn(used, whole.surprise(log_sum(np.array(self._logs[-done:]))))
            self._asked = None

    def _interval(self, whole: Whole, tails: Tails, alike: int, correction: Correction) -> Interval:
        low, middle, high = (whole.middle + whole.deviation * place for place in (tails.low, tails.middle, tails.high))
        return Interval(
            p10=_exp(low),
            p50=_exp(middle),
            p90=_exp(high),
            mean=max(_exp(middle), min(_exp(high), _exp(middle + whole.deviation**2 / 2))),
            observations=self.seen,
            alike=alike,
            coverage=correction.coverage,
        )


def _kind(key: Key) -> tuple[object, ...]:
    return key.type, key.complexity, key.model


def _all_exp(logs: Floats) -> Floats:
    """In place."""
    np.clip(logs, -_LARGEST, _LARGEST, out=logs)
    return np.asarray(np.exp(logs, out=logs))


def _exp(log: float) -> float:
    return math.exp(max(-_LARGEST, min(_LARGEST, log)))
