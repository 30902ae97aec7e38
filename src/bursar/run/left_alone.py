"""Agents whose conductor is dead, of a run that cannot be taken up as it is: they are ended, and no more than that."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bursar.journal import AttemptRow, AttemptState
from bursar.ledger import Ledger
from bursar.run.local_executor import LocalExecutor
from bursar.run.settling import Settling


async def end_agents(directory: Path, rows: Iterable[AttemptRow], ledger: Ledger, grace_seconds: float = 0.0) -> None:
    """None of the run's agents works any more, and their holds have ended; what they did is where a resume finds it.

    Nothing is written into the journal, and nobody is in the way of a conductor that takes the run up meanwhile: each
    attempt has one owner, and each hold ends once.

    Args:
        directory: the run's.
        rows: its attempts.
        grace_seconds: agents that can be told to wrap up have so long for that.

    Raises:
        StoreError: the ledger could not be read or written; they were told to end.
    """
    open_rows = [row for row in rows if row.state is AttemptState.PLANNED]
    async with LocalExecutor(directory / "spawner.log") as executor:
        settling = Settling(ledger, executor)
        for row in open_rows:
            executor.cancel(row, grace_seconds=grace_seconds)
        for row in open_rows:
            await settling.settled(row)
