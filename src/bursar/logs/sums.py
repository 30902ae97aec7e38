"""Sums over quarters of an hour: what is to be added to them within one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from operator import add
from typing import TYPE_CHECKING

from bursar.logs.index import QUARTER_MS

if TYPE_CHECKING:
    import apsw

COUNTERS = "input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens"
_SUMS = ("calls", *COUNTERS.split(", "), "nano_usd", "unpriced")
_ADD_QUARTER = (
    f"INSERT INTO quarter (quarter, session, model, {', '.join(_SUMS)}, first_at, last_at)"
    f" VALUES ({', '.join('?' * 13)}) ON CONFLICT (quarter, session, model) DO UPDATE SET "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in _SUMS)
    + ", first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)"
)
_NO_CALL = (0, 0, 0, 0, 0, 0)

Key = tuple[int, int, int]
"""Quarter, session, model."""


class QuarterSums:
    """What has come to the sums, and is not in their table yet."""

    def __init__(self) -> None:
        self._sums: dict[Key, list[int]] = {}

    def add_call(
        self, session: int, model: int, at: int, sign: int, counts: Sequence[int], nano_usd: int | None
    ) -> None:
        """The call is in the sums, or (`sign` -1) out of them."""
        cost = (0, sign) if nano_usd is None else (sign * nano_usd, 0)
        self.add_calls((at // QUARTER_MS, session, model), (sign, *(sign * count for count in counts), *cost), at, at)

    def add_calls(self, key: Key, more: tuple[int, ...], first_at: int, last_at: int) -> None:
        """Calls of one quarter, session and model are in the sums.

        Args:
            more: how many, the sums of their five counters, what those cost whose cost is known, how many others.
        """
        sums = self._sums.get(key)
        if sums is None:
            self._sums[key] = [*more, first_at, last_at]
        else:
            first_at, last_at = min(sums[-2], first_at), max(sums[-1], last_at)
            sums[:] = [*map(add, sums[:-2], more), first_at, last_at]

    def change_costs(
        self, key: Key, before: Sequence[int | None], after: Sequence[int | None], first_at: int, last_at: int
    ) -> None:
        """Calls that are in the sums have other costs."""
        nano_usd = sum(filter(None, after)) - sum(filter(None, before))
        self.add_calls(key, (*_NO_CALL, nano_usd, after.count(None) - before.count(None)), first_at, last_at)

    def flush(self, connection: apsw.Connection) -> None:
        """All of it is in the table."""
        connection.executemany(_ADD_QUARTER, [(*key, *sums) for key, sums in sorted(self._sums.items())])
        self._sums.clear()
