"""Calls that came in together, and that nobody knew, stay together: to write them one by one would take the longest.

Only when one of them is met again are they made rows of the table, where it can be compared and replaced.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from bursar.logs.call import CallRow
from bursar.logs.columns import PackedCalls, Run, from_bytes

if TYPE_CHECKING:
    import apsw

_UNKNOWN = -1
_FEW = 16  # questions that are answered without having every number at hand
_MOST_BYTES = 4 << 20  # so much is kept to be written at once


Rates = tuple[int, int, int, int, int]
"""Nano-USD for a token of each counter."""


class Bundle:
    """Calls as they were kept. `costs`: what each cost; None where nobody knows."""

    def __init__(self, number: int, source: str, is_own: bool, calls: bytes, costs: bytes, rates: bytes) -> None:
        self.number = number
        self.source = source
        self.is_own = is_own
        self.columns = from_bytes(calls)
        self.costs = [None if cost == _UNKNOWN else cost for cost in _read(costs, "q")]
        if rates:
            each = zip(*[iter(_read(rates, "q"))] * 5, strict=True)
            self.costs = list(chain.from_iterable(map(self._costs_in, self.columns.runs, each)))

    def rows(self) -> Iterator[tuple[CallRow, int | None]]:
        """Each call, and what it cost; None where nobody knows."""
        return zip(self.columns.rows(), self.costs, strict=True)

    def _costs_in(self, run: Run, rates: Rates) -> list[int]:
        a, b, c, d, e = rates
        calls = zip(*[counter[run.start : run.end] for counter in self.columns.counts], strict=True)
        return [i * a + r * b + s * c + t * d + o * e for i, r, s, t, o in calls]


class Bundles:
    """The bundles of an index, as far as a process that writes knows them; to be forgotten when others have written."""

    def __init__(self, connection: apsw.Connection) -> None:
        rows: Any = connection.execute("SELECT id, numbers FROM bundle").fetchall()
        self._numbers: dict[int, bytes] = dict(rows)
        self._all: set[int] | None = None if rows else set()  # of the numbers; made when it is worth it
        self._where: dict[int, int] | None = None  # by number; made when one is met again
        self._asked = 0
        self._next = max(self._numbers, default=0) + 1
        self._waiting: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = []
        self._waiting_bytes = 0

    def __contains__(self, number: int) -> bool:
        return self._find(number) is not None

    def have_none_of(self, numbers: array[int]) -> bool:
        """No message in any bundle has one of these numbers."""
        return self._all_numbers().isdisjoint(numbers)

    def keep(
        self,
        connection: apsw.Connection,
        source: str,
        is_own: bool,
        calls: PackedCalls,
        *,
        each: Sequence[int | None] = (),
        rates: Sequence[Rates] = (),
    ) -> None:
        """The calls are a bundle. No message in any bundle has a number of theirs.

        Args:
            each: what each call cost, or nothing where there are `rates`.
            rates: those of each run of calls; every call costs just what they make of its counters.
        """
        bundle = self._next
        self._waiting.append((
            (bundle, source, is_own, each.count(None), calls.numbers),
            (bundle, calls.data, _pack(each), array("q", chain.from_iterable(rates)).tobytes()),
        ))  # fmt: skip
        numbers = _read(calls.numbers, "I")
        self._all_numbers().update(numbers)
        if self._where is not None:
            self._where.update(dict.fromkeys(numbers, bundle))
        self._numbers[bundle] = calls.numbers
        self._next += 1
        self._waiting_bytes += len(calls.data)
        if self._waiting_bytes > _MOST_BYTES:
            self.flush(connection)

    def flush(self, connection: apsw.Connection) -> None:
        """All of them are in the tables."""
        connection.executemany("INSERT INTO bundle VALUES (?, ?, ?, ?, ?)", [head for head, _ in self._waiting])
        connection.executemany("INSERT INTO bundle_calls VALUES (?, ?, ?, ?)", [calls for _, calls in self._waiting])
        self._waiting.clear()
        self._waiting_bytes = 0

    def take_with(self, connection: apsw.Connection, number: int) -> Bundle | None:
        """The bundle in which a message has that number, if there is one; it is a bundle no longer."""
        found = self._find(number)
        if found is None:
            return None
        bundle = self._load(connection, found)
        connection.execute("DELETE FROM bundle WHERE id = ?", (found,))
        connection.execute("DELETE FROM bundle_calls WHERE bundle = ?", (found,))
        numbers = _read(self._numbers.pop(found), "I")
        if self._all is not None:
            self._all.difference_update(numbers)
        if self._where is not None:
            for each in numbers:
                del self._where[each]
        return bundle

    def all(self, connection: apsw.Connection, *, unpriced_only: bool) -> Iterator[Bundle]:
        """Every bundle, or those in which not every cost is known."""
        self.flush(connection)
        rows: Any = connection.execute("SELECT id, unpriced FROM bundle").fetchall()
        return (self._load(connection, bundle) for bundle, unpriced in rows if unpriced or not unpriced_only)

    def change_costs(self, connection: apsw.Connection, bundle: Bundle, costs: Sequence[int | None]) -> None:
        """The calls of the bundle cost that now."""
        connection.execute("UPDATE bundle SET unpriced = ? WHERE id = ?", (costs.count(None), bundle.number))
        values = (_pack(costs), bundle.number)
        connection.execute("UPDATE bundle_calls SET costs = ?, rates = x'' WHERE bundle = ?", values)

    def _load(self, connection: apsw.Connection, number: int) -> Bundle:
        self.flush(connection)
        rows: Any = connection.execute(
            "SELECT source, is_own, calls, costs, rates FROM bundle JOIN bundle_calls ON bundle = id WHERE id = ?",
            (number,),
        ).fetchall()
        ((source, is_own, calls, costs, rates),) = rows
        return Bundle(number, source, bool(is_own), calls, costs, rates)

    def _find(self, number: int) -> int | None:
        self._asked += 1
        if self._all is None and self._asked <= _FEW:
            wanted = array("I", [number]).tobytes()
            return next((bundle for bundle, numbers in self._numbers.items() if _has(numbers, wanted)), None)
        return self._by_number()[number] if number in self._all_numbers() else None

    def _all_numbers(self) -> set[int]:
        if self._all is None:
            self._all = set().union(*(_read(numbers, "I") for numbers in self._numbers.values()))
        return self._all

    def _by_number(self) -> dict[int, int]:
        if self._where is None:
            self._where = {
                number: bundle for bundle, numbers in self._numbers.items() for number in _read(numbers, "I")
            }
        return self._where


def _pack(costs: Sequence[int | None]) -> bytes:
    return array("q", [_UNKNOWN if cost is None else cost for cost in costs]).tobytes()


def _read(data: bytes, kind: str) -> array[int]:
    return array(kind, data)


def _has(numbers: bytes, wanted: bytes) -> bool:
    at = numbers.find(wanted)
    while at % len(wanted) and at >= 0:
        at = numbers.find(wanted, at + 1)
    return at >= 0
