"""Attempts on this machine: each has a supervisor of its own, which claims it by a file in the attempt's folder."""

from __future__ import annotations

from pathlib import Path

from bursar.journal import AttemptRow
from bursar.processes import kill_marked
from bursar.run.executor import Standing, Status
from bursar.run.supervisors import Supervisors
from bursar.supervision import ABANDONED, MARK, AttemptSpec, claim, read_claim, read_outcome, write_grace


class LocalExecutor:
    """Use as `async with`. Leaving it stops no attempt."""

    def __init__(self, log: Path) -> None:
        """`log`: where the process that starts supervisors tells its problems."""
        self._supervisors = Supervisors(log)

    async def __aenter__(self) -> LocalExecutor:
        await self._supervisors.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._supervisors.__aexit__()

    async def submit(self, spec: AttemptSpec) -> None:
        """A supervisor has the spec.

        Raises:
            SetupError: none can be started, or the attempt was cancelled before.
        """
        await self._supervisors.start(spec)

    def status(self, attempt: AttemptRow) -> Status:
        """What claim and outcome say. An attempt that runs is followed from now on."""
        directory = Path(attempt.directory)
        by = read_claim(directory)
        if by is None:
            return Status(Standing.UNCLAIMED)
        if by == ABANDONED:
            return Status(Standing.CANCELLED)
        if self._supervisors.adopt(attempt.key, by):
            return Status(Standing.RUNNING)
        outcome = read_outcome(directory)
        if outcome is None:
            kill_marked(MARK, attempt.key)  # a dead supervisor's agent dies with it, the agent's tools may not have
        return Status(Standing.ENDED, outcome)

    def cancel(self, attempt: AttemptRow, *, running: bool = True, grace_seconds: float = 0.0) -> Status:
        """The claim is taken, so that no supervisor can; or the one that has it has been told to stop."""
        directory = Path(attempt.directory)
        if running:
            write_grace(directory, grace_seconds)
            self._supervisors.stop(attempt.key)
        if read_claim(directory) is None:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)  # a power cut may have lost it, not the row
            claim(directory, ABANDONED)
        return self.status(attempt)

    async def heartbeat(self, attempt: AttemptRow) -> None:
        """Returns when the attempt's supervisor runs no more."""
        await self._supervisors.ended(attempt.key)
