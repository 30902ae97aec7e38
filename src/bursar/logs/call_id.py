"""Where a call has its row: under a number that its message's id gives, so that no second index has to be kept."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from zlib import crc32

_ROOM = 24  # bits: so many calls may share a number before the next one's rows are reached


def message_number(message: str) -> int:
    """A number of 32 bits; few messages share one."""
    return crc32(message.encode())


def message_numbers(messages: Iterable[str]) -> array[int]:
    """The number of each, in four bytes each."""
    return array("I", [crc32(message.encode()) for message in messages])


def first_id(number: int) -> int:
    """Calls of messages with this number have this id or one of those after it."""
    return number << _ROOM


def last_id(first: int) -> int:
    """The last id that belongs to the number of `first`."""
    return first + (1 << _ROOM) - 1
