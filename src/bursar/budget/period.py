"""Periods: which operations of a budget count together, and when a new count begins.

A period has an id. Ids of one budget only grow, so a clock that jumps back stays in the latest period there was: what
was spent is never forgotten because a clock was set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from bursar.errors import UserError


class PeriodKind(StrEnum):
    """What makes a new period begin."""

    ALWAYS = "always"  # nothing: one period that never ends
    SESSION = "session"  # another label `session`
    RUN = "run"  # another label `run`
    DAILY = "daily"
    WEEKLY = "weekly"  # ISO weeks, from Monday
    MONTHLY = "monthly"
    ROLLING = "rolling"  # a window that opens at its first charge and lasts its length


CALENDAR_KINDS = (PeriodKind.DAILY, PeriodKind.WEEKLY, PeriodKind.MONTHLY)
_NAMED = frozenset(kind.value for kind in PeriodKind if kind is not PeriodKind.ROLLING)
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60}
_LONGEST_SECONDS = 366 * 86_400
_ROLLING = re.compile("([0-9]{1,9})([mhd])")
_ZONE = re.compile("[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_OPENED = "%Y-%m-%dT%H:%M:%S.%fZ"
_HINT = "one of session, run, daily, weekly, monthly, always, or a length like 5h, 90m, 7d"


@dataclass(frozen=True, slots=True)
class Period:
    """One kind of period.

    Attributes:
        seconds: the length of a rolling one; 0 for every other.
        timezone: whose days, weeks and months a calendar one counts, as an IANA name; None is UTC.
    """

    kind: PeriodKind
    seconds: int = 0
    timezone: str | None = None

    def __str__(self) -> str:
        """As `parse_period` reads it, without the zone: `daily`, `5h`."""
        if self.kind is not PeriodKind.ROLLING:
            return self.kind.value
        return next(f"{self.seconds // size}{unit}" for unit, size in _SECONDS.items() if self.seconds % size == 0)


ALWAYS = Period(PeriodKind.ALWAYS)
"""The one period that never ends."""


class LastPeriod(NamedTuple):
    """The latest period in which something was put on a budget."""

    id: str


def parse_period(text: str, timezone: str | None = None) -> Period:
    """The period that `text` means; `timezone` is for daily, weekly and monthly ones, and is UTC where it is None.

    Raises:
        UserError: an unknown period, a length of nothing or over 366 days, an unknown zone, or one where none counts.
    """
    found = _ROLLING.fullmatch(text)
    if found is not None:
        period = Period(PeriodKind.ROLLING, int(found[1]) * _SECONDS[found[2]])
    elif text in _NAMED:
        period = Period(PeriodKind(text))
    else:
        raise UserError(f"the period {text!r} is unknown", hint=_HINT)
    zone = None if timezone == "UTC" else timezone
    period = Period(period.kind, period.seconds, zone)
    check_period(period)
    return period


def check_period(period: Period) -> None:
    """The period can be counted.

    Raises:
        UserError: as of `parse_period`.
    """
    is_rolling = period.kind is PeriodKind.ROLLING
    if is_rolling and not 0 < period.seconds <= _LONGEST_SECONDS:
        raise UserError("a rolling period lasts at least 1m and at most 366d", hint=_HINT)
    if not is_rolling and period.seconds:
        raise UserError(f"only a rolling period has a length, not a {period.kind} one")
    if is_rolling and period.seconds % 60:
        raise UserError("a rolling period lasts whole minutes", hint=_HINT)
    if period.timezone is not None:
        if period.kind not in CALENDAR_KINDS:
            raise UserError(f"the period `{period}` takes no time zone: only days, weeks and months do")
        _zone(period.timezone)


def period_id(period: Period, at: datetime, labels: Mapping[str, str], last: LastPeriod | None) -> str:
    """The id of the period that an operation with these labels belongs to at that instant.

    `session` and `run`: the label of that name, '' without one. Calendar ones: `2026-11-21`, `2026-W47`, `2026-11`.
    Rolling: the instant at which the window opened; where none is open (`last` is over, or there was none) that is
    `at` itself, so it opens with this operation. `always`: that word.

    Args:
        at: aware of its zone.
        last: the budget's latest period; the answer is never an earlier one, but for sessions and runs.
    """
    kind = period.kind
    if kind is PeriodKind.ALWAYS:
        return kind.value
    if kind in (PeriodKind.SESSION, PeriodKind.RUN):
        return labels.get(kind.value, "")
    if kind is PeriodKind.ROLLING:
        return _window(period, at, last)
    current = _calendar_id(kind, at.astimezone(_zone(period.timezone)))
    return current if last is None else max(current, last.id)


def period_start(period: Period, name: str, *, later: int = 0) -> datetime:
    """When the period of days, weeks or months with that id begins, or the one that is so many later.

    Raises:
        ValueError: it is another kind of period, or no such id.
    """
    if period.kind is PeriodKind.MONTHLY:
        year, month = divmod(int(name[:4]) * 12 + int(name[5:]) - 1 + later, 12)
        first = date(year, month + 1, 1)
    elif period.kind is PeriodKind.WEEKLY:
        first = date.fromisocalendar(int(name[:4]), int(name[6:]), 1) + timedelta(weeks=later)
    elif period.kind is PeriodKind.DAILY:
        first = date.fromisoformat(name) + timedelta(days=later)
    else:
        raise ValueError(f"a period `{period}` begins at no fixed time")
    return datetime.combine(first, time(), tzinfo=_zone(period.timezone))


def _window(period: Period, at: datetime, last: LastPeriod | None) -> str:
    if last is not None:
        opened = datetime.strptime(last.id, _OPENED).replace(tzinfo=UTC)
        if at < opened + timedelta(seconds=period.seconds):
            return last.id
    return at.astimezone(UTC).strftime(_OPENED)


def _calendar_id(kind: PeriodKind, local: datetime) -> str:
    if kind is PeriodKind.WEEKLY:
        year, week, _ = local.isocalendar()
        return f"{year:04d}-W{week:02d}"
    day = local.date().isoformat()
    return day if kind is PeriodKind.DAILY else day[:7]


@lru_cache(maxsize=64)
def _zone(name: str | None) -> tzinfo:
    if name is None:
        return UTC
    import zoneinfo  # here, because most budgets count in UTC and starting up should stay cheap

    try:
        if not _ZONE.fullmatch(name):
            raise ValueError(name)
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UserError(f"the time zone {name!r} is unknown", hint="write it like `Europe/Berlin`") from error
