"""How the hold of an attempt ends here, where its supervisor has not ended it or nobody has begun the attempt."""

from __future__ import annotations

from bursar.budget import Amount
from bursar.journal import AttemptRow
from bursar.ledger import Ledger, State
from bursar.run.executor import Executor, Standing
from bursar.supervision import Ending, Outcome


class Settling:
    """Ends the holds of one run's attempts."""

    def __init__(self, ledger: Ledger, executor: Executor) -> None:
        self._ledger = ledger
        self._executor = executor

    async def settled(self, row: AttemptRow) -> Outcome | None:
        """The attempt's outcome, once nobody works on it any more and its hold has ended."""
        while True:
            await self._executor.heartbeat(row)
            status = self._executor.status(row)
            if status.standing is Standing.ENDED:
                self.settle(row, status.outcome)
                return status.outcome
            if status.standing is not Standing.RUNNING and self.abandon(row):
                return None  # who was to begin it ended before that

    def settle(self, row: AttemptRow, outcome: Outcome | None) -> None:
        """The hold has ended one way or the other. The supervisor has usually done it; if it died, this does.

        Without an outcome nobody knows what was spent: what was held is charged.
        """
        ledger = self._ledger
        reservation = ledger.reservation(row.key)
        if reservation is None or reservation.state is not State.HELD:
            return
        if outcome is None:
            ledger.forfeit(row.key)
        elif outcome.ending is Ending.NOT_STARTED:
            ledger.release(row.key)
        else:
            ledger.settle(
                row.key,
                Amount(outcome.metered_tokens, outcome.metered_nano_usd),
                unknown=Amount(outcome.unknown_tokens, outcome.unknown_nano_usd),
            )

    def abandon(self, row: AttemptRow) -> bool:
        """Nobody will ever begin this attempt, and its hold is given back; False if somebody has begun it."""
        if self._executor.cancel(row, running=False).standing is not Standing.CANCELLED:
            return False
        reservation = self._ledger.reservation(row.key)
        if reservation is not None and reservation.state is State.HELD:
            self._ledger.release(row.key)
        return True
