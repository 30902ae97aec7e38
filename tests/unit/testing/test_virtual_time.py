"""Time that passes only when everybody waits, and writes at which a process dies."""

from __future__ import annotations

import asyncio

import pytest

from bursar.errors import StoreError
from bursar.testing.simulated_faults import Crash, Faults, guarded
from bursar.testing.virtual_time import Stuck, Timeline, VirtualClock, VirtualLoop


def run(timeline: Timeline, main: object) -> object:
    loop = VirtualLoop(timeline)
    try:
        return loop.run_until_complete(main)  # type: ignore[arg-type]
    finally:
        loop.close()


def test_sleepers_wake_in_the_order_of_their_time_and_a_day_takes_no_time() -> None:
    timeline, woken = Timeline(), list[tuple[str, float]]()

    async def sleep(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append((name, timeline.now))

    async def main() -> None:
        timeline.after(5, lambda: woken.append(("event", timeline.now)))
        await asyncio.gather(sleep("day", 86_400), sleep("second", 1), asyncio.to_thread(woken.append, ("thread", 0.0)))

    run(timeline, main())
    assert woken == [("thread", 0.0), ("second", 1.0), ("event", 5.0), ("day", 86_400.0)]


def test_who_waits_for_nothing_is_stuck() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck, match="nobody will ever wake"):
        run(Timeline(), main())
    with pytest.raises(Stuck, match="it is not over"):
        run(Timeline(latest=10), asyncio.sleep(11))


def test_the_clock_jumps_and_its_monotonic_side_does_not() -> None:
    timeline = Timeline()
    clock = VirtualClock(timeline)
    before = clock.now()
    clock.turn(-3600)
    timeline.pass_by(60)
    assert ((clock.now() - before).total_seconds(), clock.monotonic()) == (-3540.0, 60.0)


class Notebook:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(line)

    def read(self) -> list[str]:
        return self.lines


@pytest.mark.parametrize(("is_before", "left"), [(True, ["a"]), (False, ["a", "b"])])
def test_a_dead_process_does_nothing_any_more(is_before: bool, left: list[str]) -> None:
    notebook, faults = Notebook(), Faults(crash_at=2, is_before=is_before)
    mine = guarded(notebook, "notebook", frozenset({"write"}), faults)
    mine.write("a")
    with pytest.raises(Crash):
        mine.write("b")
    for _ in range(2):
        with pytest.raises(Crash):
            mine.write("c")
        with pytest.raises(Crash):
            mine.read()
    assert (notebook.lines, faults.writes) == (left, ["notebook.write", "notebook.write"])


def test_a_write_fails_and_the_next_one_does_not() -> None:
    notebook, faults = Notebook(), Faults(errors={1: True, 2: False})
    mine = guarded(notebook, "notebook", frozenset({"write"}), faults)
    with pytest.raises(OSError, match="No space left"):
        mine.write("a")
    with pytest.raises(StoreError, match="disk is full"):
        mine.write("b")
    mine.write("c")
    assert mine.read() == ["c"]
