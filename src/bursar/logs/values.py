"""What stands in a log, checked: a count, a time. A log is somebody else's text."""

from __future__ import annotations

from datetime import UTC, datetime

MOST_TOKENS = 1 << 27
"""More than any call: a record with a larger number is none."""
_LATEST = 253_402_300_799_999  # the end of the year 9999


class RefusedLine(Exception):
    """A line tells of a call that cannot have been."""


def whole(value: object) -> int:
    """A count of tokens.

    Raises:
        RefusedLine: it is none: negative, broken, absurd, no number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RefusedLine("not a number")
    if not 0 <= value <= MOST_TOKENS or value != int(value):
        raise RefusedLine("an absurd count")
    return int(value)


def clean(text: str) -> str:
    """The text as UTF-8 can have it: JSON may name halves of characters, and file names any bytes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def number_within(value: object, most: float) -> float | None:
    """A number from 0 to `most`, for people; None where it is anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        return None
    return float(value)


def milliseconds(timestamp: object) -> int:
    """A time as ISO 8601 has it (UTC where it names no zone), or as a number of ms, in ms since 1970.

    Raises:
        RefusedLine: it is none, or before 1970.
    """
    try:
        if isinstance(timestamp, str):
            at = datetime.fromisoformat(timestamp)
            timestamp = round((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp() * 1000)
        if isinstance(timestamp, bool) or not isinstance(timestamp, int | float) or not 0 <= timestamp <= _LATEST:
            raise RefusedLine("no time")
        return int(timestamp)
    except (ValueError, OverflowError) as error:
        raise RefusedLine("no time") from error
