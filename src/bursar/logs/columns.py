"""The calls of one file column by column: how many of them go from process to process, and into the index, quickly.

A run is of calls one after the other that are in one quarter of an hour, of one session, model and service tier: what
they share is kept once, and their sums are made where the file was read. The calls themselves are packed there, too:
most often nobody has to look at them again.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import msgspec

from bursar.logs.call import CallRow
from bursar.logs.call_id import message_numbers
from bursar.logs.index import QUARTER_MS
from bursar.logs.values import MOST_TOKENS

_ANY = 5 * MOST_TOKENS  # no call has more; runs that were kept before `most_input` was do not say


class Run(msgspec.Struct, array_like=True, gc=False):
    """Calls from `start` to before `end`.

    Attributes:
        sums: of the five counters.
        most_input: none of them has more input than this, cache included.
    """

    start: int
    end: int
    quarter: int
    project: str
    session: str
    model: str
    service_tier: str
    first_at: int
    last_at: int
    sums: tuple[int, int, int, int, int]
    most_input: int = _ANY


class _Names(msgspec.Struct, array_like=True, gc=False):
    """What is only asked for when one of the calls is met again."""

    messages: list[str]
    requests: list[str]
    at: list[int]
    sidechains: list[bool]


class CallColumns(msgspec.Struct, array_like=True, gc=False):
    """Calls of which each has a message, and a number that no other of them has. See `LoggedCall` for the columns.

    Attributes:
        numbers: of their messages, in four bytes each: see `message_numbers`.
        told: what the log says that each cost; empty where it says nothing of any.
        names: what else is known of each, packed.
    """

    runs: list[Run]
    numbers: bytes
    counts: tuple[list[int], list[int], list[int], list[int], list[int]]
    told: list[int | None]
    names: bytes

    def rows(self) -> Iterator[CallRow]:
        """The calls one by one."""
        names = _decode_names(self.names)
        told = self.told or [None] * len(names.at)
        for run in self.runs:
            for at in range(run.start, run.end):
                head = (names.messages[at], names.requests[at], names.at[at], run.model, run.project, run.session)
                input_tokens, read, short, long, output = (counter[at] for counter in self.counts)
                tail = (input_tokens, read, short, long, output, told[at])
                yield (*head, names.sidechains[at], run.service_tier, *tail)


class PackedCalls(msgspec.Struct, array_like=True, gc=False):
    """Columns on their way into the index. For the others see `CallColumns`.

    Attributes:
        data: the whole of them, as it is kept.
    """

    runs: list[Run]
    numbers: bytes
    data: bytes

    def columns(self) -> CallColumns:
        """The calls themselves."""
        return from_bytes(self.data)


_decode_names = msgspec.msgpack.Decoder(_Names).decode
_encode = msgspec.msgpack.Encoder().encode
_columns = msgspec.msgpack.Decoder(CallColumns)


def to_columns(calls: list[CallRow]) -> CallColumns | None:
    """The calls in columns; None where they cannot be told from one another by the numbers of their messages."""
    if not calls:
        return None
    messages, requests, at, models, projects, sessions, sidechains, tiers, *counts, told = zip(*calls, strict=True)
    numbers = message_numbers(messages)
    if "" in messages or len(set(numbers)) != len(numbers):
        return None
    quarters = [time // QUARTER_MS for time in at]
    shared = zip(quarters, projects, sessions, models, tiers, strict=True)
    runs: list[Run] = []
    end = 0
    for key, group in groupby(shared):
        start, end = end, end + len(list(group))
        times, parts = at[start:end], [counter[start:end] for counter in counts]
        most_input = sum(map(max, parts[:4]))
        runs.append(Run(start, end, *key, min(times), max(times), [*map(sum, parts)], most_input))  # type: ignore[arg-type]
    names: tuple[Any, ...] = (messages, requests, at, sidechains)
    known = () if told.count(None) == len(told) else told
    return CallColumns(runs, numbers.tobytes(), counts, known, _encode(names))  # type: ignore[arg-type]


def pack(columns: CallColumns) -> PackedCalls:
    """The same, as it goes from process to process."""
    return PackedCalls(columns.runs, columns.numbers, to_bytes(columns))


def to_bytes(columns: CallColumns) -> bytes:
    """As it is kept."""
    return _encode(columns)


def from_bytes(data: bytes) -> CallColumns:
    """What `to_bytes` gave."""
    return _columns.decode(data)
