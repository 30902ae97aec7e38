"""Shell commands that belong to an attempt: what verifies its work, and what comes before its agent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bursar.journal import AttemptRow
from bursar.processes import kill_marked
from bursar.run.confinement import confine_commands
from bursar.supervision import MARK, VERIFY_LOG
from bursar.verification import Verdict, Verification

if TYPE_CHECKING:
    from bursar.run.context import RunContext


class AttemptCommands:
    """Runs commands for the attempts of one run, until it is told to stop."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._verifications: set[Verification] = set()
        self._is_stopping = False

    async def run(self, commands: Sequence[str], row: AttemptRow) -> Verdict | None:
        """The verdict on commands that were run where the attempt works; None if they were stopped."""
        context = self._context
        verification = Verification(
            commands,
            Path(row.worktree),
            environment={**context.environment, MARK: row.key},
            limit_seconds=context.settings.verify_limit_seconds,
            clock=context.clock,
            prefix=confine_commands(context, row),
        )
        self._verifications.add(verification)
        if self._is_stopping:
            verification.stop()
        try:
            verdict = await asyncio.to_thread(self._run_alone, verification, row.key)
        finally:
            self._verifications.discard(verification)
        if verification.is_stopped:
            return None
        if not verdict.passed:
            (Path(row.directory) / VERIFY_LOG).write_text(verdict.results[-1].output_tail, encoding="utf-8")
        return verdict

    def stop(self) -> None:
        """Those that run are killed, and none is run any more."""
        self._is_stopping = True
        for verification in self._verifications:
            verification.stop()

    def _run_alone(self, verification: Verification, key: str) -> Verdict:
        """The verdict, with nothing of the attempt running beside the commands (a dead conductor may have left some),
        or after them (a daemon in a session of its own).

        Raises:
            Superseded: the run is somebody else's, and so is what runs now.
        """
        kill_marked(MARK, key)
        verdict = verification.run()
        self._context.stores.journal.check_conducts()
        kill_marked(MARK, key)
        return verdict
