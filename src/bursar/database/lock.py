"""A fair lock between processes, with an end to the waiting. Who writes often takes it by `turns.Turns`.

SQLite's own waiting polls, and at 16 writers one of them can go hungry for seconds. The kernel's `flock` keeps a queue.
But `flock` blocks without a limit, so the waiting is done by a thread of its own on a file descriptor of its own: the
caller waits for that thread no longer than it wants to. Alarms were not an option (only a main thread gets them, and
they belong to the program that embeds us), and polling with LOCK_NB would give up the queue, which is the point.
A thread whose caller has left gives the lock back as soon as it gets it.
"""

from __future__ import annotations

import _thread
import fcntl
import os

from bursar.errors import LedgerBusy

LOCK_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


def lock_file(path: str, seconds: float) -> int:
    """The caller alone holds the lock at `path`; the answer is what `unlock_file` wants back.

    The file is opened anew each time: a descriptor kept open would be shared with every forked child, lock and all.

    Raises:
        LedgerBusy: somebody else held it for `seconds`.
        OSError: the lock file cannot be opened.
    """
    descriptor = os.open(path, LOCK_FLAGS, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _wait(descriptor, path, seconds)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def unlock_file(descriptor: int) -> None:
    """The next one in the queue has the lock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def busy(path: str, seconds: float) -> LedgerBusy:
    """What to raise where the lock at `path` could not be had for so long."""
    return LedgerBusy(
        f"`{path}` has been locked by another process for {seconds:g} s; nothing was written",
        hint=f"wait for the other bursar process to finish; `fuser {path}` says which one it is",
    )


def _wait(descriptor: int, path: str, seconds: float) -> None:
    waiter = _Waiter(descriptor)
    try:
        waiter.wait(seconds)
    except BaseException:
        if not waiter.leave():
            os.close(descriptor)
        raise
    if waiter.leave():
        raise busy(path, seconds)
    if waiter.failure is not None:
        os.close(descriptor)
        raise waiter.failure


class _Waiter:
    """A thread that stands in the kernel's queue, and the handing over of what it gets there."""

    def __init__(self, descriptor: int) -> None:
        self.failure: OSError | None = None
        self._descriptor = descriptor
        self._is_finished = False
        self._is_left = False
        self._guard = _thread.allocate_lock()
        self._done = _thread.allocate_lock()
        self._done.acquire()
        _thread.start_new_thread(self._queue, ())

    def wait(self, seconds: float) -> None:
        """The thread has finished, or `seconds` have passed."""
        self._done.acquire(timeout=seconds)

    def leave(self) -> bool:
        """True: nobody waits any more, and the descriptor is the thread's to close. False: it has finished already."""
        with self._guard:
            self._is_left = not self._is_finished
            return self._is_left

    def _queue(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as error:
            self.failure = error
        with self._guard:
            self._is_finished = True
            if self._is_left:
                os.close(self._descriptor)
        self._done.release()
