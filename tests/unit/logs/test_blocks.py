"""Blocks of five hours: where they begin, whatever part of them is asked for, and which of them is going on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bursar.logs import Block, Wanted, find_blocks, open_index, running_block
from tests.unit.logs.transcripts import Transcripts, encode, line

HOUR = 3_600_000


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Transcripts]:
    index = open_index(tmp_path / "state" / "usage.db")
    yield Transcripts(tmp_path, index)
    index.close()


def at(text: str) -> int:
    return int(datetime.fromisoformat(f"2026-11-{text}:00").replace(tzinfo=UTC).timestamp() * 1000)


def write(logs: Transcripts, *times: str) -> None:
    """A call at each time: `18T22:30`."""
    records = [line(f"m{number}", "r", f"2026-11-{each}:00Z") for number, each in enumerate(times)]
    logs.write(encode(*records))
    logs.read()


def told(blocks: list[Block]) -> list[tuple[int, int]]:
    return [(block.starts_at, block.totals.calls) for block in blocks]


def test_a_block_is_shown_as_a_whole_by_the_time_at_which_it_began(logs: Transcripts) -> None:
    """As ccusage does it: days that are asked for cut no block in two."""
    write(logs, "18T22:30", "18T23:30", "19T00:30", "19T02:30", "19T03:30", "20T03:30")
    midnight = at("19T00:00")
    gap = at("19T08:30")
    assert told(find_blocks(logs.index, Wanted(until=midnight))) == [(at("18T22:00"), 4)]
    later = [(at("19T03:00"), 1), (gap, 0), (at("20T03:00"), 1)]
    assert told(find_blocks(logs.index, Wanted(since=midnight))) == later
    assert told(find_blocks(logs.index, Wanted(midnight, midnight + 24 * HOUR))) == later[:2]
    assert told(find_blocks(logs.index, Wanted(model="opus"))) == []


def test_a_block_of_the_future_is_not_going_on(logs: Transcripts) -> None:
    write(logs, "18T10:30", "28T10:30")
    now = at("18T11:00")
    running = running_block(logs.index, "claude", now)
    assert running is not None
    assert running.starts_at == at("18T10:00")
    assert [block.is_active(now) for block in find_blocks(logs.index, Wanted())] == [True, False, False]
    assert running_block(logs.index, "claude", at("18T15:30")) is None


@pytest.mark.parametrize("seed", range(6))
def test_where_the_running_block_began_depends_on_all_before_it(logs: Transcripts, seed: int) -> None:
    """Work that goes on for days, with never five hours between two calls."""
    print(f"seed {seed}")
    dice, time, times = random.Random(seed), at("01T03:40"), list[str]()
    while time < at("01T03:40") + (seed + 1) * 72 * HOUR:
        times.append(datetime.fromtimestamp(time / 1000, UTC).strftime("%dT%H:%M"))
        time += dice.randrange(40, 290) * 60_000
    write(logs, *times, "30T12:00")  # the gap before a call of the future says nothing
    now = at(times[-1])
    running = running_block(logs.index, "claude", now)
    (expected,) = [block for block in find_blocks(logs.index, Wanted()) if block.is_active(now)]
    assert running is not None
    assert (running.starts_at, running.totals.calls) == (expected.starts_at, expected.totals.calls)
    assert running_block(logs.index, "codex", now) is None
