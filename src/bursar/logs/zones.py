"""Days of a time zone, in numbers that the index can group by. For UTC and the machine's own it imports nothing."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DAY_SECONDS = 86_400
_QUARTER_SECONDS = 900
_DAY_QUARTERS = 96
_FIRST, _LAST = -62_135_510_400, 253_402_214_400
"""A day within what a date can be: a zone has no offset beyond it, and a log may name its very end."""


class Zone:
    """A time zone: how far its clocks are ahead of UTC, in seconds, at a time in seconds since 1970."""

    def __init__(self, offset_at: Callable[[int], int]) -> None:
        self.offset_at = offset_at

    def spans(self, days: Sequence[int]) -> list[tuple[int, int, int]]:
        """Stretches of quarters with one offset each, in which all these days are: first, last, quarters ahead of UTC.

        `days` are those of UTC, since 1970-01-01, in their order. Between them nothing is looked at: a log may name any
        year, and it belongs to whichever stretch.
        """
        spans: list[tuple[int, int, int]] = []
        known: tuple[int, int] = (-1, 0)  # the quarter that was asked for last, and its offset
        for day in days:
            first, after = day * _DAY_QUARTERS, (day + 1) * _DAY_QUARTERS
            ahead = known[1] if known[0] == first else self._ahead(first)
            known = (after, self._ahead(after))
            change = after if known[1] == ahead else self._change(first, after)
            _extend(spans, first, change - 1, ahead)
            if change < after:
                _extend(spans, change, after - 1, known[1])
        return spans

    def _change(self, low: int, high: int) -> int:
        """The first quarter of a day whose offset is not that of `low`, where that of `high` is another."""
        before = self._ahead(low)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._ahead(middle) == before else (low, middle)
        return high

    def midnight(self, day: int) -> int:
        """When a day begins that is so many days after 1970-01-01, in seconds since then."""
        noon = day * _DAY_SECONDS + _DAY_SECONDS // 2
        at = day * _DAY_SECONDS - self.offset_at(noon - self.offset_at(noon))
        return day * _DAY_SECONDS - self.offset_at(at)

    def _ahead(self, quarter: int) -> int:
        return self.offset_at(quarter * _QUARTER_SECONDS) // _QUARTER_SECONDS


def _extend(spans: list[tuple[int, int, int]], first: int, last: int, ahead: int) -> None:
    """The stretch is one of `spans`, or the end of the one before it."""
    if spans and spans[-1][2] == ahead:
        first = spans.pop()[0]
    spans.append((first, last, ahead))


def local_zone() -> Zone:
    """The machine's own."""
    return Zone(lambda at: time.localtime(at).tm_gmtoff)


def named_zone(name: str) -> Zone:
    """The zone of that name: `UTC`, `Europe/Berlin`.

    Raises:
        KeyError, ValueError, OSError: there is none.
    """
    if name.upper() in ("UTC", "Z"):
        return Zone(lambda _: 0)
    from datetime import UTC, datetime, timedelta
    from zoneinfo import ZoneInfo

    zone, epoch = ZoneInfo(name), datetime(1970, 1, 1, tzinfo=UTC)

    def offset_at(at: int) -> int:
        ahead = (epoch + timedelta(seconds=max(_FIRST, min(at, _LAST)))).astimezone(zone).utcoffset()
        return 0 if ahead is None else int(ahead.total_seconds())

    return Zone(offset_at)


def day_text(day: int) -> str:
    """`2026-11-18`, of days since 1970-01-01."""
    return time.strftime("%Y-%m-%d", time.gmtime(day * _DAY_SECONDS))


def week_start(day: int) -> int:
    """The Sunday on which the week of a day began."""
    return day - (day + 4) % 7  # 1970-01-01 was a Thursday
