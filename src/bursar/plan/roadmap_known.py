"""The phases that a roadmap has, looked up by number, name and order."""

from __future__ import annotations

import string
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest

from bursar.plan.roadmap_model import normal_number

SortKey = tuple[str, tuple[int, ...], str]


class Known:
    """The phases of a roadmap, by number, by name and in the order of their numbers."""

    def __init__(self, phases: Sequence[tuple[str, str]]) -> None:
        """`phases` are numbers and names, numbers as the roadmap's phases bear them."""
        self.numbers: dict[str, str] = {number_key(number): number for number, _ in reversed(phases)}
        self._borne = frozenset(number for number, _ in phases)
        counted = Counter(name.lower() for _, name in phases)
        self.names: dict[str, str] = {
            name.lower(): number for number, name in phases if name and counted[name.lower()] == 1
        }
        self._sorted = sorted((number for number, _ in phases), key=sort_key)
        self._keys = [sort_key(number) for number in self._sorted]

    def normal(self, number: str) -> str:
        """The number as its phase bears it; normalised where there is no such phase."""
        if number in self._borne:
            return number
        return self.numbers.get(number_key(number)) or normal_number(number)

    def before(self, key: SortKey) -> Sequence[str]:
        """The phases with a lower number, the lowest first."""
        return self._sorted[: bisect_left(self._keys, key)]

    def between(self, low: SortKey, high: SortKey) -> Sequence[str]:
        """The phases with a number between the two, ends left out."""
        return self._sorted[bisect_right(self._keys, low) : bisect_left(self._keys, high)]

    def nearest(self, number: str, own: str) -> str | None:
        """The phase other than `own` that is nearest by value, with the same code if it has one; None without any."""
        key = sort_key(number)
        place = bisect_left(self._keys, key)
        around = [other for other in self._sorted[max(0, place - 2) : place + 2] if other != own]
        alike = [other for other in around if sort_key(other)[0] == key[0]]
        return min(alike, key=lambda other: _distance(sort_key(other)[1], key[1]), default=None)

    @property
    def first(self) -> str:
        """The lowest number; there is one wherever a phase has been read."""
        return self._sorted[0]

    def __contains__(self, number: str) -> bool:
        """Whether a phase bears this very number."""
        return number in self._borne


def _distance(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(abs(a - b) for a, b in zip_longest(one, other, fillvalue=0))


def number_key(number: str) -> str:
    """What two spellings of one number share: `06` and `6`, `12a` and `12A`."""
    return normal_number(number).upper()


def sort_key(number: str) -> SortKey:
    """The order of numbers: `2` < `2.1` < `2.1.1` < `3` < `12` < `12A`; codes by their number, after plain numbers."""
    code, _, bare = number.rpartition("-")
    digits = bare.rstrip(string.ascii_letters)
    return (code.upper(), tuple(int(part or 0) for part in digits.split(".")), bare[len(digits) :].upper())
