"""Time that passes only when everybody waits: a timeline of what is to happen, and an event loop that lives on it.

Hours of a run take milliseconds, and the same beginning has the same end: nothing waits for the machine. Work that a
program hands to threads (`asyncio.to_thread`) is done at once, in its place.
"""

from __future__ import annotations

import asyncio
import heapq
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_BEGINNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class Stuck(Exception):
    """Somebody waits for what will never happen."""


class Timeline:
    """What is to happen, and when. Things of one moment happen in the order in which they were put down."""

    def __init__(self, *, latest: float = 30 * 86_400.0) -> None:
        """`latest`: whoever waits longer than that is stuck."""
        self.now = 0.0
        self._latest = latest
        self._number = 0
        self._coming: list[tuple[float, int, Callable[[], None]]] = []

    def after(self, seconds: float, happen: Callable[[], None]) -> None:
        """It happens so many seconds from now."""
        self._number += 1
        heapq.heappush(self._coming, (self.now + max(0.0, seconds), self._number, happen))

    def forget(self) -> None:
        """Nothing of what was to happen will."""
        self._coming.clear()

    def pass_by(self, seconds: float) -> None:
        """So much time has passed, and all of it has happened."""
        end = self.now + seconds
        while self.now < end:
            self.step(end - self.now)

    def step(self, most: float | None) -> None:
        """The next thing has happened; or, if it is further away than `most` seconds, so much time has passed.

        Raises:
            Stuck: nothing will ever happen, or all too late.
        """
        end = float("inf") if most is None else self.now + most
        if self._coming and self._coming[0][0] <= end:
            at, _, happen = heapq.heappop(self._coming)
            self.now = max(self.now, at)
            happen()
        elif most is None:
            raise Stuck("nobody will ever wake those who wait")
        else:
            self.now = end
        if self.now > self._latest:
            raise Stuck(f"after {self.now:.0f} s it is not over")


class VirtualClock:
    """A clock on a timeline; its hands can be turned, which its monotonic side does not notice."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._offset = timedelta(0)

    def now(self) -> datetime:
        """The current instant, in UTC."""
        return _BEGINNING + self._offset + timedelta(seconds=self._timeline.now)

    def monotonic(self) -> float:
        """Seconds since the timeline began."""
        return self._timeline.now

    def turn(self, seconds: float) -> None:
        """The wall clock jumps, forward or back."""
        self._offset += timedelta(seconds=seconds)


class _Selector(selectors.SelectSelector):
    """Waits for no file: what it would wait for happens on the timeline."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self._timeline = timeline

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            self._timeline.step(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is a timeline's."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(_Selector(timeline))
        self._timeline = timeline

    def time(self) -> float:
        """The timeline's time."""
        return self._timeline.now

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """The work is done here and now."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except BaseException as error:  # noqa: BLE001 — it is the waiter's
            future.set_exception(error)
        return future


def close_loop(loop: VirtualLoop) -> None:
    """Whatever still waits in the loop is gone; a dead process's code has no effect any more."""
    loop.set_exception_handler(lambda *_: None)
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    with suppress(BaseException):
        if tasks:  # of none, `gather` would make a loop of its own, which nobody closes
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()
