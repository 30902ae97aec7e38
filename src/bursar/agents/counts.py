"""Reported numbers → counts, or a refusal of what cannot be true."""

from __future__ import annotations

Number = int | float | None
MAX_COUNT = 1_000_000_000


class AbsurdCount(ValueError):
    """A count that no call can have: negative, no whole number, or beyond `MAX_COUNT`."""


def count(name: str, value: Number) -> int:
    """The count as an integer; absent is 0, `5.0` is 5.

    Raises:
        AbsurdCount: it is negative, no whole number, or beyond `MAX_COUNT`.
    """
    if value.__class__ is int and 0 <= value <= MAX_COUNT:
        return value
    if value is None:
        return 0
    if not 0 <= value <= MAX_COUNT or value != int(value):
        raise AbsurdCount(f"absurd {name}: {value!r:.40}")
    return int(value)
