"""When a limit is over, by an agent's own last words about it. CLIs say it to people, each in words of its own."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

_LIMIT = re.compile(r"\blimit|\bquota|\b429\b|too many requests", re.IGNORECASE)
_EPOCH = re.compile(r"\|(?P<at>[0-9]{10})\b")
_CLOCK = re.compile(
    r"(?:again at|resets?(?: at)?) "
    r"(?:(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* (?P<day>[0-9]{1,2})(?:st|nd|rd|th)?,?"
    r"(?: (?P<year>20[0-9]{2}))?,?(?: at)? )?"
    r"(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2}))? ?(?P<half>[ap]m)(?: \((?P<zone>[A-Za-z_+/0-9-]+)\))?",
    re.IGNORECASE,
)
_SPAN = re.compile(
    r"(?:again in|retry in|reset(?:s)? (?:after|in)) (?P<span>(?:[0-9]+(?:\.[0-9]+)? ?[a-z]+(?:,? (?:and )?|))+)",
    re.IGNORECASE,
)
_PART = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?) ?(?P<unit>[a-z]+)", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_A_MINUTE = timedelta(minutes=1)  # times are told without their seconds
_LATE = timedelta(minutes=5)
_LATEST = timedelta(days=32)
_MOST_CHARACTERS = 2000


def names_limit(message: str) -> bool:
    """Whether the words are about a limit of the provider's at all."""
    return _LIMIT.search(message[:_MOST_CHARACTERS]) is not None


def find_reset(message: str, now: datetime, zone: tzinfo | None = None) -> datetime | None:
    """When the limit is over that the message tells of; None if it tells of none, or of no time within a month.

    Args:
        zone: of times that name none; None: this machine's own, in which the agent has written them.
    """
    message = message[:_MOST_CHARACTERS]
    if _LIMIT.search(message) is None:
        return None
    try:
        found = _epoch(message) or _clock(message, now, zone) or _span(message, now)
    except (ValueError, OverflowError):
        return None
    return found if found is not None and now - _LATE <= found <= now + _LATEST else None


def _epoch(message: str) -> datetime | None:
    found = _EPOCH.search(message)
    return None if found is None else datetime.fromtimestamp(int(found["at"]), UTC)


def _clock(message: str, now: datetime, zone: tzinfo | None) -> datetime | None:
    found = _CLOCK.search(message)
    if found is None or not 1 <= int(found["hour"]) <= 12:
        return None
    zone = _zone(found["zone"]) or zone
    hour = int(found["hour"]) % 12 + (12 if found["half"].lower() == "pm" else 0)
    local = now.astimezone(zone).replace(hour=hour, minute=int(found["minute"] or 0), second=0, microsecond=0)
    if found["month"]:
        month = _MONTHS.index(found["month"].lower()) + 1
        local = local.replace(year=int(found["year"] or local.year), month=month, day=int(found["day"]))
        if not found["year"] and local < now - timedelta(days=1):
            local = local.replace(year=local.year + 1)
    elif local + _A_MINUTE < now - _LATE:
        local += timedelta(days=1)
    return (local + _A_MINUTE).astimezone(UTC)


def _span(message: str, now: datetime) -> datetime | None:
    found = _SPAN.search(message)
    if found is None:
        return None
    seconds = 0.0
    for part in _PART.finditer(found["span"]):
        seconds += float(part["number"]) * _SECONDS.get(part["unit"][0].lower(), 0)
    return now + timedelta(seconds=seconds) if seconds else None


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
