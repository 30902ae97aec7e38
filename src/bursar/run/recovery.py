"""What an earlier conductor left behind: recognised from rows, claims and outcomes, never guessed.

row says   and the disk says                       so
─────────  ──────────────────────────────────────  ─────────────────────────────────────────────────
merging    its commit is in the merged work         it is merged; only the row was missing
merging    its commit is one step ahead of it       the step is made now
planned    nobody claimed it                        it never started: its hold is released
planned    its supervisor lives                     it is followed as if it had been started here
planned    its supervisor is gone                   its outcome is taken; without one its hold is forfeited
                                                  (interrupted, its task is done again in this very run)
           (its worktree, where merged work was verified in it, is put back to what was collected from it)
planned    the plan has changed its task since      it is stopped and settled; its work goes to a branch
(no row)   a hold is open                           it never started: the hold is released
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bursar.journal import AttemptRow, AttemptState, TaskState
from bursar.ledger import State
from bursar.processes import kill_marked
from bursar.run.attempts import Attempts
from bursar.run.context import RunContext
from bursar.run.executor import Executor, Standing
from bursar.run.kept import is_kept
from bursar.run.place import Place
from bursar.supervision import MARK, close_home


@dataclass(frozen=True, slots=True)
class Left:
    """An attempt to be followed to its end; `is_running`: its supervisor still works."""

    row: AttemptRow
    is_running: bool


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of the rows that were left open: attempts to follow, and tasks that turned out to be merged."""

    left: Sequence[Left]
    merged: Sequence[str]


def recover(
    context: RunContext, attempts: Attempts, place: Place, executor: Executor, rows: Sequence[AttemptRow]
) -> Recovered:
    """Every row and hold of the run is in order again, but for the attempts that are returned to be followed."""
    left: list[Left] = []
    finished: list[str] = []
    for row in rows:
        if row.state is AttemptState.MERGING:
            if _finish_merge(context, place, row):
                finished.append(row.task)
        elif row.state is AttemptState.PLANNED and not _never_started(context, attempts, row):
            left.append(Left(row, executor.status(row).standing is Standing.RUNNING))
    _release_rowless_holds(context, {row.key for row in rows})
    _clear(place, rows, {item.row.key for item in left})
    return Recovered(left, finished)


def _finish_merge(context: RunContext, place: Place, row: AttemptRow) -> bool:
    if not place.finish_merge(row):
        _interrupt(context, row, "its merge was interrupted")
        return False
    is_current = context.is_current(row)
    state = TaskState.MERGED if is_current else TaskState.PENDING
    journal = context.stores.journal
    journal.end_attempt(row, AttemptState.SUCCEEDED, context.now(), task=state, commit=row.commit or "", note="")
    return is_current


def _never_started(context: RunContext, attempts: Attempts, row: AttemptRow) -> bool:
    if not attempts.settling.abandon(row):
        return False
    if row.task in context.instances:
        kill_marked(MARK, row.key)  # its pre-commands may still be at work
    _interrupt(context, row, "it was planned but never started")
    return True


def _interrupt(context: RunContext, row: AttemptRow, note: str) -> None:
    context.stores.journal.end_attempt(row, AttemptState.INTERRUPTED, context.now(), task=TaskState.PENDING, note=note)


def _release_rowless_holds(context: RunContext, keys: set[str]) -> None:
    ledger = context.stores.ledger
    for reservation in ledger.reservations({"run": context.run.id}, state=State.HELD):
        if reservation.key not in keys:
            ledger.release(reservation.key)


def _clear(place: Place, rows: Sequence[AttemptRow], but: set[str]) -> None:
    """Nothing is left of the others. A large run has thousands, of most of which nothing was left before."""
    in_use = {row.worktree for row in rows if row.key in but}  # of an earlier attempt too, which is gone on with
    for row in rows:
        if row.key in but:
            continue
        close_home(Path(row.directory))
        if row.worktree not in in_use and os.path.exists(row.worktree) and not is_kept(row):
            place.clear(row)
