"""The calls of one file column by column: how many of them go from process to process, and into the index, quickly.

A run is of calls one after the other that are in one quarter of an hour, of one session, model and service tier: what all
of them share is kept once, and their sums are made where the file was read.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from bursar.logs.call import CallRow
from bursar.logs.call_id import first_id
from bursar.logs.index import QUARTER_MS


class Run(NamedTuple):
    """Calls from `start` to before `end`. `sums`: of the five counters."""

    start: int
    end: int
    quarter: int
    project: str
    session: str
    model: str
    service_tier: str
    first_at: int
    last_at: int
    sums: tuple[int, ...]


class CallColumns(NamedTuple):
    """Calls of which each has a message, and a first id that no other of them has. See `LoggedCall` for the columns.

    Attributes:
        told: what the log says that each cost; empty where it says nothing of any.
    """

    runs: tuple[Run, ...]
    ids: tuple[int, ...]
    messages: tuple[str, ...]
    requests: tuple[str, ...]
    at: tuple[int, ...]
    sidechains: tuple[bool, ...]
    counts: tuple[tuple[int, ...], ...]
    told: tuple[int | None, ...]

    def rows(self) -> Iterator[CallRow]:
        """The calls one by one."""
        told = self.told or (None,) * len(self.ids)
        for run in self.runs:
            for at in range(run.start, run.end):
                head = (self.messages[at], self.requests[at], self.at[at], run.model, run.project, run.session)
                input_tokens, read, short, long, output = (counter[at] for counter in self.counts)
                tail = (input_tokens, read, short, long, output, told[at])
                yield (*head, self.sidechains[at], run.service_tier, *tail)


def to_columns(calls: list[CallRow]) -> CallColumns | None:
    """The calls in columns; None where they cannot be told from one another by their first ids."""
    if not calls:
        return None
    messages, requests, at, models, projects, sessions, sidechains, tiers, *counts, told = zip(*calls, strict=True)
    ids = tuple(map(first_id, messages))
    if "" in messages or len(set(ids)) != len(ids):
        return None
    quarters = [time // QUARTER_MS for time in at]
    runs: list[Run] = []
    end = 0
    for key, group in groupby(zip(quarters, projects, sessions, models, tiers, strict=True)):
        start, end = end, end + len(list(group))
        times = at[start:end]
        sums = tuple(sum(counter[start:end]) for counter in counts)
        runs.append(Run(start, end, *key, min(times), max(times), sums))
    told = () if told.count(None) == len(told) else told
    return CallColumns(tuple(runs), ids, messages, requests, at, sidechains, tuple(counts), told)


def to_plain(columns: CallColumns) -> tuple[object, ...]:
    """As plain tuples, which are quick to write down."""
    return (tuple(map(tuple, columns.runs)), *columns[1:])


def from_plain(values: tuple[object, ...]) -> CallColumns:
    """What `to_plain` gave."""
    columns = CallColumns._make(values)
    return columns._replace(runs=tuple(map(Run._make, columns.runs)))
