"""An executor on a simulated machine: submissions arrive late, twice or not at all, and answers are lost."""

from __future__ import annotations

import asyncio
import random

from bursar.errors import SetupError
from bursar.journal import AttemptRow
from bursar.run import Standing, Status
from bursar.supervision import AttemptSpec
from bursar.testing.simulated_faults import Faults
from bursar.testing.simulated_machine import CANCELLED, Machine


class SimulatedExecutor:
    """One conductor's side; the machine goes on without it."""

    def __init__(self, machine: Machine, faults: Faults, dice: random.Random) -> None:
        """`faults` are the conductor's."""
        self._machine = machine
        self._faults = faults
        self._dice = dice

    async def __aenter__(self) -> SimulatedExecutor:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._faults.check_alive()

    async def submit(self, spec: AttemptSpec) -> None:
        """See `Executor.submit`."""
        self._faults.write("executor.submit", lambda: self._send(spec))
        await asyncio.sleep(0)
        self._faults.check_alive()

    def _send(self, spec: AttemptSpec) -> None:
        luck = 1.0 if self._machine.is_tame else self._dice.random()
        if self._machine.claims.get(spec.key) == CANCELLED:
            raise SetupError("it was stopped before it was started")
        if luck < 0.03:
            raise SetupError("supervisors cannot be started")
        self._machine.spawn(spec, self._dice.uniform(0, 0.5))
        if luck < 0.06:
            self._machine.spawn(spec, self._dice.uniform(0, 0.5))
        elif luck < 0.09:
            raise SetupError("supervisors cannot be started, as far as anybody knows")

    def status(self, attempt: AttemptRow) -> Status:
        """See `Executor.status`."""
        self._faults.check_alive()
        key, claims = attempt.key, self._machine.claims
        if key not in claims:
            return Status(Standing.UNCLAIMED)
        if claims[key] == CANCELLED:
            return Status(Standing.CANCELLED)
        if self._machine.is_running(key):
            return Status(Standing.RUNNING)
        return Status(Standing.ENDED, self._machine.outcomes.get(key))

    def cancel(self, attempt: AttemptRow, *, running: bool = True, grace_seconds: float = 0.0) -> Status:
        """See `Executor.cancel`; its agents cannot be told anything."""
        self._faults.check_alive()
        if attempt.key not in self._machine.claims:
            self._faults.write("executor.cancel", lambda: self._machine.claims.setdefault(attempt.key, CANCELLED))
        elif running:
            self._machine.stop(attempt.key)
        return self.status(attempt)

    async def heartbeat(self, attempt: AttemptRow) -> None:
        """See `Executor.heartbeat`."""
        self._faults.check_alive()
        key = attempt.key
        if not self._machine.is_running(key) and key not in self._machine.pending:
            return
        changed = asyncio.Event()
        self._machine.when_changed(key, changed.set)
        if self._dice.random() < 0.05:
            self._machine.timeline.after(self._dice.uniform(0, 60), lambda: self._machine.tell(key))  # for no reason
        await changed.wait()
        self._faults.check_alive()
