"""`--start-at`: from what a person calls a time of day to an instant, and waiting for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from bursar.clock import Clock
from bursar.errors import UserError

_FLAG = "--start-at"
_HINT = '--start-at 2am, --start-at 14:30, or --start-at "2026-11-22 02:00"'
_TIME = re.compile(r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?\s*(?P<half>[ap]m)?", re.IGNORECASE)
_DATE = re.compile(r"(?P<date>\d{4}-\d{2}-\d{2})[ T]+(?P<time>\S.*)")
_LONGEST_WAIT_SECONDS = 20.0  # the wall clock is asked again: it may be set, and a machine may sleep
_LATEST = timedelta(days=366)


def parse_start(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """The instant, in UTC, that the text means in the zone (None: this machine's own).

    A time of day means its next occurrence. Of a time that occurs twice when clocks go back it is the first that is
    still to come; one that does not occur when they go forward is as much later as they go forward.

    Raises:
        UserError: it is no time, or none that lies ahead within a year.
    """
    text = text.strip()
    with_date = _DATE.fullmatch(text)
    if with_date is None:
        return _next(_time(text, text), now, zone)
    moment = datetime.combine(_date(with_date["date"], text), _time(with_date["time"], text))
    years = moment.year - now.year  # far from now an instant may not even be on the calendar
    instants = list(_occurrences(moment, zone)) if abs(years) <= 1 else []
    found = next((each for each in instants if each > now), None)
    if found is None and years <= 1:
        raise UserError(f"{_FLAG}: {text} is over", hint=_HINT)
    if found is None or found - now > _LATEST:
        raise UserError(f"{_FLAG}: {text} is more than a year ahead")
    return found


def wait_until(moment: datetime, clock: Clock, sleep: Callable[[float], object]) -> None:
    """Returns when the wall clock has reached the moment, however often it is set on the way."""
    while (left := (moment - clock.now()).total_seconds()) > 0:
        sleep(min(left, _LONGEST_WAIT_SECONDS))


def _next(of_day: time, now: datetime, zone: tzinfo | None) -> datetime:
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=ahead) for ahead in range(3))
    moments = (each for day in days for each in _occurrences(datetime.combine(day, of_day), zone))
    return next(each for each in moments if each > now)


def _occurrences(local: datetime, zone: tzinfo | None) -> Iterator[datetime]:
    """The instants at which clocks in the zone show that time: two where they go back over it, else one."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    yield first
    if second > first:
        yield second


def _time(text: str, whole: str) -> time:
    found = _TIME.fullmatch(text)
    if found is not None and (found["minute"] or found["half"]):
        hour, minute = int(found["hour"]), int(found["minute"] or 0)
        half = (found["half"] or "").lower()
        is_hour = 1 <= hour <= 12 if half else hour <= 23
        if is_hour and minute <= 59:
            return time(hour % 12 + (12 if half == "pm" else 0) if half else hour, minute)
    raise UserError(f"{_FLAG}: {whole!r} is no time", hint=_HINT)


def _date(text: str, whole: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{_FLAG}: {whole!r} is no date of the calendar", hint=_HINT) from None
