"""Turns at a lock that is taken again and again, by processes that each want it many times in a row.

A lock that goes to the next process after every write is fair, and slow: the next one has to be woken, and finds
nothing of its own in the processor's caches any more. So whoever has come to its turn may take the lock again and again
for some milliseconds, and then stands at the end of the queue. The fewer there are, the longer a turn: each sees in the
time that it has waited how many they are. Two locks do it. Who holds the one (`PATH`) may write.
Who holds the other (`PATH.queue`) is next, and tries for the first one every now and then; all others wait in the
kernel's queue for the second one, which nobody can overtake. A process that dies lets go of both.

Where nobody else writes, the second lock is not even made.
"""

from __future__ import annotations

import fcntl
import os
import time

from bursar.database.lock import LOCK_FLAGS, busy, lock_file, unlock_file
from bursar.errors import LedgerBusy

_SHORTEST_TURN, _LONGEST_TURN = 0.003, 0.032
_ROUND_SECONDS = 0.25
"""At most so long a wait is worth a turn that is longer than the shortest. Turns that shrink with the wait settle
down: at 10 ms for 16 processes; 64 come round within a quarter of a second."""
_LONG_SECONDS = 0.1
_SHORTEST_NAP, _LONGEST_NAP = 0.0002, 0.001


class Turns:
    """One user's way to the lock at `path`. Not for two threads at once."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._queue_path = path + ".queue"
        self._turn_seconds = _SHORTEST_TURN
        self._turn_ends = 0.0

    def take(self, seconds: float) -> int:
        """The caller alone holds the lock; the answer is what `unlock_file` wants back.

        Raises:
            LedgerBusy: it was not the caller's turn within `seconds`.
            OSError: a lock file cannot be opened.
        """
        now = time.monotonic()
        is_over = now > self._turn_ends
        descriptor = os.open(self._path, LOCK_FLAGS, 0o600)
        try:
            if (is_over and self._is_somebody_next()) or not _try(descriptor):
                self._queue(descriptor, now + seconds, seconds)
                is_over = True
        except BaseException:
            os.close(descriptor)
            raise
        if is_over:
            came = time.monotonic()
            self._turn_seconds = _turn(came - now)
            self._turn_ends = came + self._turn_seconds
        return descriptor

    def _is_somebody_next(self) -> bool:
        try:
            queue = os.open(self._queue_path, LOCK_FLAGS & ~os.O_CREAT)
        except FileNotFoundError:
            return False
        try:
            return not _try(queue)
        finally:
            os.close(queue)

    def _queue(self, descriptor: int, deadline: float, seconds: float) -> None:
        """Behind everybody who waits already: the lock is held."""
        try:
            queue = lock_file(self._queue_path, seconds)
        except LedgerBusy:
            raise busy(self._path, seconds) from None  # who holds that one keeps us waiting, not who is next
        try:
            began = time.monotonic()
            while not _try(descriptor):
                now = time.monotonic()
                if now > deadline:
                    raise busy(self._path, seconds)
                time.sleep(_nap(now - began, self._turn_seconds))
        finally:
            unlock_file(queue)


def _turn(waited: float) -> float:
    """How long whoever has waited so long may write."""
    return max(_SHORTEST_TURN, _LONGEST_TURN * (1 - waited / _ROUND_SECONDS))


def _nap(waited: float, turn: float) -> float:
    """How long whoever is next leaves the lock alone; `turn`: how long the turn of another is likely to last.

    A turn is cut short by a try that finds the lock free between two writes, so there are few while the turn may last.
    After that the lock is free at the end of the write. Where it is not for long, there is no haste any more.
    """
    if turn < waited < _LONG_SECONDS:
        return _SHORTEST_NAP
    return min(max(waited, _SHORTEST_NAP), _LONGEST_NAP)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
