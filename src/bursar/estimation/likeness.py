"""How alike two pieces of work are: what estimates borrow from each other.

The logarithm of an outcome is taken as a sum of effects: of the type, the model, the project, the task, of pairs of
them, of each number that is known beforehand, and of levels that drift. Two pieces of work have an effect in common as
far as they are alike in it. How much each kind of effect varies is learned (see `regression`); here is what is assumed.

Source: docs/decisions/0033-how-estimates-learn.md
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeAlias

from bursar.estimation.key import Fact, Key
from bursar.estimation.numeric import Codes, Floats, Truths, np

Level: TypeAlias = tuple[object, ...]

TYPE, MODEL, PROJECT, TASK, EXACT = 0, 1, 2, 3, 6  # places in what `_levels` returns
MAX_NUMBERS = 8  # facts that are numbers; of more, those that are known most often
NOISE = 0.3  # variance of what nothing explains
_LEVEL = 30.0  # variance of the measure's own level: next to nothing is assumed
_SHARED = (0.2, 0.25, 0.2, 0.2, 0.05, 0.03, 0.04, 0.1, 0.05, 0.05, 0.05)  # of what `_levels` returns, in its order
_DRIFTS = (
    (None, 60.0, 0.03),
    (None, 10.0, 0.03),
    (PROJECT, 20.0, 0.06),
    (TASK, 3.0, 0.06),
)  # among whom, memory, variance
_LINE, _CURVE, _JOINT = 0.03, 0.02, 0.03  # of a fact's slope, its bends, and what all facts do together
_FIXED = 1 + len(_SHARED) + len(_DRIFTS)  # kinds of effect that there always are
_LARGEST_NUMBER = 1e300
_MANY = 30  # rows: fewer are not worth a search for equal numbers
_FARTHEST = 2.5  # in standard deviations: what lies beyond is taken as lying there


@dataclass(frozen=True, slots=True)
class Rows:
    """Pieces of work as arrays: codes of what they may share, numbers that are known, and places in time."""

    codes: Codes
    numbers: Floats
    times: Floats

    def __len__(self) -> int:
        return len(self.times)

    def part(self, start: int, end: int | None = None) -> Rows:
        """Some of them; a view, not a copy."""
        return Rows(self.codes[start:end], self.numbers[start:end], self.times[start:end])

    def room_for(self, size: int) -> Rows:
        """The same with room at the end, `size` rows in all."""
        more = size - len(self)
        return Rows(
            np.pad(self.codes, ((0, more), (0, 0))),
            np.pad(self.numbers, ((0, more), (0, 0))),
            np.pad(self.times, (0, more)),
        )


class Coder:
    """Gives every level of what may be shared a number, and every fact that varies among some keys a column."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._levels: list[dict[Level, int]] = [{} for _ in _SHARED]
        self._met = self._strangers = 0
        found: dict[str, list[float]] = {}
        for key in keys:
            for name, number in _numbers(key).items():
                found.setdefault(name, []).append(number)
        varying = {name: np.array(values) for name, values in found.items() if max(values) - min(values) > 1e-9}
        self.columns = sorted(sorted(varying, key=lambda name: (-len(varying[name]), name))[:MAX_NUMBERS])
        self._scales = {name: (float(varying[name].mean()), float(varying[name].std())) for name in self.columns}

    def rows(self, keys: Sequence[Key], start: int, *, are_kept: bool) -> Rows:
        """The keys as rows, the first at time `start`; levels that were never met stay strangers unless `are_kept`."""
        codes = [
            [self._code(known, level, are_kept) for known, level in zip(self._levels, _levels(key), strict=True)]
            for key in keys
        ]
        return Rows(
            np.array(codes, dtype=np.int64).reshape(len(keys), len(_SHARED)),
            self._columns(keys),
            np.arange(start, start + len(keys), dtype=np.float64),
        )

    def _code(self, codes: dict[Level, int], level: Level | None, is_kept: bool) -> int:
        known = None if level is None else codes.get(level)
        if known is not None:
            return known
        if level is None or not is_kept:
            self._strangers -= 1
            return self._strangers
        codes[level] = self._met
        self._met += 1
        return codes[level]

    def _columns(self, keys: Sequence[Key]) -> Floats:
        """In standard deviations, a row for each key; what is not known lies in the middle."""
        scales = [(name, *self._scales[name]) for name in self.columns]
        known = map(_numbers, keys)
        found = np.array([[numbers.get(name, middle) for name, middle, _ in scales] for numbers in known], np.float64)
        middles, spreads = (np.array([scale[place] for scale in scales]) for place in (1, 2))
        return np.asarray(np.clip((found.reshape(len(keys), len(scales)) - middles) / spreads, -_FARTHEST, _FARTHEST))


def prior_variances(columns: int) -> Floats:
    """How much each kind of effect is assumed to vary, kind by kind."""
    joint = [_JOINT, _JOINT] if columns else []
    drifts = [variance for _, _, variance in _DRIFTS]
    return np.array([_LEVEL, *_SHARED, *drifts, *[_LINE] * columns, *[_CURVE] * columns, *joint])


def carry_over(learned: Floats, columns: int, *, is_same: bool) -> Floats:
    """Variances that were learned, for a coder that may have other columns."""
    if is_same:
        return learned.copy()
    return np.concatenate([learned[:_FIXED], prior_variances(columns)[_FIXED:]])


def telling(rows: Rows) -> Truths:
    """Which kinds of effect these rows can tell from noise: what no two of them share cannot be."""
    found = [len(np.unique(rows.codes[:, k])) < len(rows) for k in range(len(_SHARED))]
    drifts = [among is None or found[among] for among, _, _ in _DRIFTS]
    numbers = 2 * rows.numbers.shape[1]
    return np.array([True, *found, *drifts, *[True] * (numbers + 2 if numbers else 0)])


def effects(one: Rows, other: Rows, kinds: Iterable[int]) -> Iterator[Floats]:
    """For each of these kinds of effect, rising, how much of it every row of `one` has in common with every row of
    `other`.

    Args:
        kinds: places in what `prior_variances` returns.
    """
    shares = _Pairs(one, other).shares()
    return (shares[kind]() for kind in kinds)


class _Pairs:
    """Every row of one with every row of another; what was worked out for one kind of effect serves the others."""

    def __init__(self, one: Rows, other: Rows) -> None:
        self._one, self._other = one, other
        self._columns = range(one.numbers.shape[1])
        self._bends: dict[int, Floats] = {}

    def shares(self) -> list[Callable[[], Floats]]:
        """For each kind of effect, in the order of `prior_variances`, what tells how much of it they have in common."""
        return [
            self._level,
            *(partial(self._same, place) for place in range(len(_SHARED))),
            *(partial(self._drift, among, memory) for among, memory, _ in _DRIFTS),
            *(partial(self._line, column) for column in self._columns),
            *(partial(self._bend, column) for column in self._columns),
            *((self._joint, self._joint_of_one_type) if self._columns else ()),
        ]

    def _level(self) -> Floats:
        return np.ones((len(self._one), len(self._other)))

    def _same(self, place: int) -> Floats:
        return np.equal.outer(self._one.codes[:, place], self._other.codes[:, place]).astype(np.float64)

    def _drift(self, among: int | None, memory: float) -> Floats:
        steps = np.exp(-np.arange(self._apart.max(initial=0) + 1) / memory)
        near = steps[self._apart]
        if among is not None:
            near *= self._same(among)
        return near

    @cached_property
    def _apart(self) -> Codes:
        """Times are whole numbers, so few distances occur."""
        return np.abs(np.subtract.outer(self._one.times.astype(np.int64), self._other.times.astype(np.int64)))

    def _line(self, column: int) -> Floats:
        return np.multiply.outer(self._one.numbers[:, column], self._other.numbers[:, column])

    def _bend(self, column: int) -> Floats:
        if column not in self._bends:
            self._bends[column] = _bend(self._one.numbers[:, column], self._other.numbers[:, column])
        return self._bends[column]

    def _joint(self) -> Floats:
        joint = self._bend(0).copy()
        for column in self._columns[1:]:
            joint *= self._bend(column)
        return joint

    def _joint_of_one_type(self) -> Floats:
        return self._joint() * self._same(TYPE)


def _bend(one: Floats, other: Floats) -> Floats:
    """How near each number is to each other one. Few of many are different: what is slow is done once for these."""
    if min(len(one), len(other)) < _MANY:
        return np.asarray(np.exp(-0.5 * np.subtract.outer(one, other) ** 2))
    left, to_left = np.unique(one, return_inverse=True)
    right, to_right = np.unique(other, return_inverse=True)
    near = np.exp(-0.5 * np.subtract.outer(left, right) ** 2)
    return np.asarray(near[to_left].take(to_right, axis=1))


def own_variances(variances: Floats, rows: Rows) -> Floats:
    """What all effects together vary by, for each row alone."""
    lines = slice(_FIXED, _FIXED + rows.numbers.shape[1])
    return np.asarray(variances.sum() + (rows.numbers**2 - 1) @ variances[lines])


def _numbers(key: Key) -> dict[str, float]:
    """The facts that are numbers, on a log scale, with the complexity and the size of the text among them."""
    found = {f"fact {name}": _log(value) for name, value in key.facts.items() if _is_number(value)}
    if key.complexity is not None:
        found["complexity"] = float(min(10, max(1, key.complexity)))
    if key.text:
        found["text"] = math.log1p(len(key.text))
    return found


def _is_number(value: Fact) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST_NUMBER


def _log(value: Fact) -> float:
    number = float(value or 0)
    return math.copysign(math.log1p(abs(number)), number)


def _levels(key: Key) -> list[Level | None]:
    """What the key may have in common with others; None where it is not known. The order is that of `_SHARED`."""
    project, task = key.project or None, key.task or key.text or None
    words = [(name, str(value)) for name, value in key.facts.items() if value is not None and not _is_number(value)]
    return [
        (key.type,),
        (key.model,),
        project and (project,),
        task and (task,),
        (key.type, key.model),
        (key.type, key.complexity),
        (key.type, key.complexity, key.model),
        task and (task, key.model),
        task and (task, key.type),
        project and (project, key.type),
        tuple(sorted(words)),
    ]
