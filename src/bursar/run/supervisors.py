"""The conductor's side of the supervisors: starting them through the spawner, following and stopping them by pidfd."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from bursar.errors import SetupError
from bursar.processes import is_alive, pid_of
from bursar.supervision import SPAWNER_MODULE, AttemptSpec, encode_spec

_STREAM_LIMIT = 1 << 16
_MOST_SPAWNERS = 8  # asked for one supervisor, where each was killed by somebody


class Supervisors:
    """Use as `async with`. Leaving it lets the spawner end once its supervisors have; it stops none of them."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._spawner: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._running: dict[str, int] = {}
        self._told_to_stop: set[str] = set()

    async def __aenter__(self) -> Supervisors:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._spawner is not None and self._spawner.stdin is not None:
            self._spawner.stdin.close()
            await self._spawner.wait()
            self._spawner = None

    async def start(self, spec: AttemptSpec) -> None:
        """A supervisor has the spec; from now on it is on its own.

        If the spawner turns out to have died, a new one is asked: should the old one have started a supervisor after
        all, then only one of the two claims the attempt (see `supervision.claim`).

        Raises:
            SetupError: a spawner ended by itself, or many in a row were killed; or this one was told to stop before.
        """
        async with self._turn:
            for _ in range(_MOST_SPAWNERS):
                if spec.key in self._told_to_stop:
                    raise SetupError("it was stopped before it was started")
                answer = await self._ask(spec)
                if isinstance(answer, bytes):
                    self._follow(spec.key, int(answer))
                    return
                if answer > 0:
                    break
        raise SetupError(f"supervisors cannot be started; the reason is in {self._log}")

    async def _ask(self, spec: AttemptSpec) -> bytes | int:
        """The pid of the supervisor, as text; or how a dead spawner ended, and then the next call starts another."""
        spawner = self._spawner or await self._start_spawner()
        assert spawner.stdin is not None
        assert spawner.stdout is not None
        answer = b""
        try:
            spawner.stdin.write(encode_spec(spec) + b"\n")
            await spawner.stdin.drain()
            answer = await spawner.stdout.readline()
        except ConnectionError:
            pass
        if not answer:
            self._spawner = None
            return await spawner.wait()
        return answer

    def adopt(self, key: str, identity: str) -> bool:
        """The supervisor, whoever started it, is followed; False if it has ended already."""
        if key in self._running:
            return True
        if not is_alive(identity):
            return False
        self._follow(key, pid_of(identity))
        if is_alive(identity):  # asked after the pidfd was opened: now it cannot be another process
            return True
        if (pidfd := self._running.pop(key, None)) is not None:
            os.close(pidfd)
        return False

    async def ended(self, key: str) -> None:
        """Returns when the attempt's supervisor runs no more."""
        pidfd = self._running.get(key)
        if pidfd is None:
            return
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(pidfd, over.set)
        try:
            await over.wait()
        finally:
            loop.remove_reader(pidfd)
            os.close(self._running.pop(key))

    def stop(self, key: str) -> None:
        """Tells the attempt's supervisor to stop its agent, settle and end; also if it is only just being started."""
        self._told_to_stop.add(key)
        pidfd = self._running.get(key)
        if pidfd is None:
            return
        try:
            signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        except ProcessLookupError:
            pass

    async def _start_spawner(self) -> asyncio.subprocess.Process:
        with open(self._log, "ab") as log:
            self._spawner = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-P", "-m", SPAWNER_MODULE),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                limit=_STREAM_LIMIT,
            )
        return self._spawner

    def _follow(self, key: str, pid: int) -> None:
        try:
            self._running[key] = os.pidfd_open(pid)
        except ProcessLookupError:
            self._running.pop(key, None)
        if key in self._told_to_stop:
            self.stop(key)
