"""Days of a time zone, in numbers that the index can group by. For UTC and the machine's own it imports nothing."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_DAY_SECONDS = 86_400
_QUARTER_SECONDS = 900


class Zone:
    """A time zone: how far its clocks are ahead of UTC, in seconds, at a time in seconds since 1970."""

    def __init__(self, offset_at: Callable[[int], int]) -> None:
        self.offset_at = offset_at

    def spans(self, first: int, last: int) -> list[tuple[int, int, int]]:
        """Stretches of quarters from `first` to `last` with one offset each: first, last, quarters ahead of UTC."""
        spans: list[tuple[int, int, int]] = []
        start = first
        while start <= last:
            ahead, end = self._ahead(start), start
            while end < last and self._ahead(later := min(end + 96, last)) == ahead:
                end = later
            low, high = end, min(end + 96, last + 1)
            while high - low > 1:  # the change lies between two days
                middle = (low + high) // 2
                low, high = (middle, high) if self._ahead(middle) == ahead else (low, middle)
            spans.append((start, low, ahead))
            start = low + 1
        return spans

    def midnight(self, day: int) -> int:
        """When a day begins that is so many days after 1970-01-01, in seconds since then."""
        noon = day * _DAY_SECONDS + _DAY_SECONDS // 2
        at = day * _DAY_SECONDS - self.offset_at(noon - self.offset_at(noon))
        return day * _DAY_SECONDS - self.offset_at(at)

    def _ahead(self, quarter: int) -> int:
        return self.offset_at(quarter * _QUARTER_SECONDS) // _QUARTER_SECONDS


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
        ahead = (epoch + timedelta(seconds=at)).astimezone(zone).utcoffset()
        return 0 if ahead is None else int(ahead.total_seconds())

    return Zone(offset_at)


def day_text(day: int) -> str:
    """`2026-11-18`, of days since 1970-01-01."""
    return time.strftime("%Y-%m-%d", time.gmtime(day * _DAY_SECONDS))


def week_start(day: int) -> int:
    """The Sunday on which the week of a day began."""
    return day - (day + 4) % 7  # 1970-01-01 was a Thursday
