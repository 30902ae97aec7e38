"""What people ask of a run from other processes: to pause, to stop, to be cancelled; and the bell for its conductor.

A request is written into the journal, for the conductor that is there, before the bell is rung. So a bell that nobody
hears loses nothing: the conductor looks into the journal once in a while anyway. Whom a request is for is known by pid,
start and boot, so it never reaches another process, or a later conductor, which goes by what it was started for.

Source: docs/decisions/0043-what-people-say-to-a-run.md
"""

from __future__ import annotations

import asyncio
import os
import stat
from contextlib import suppress
from pathlib import Path

from bursar.journal import Request, RequestKind
from bursar.run.context import RunContext, user_name

_BELL = "bell"
_ORDER = tuple(RequestKind)


def ring(directory: Path) -> bool:
    """The conductor of the run in that directory, if there is one, looks at what was written for it; False if not."""
    try:
        bell = os.open(directory / _BELL, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # nobody listens, or there never was a bell
        return False
    try:
        os.write(bell, b"!")
    except BlockingIOError:
        pass  # it is full of rings that were not heard yet
    except OSError:
        return False
    finally:
        os.close(bell)
    return True


def ask_of_us(context: RunContext, kind: RequestKind, grace_seconds: float = 0.0) -> None:
    """This process, which is about to conduct the run, is asked that by its own user."""
    context.stores.journal.controls.ask(
        Request(
            run_id=context.run.id,
            conductor=context.run.conductor or "",
            kind=kind,
            by_user=user_name(),
            at=context.now(),
            grace_seconds=grace_seconds,
        )
    )


class Requests:
    """The conductor's side: `rung` is set whenever there may be something new. Use as `async with`."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._identity = context.run.conductor or ""
        self._bell: int | None = None
        self.rung = asyncio.Event()

    async def __aenter__(self) -> Requests:
        path = self._context.directory / _BELL
        with suppress(OSError):  # without a bell it is heard a little later
            with suppress(FileExistsError):
                os.mkfifo(path, 0o600)
            bell = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
            if not stat.S_ISFIFO(os.fstat(bell).st_mode):
                os.close(bell)
                return self
            self._bell = bell
            asyncio.get_running_loop().add_reader(bell, self._hear)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._bell is not None:
            asyncio.get_running_loop().remove_reader(self._bell)
            os.close(self._bell)
            self._bell = None

    def strongest(self) -> Request | None:
        """The most that was asked of this conductor, and of the same the one with the least grace; None for nothing."""
        asked = self._context.stores.journal.controls.requests(self._context.run.id, self._identity)
        return max(asked, key=lambda each: (_ORDER.index(each.kind), -each.grace_seconds), default=None)

    def _hear(self) -> None:
        with suppress(BlockingIOError):
            while self._bell is not None and os.read(self._bell, 4096):
                pass
        self.rung.set()
