"""Going on with what an attempt has left that was cut off: its changes, and where the agent can, its conversation.

The next attempt starts where the last one was: in a worktree of the same path, from the same commit, with the changes
laid out in it. So one commit comes of both, and what the agent remembers of its files is still true.

Source: docs/decisions/0043-what-people-say-to-a-run.md
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bursar.budget import NOTHING, Amount
from bursar.journal import AttemptRow, AttemptState, Remainder
from bursar.paths import HOME_FOLDER
from bursar.plan import Task
from bursar.run.context import RunContext
from bursar.run.holds import Hold, less
from bursar.run.place import Place
from bursar.supervision import ABANDONED, Ending, Outcome, read_claim, read_outcome
from bursar.worktrees import Change

_CUT_OFF = frozenset({AttemptState.STOPPED, AttemptState.INTERRUPTED})


@dataclass(frozen=True, slots=True)
class _Left:
    row: AttemptRow
    remainder: Remainder
    lesson: str  # that the attempt was told


@dataclass(frozen=True, slots=True)
class Used:
    """What parts of one piece of work have come to.

    Attributes:
        calls: to the model; of a part whose supervisor was killed nobody has counted them.
        wall_seconds: of the agents alone; the same holds for it.
    """

    amount: Amount = NOTHING
    calls: int = 0
    wall_seconds: float = 0.0


class Continuing:
    """What is there to go on with, for the tasks of one run."""

    def __init__(self, context: RunContext, place: Place) -> None:
        self._context = context
        self._place = place
        self._left: dict[str, _Left] = {}
        self._taken: dict[str, str] = {}

    def restore(self, rows: Iterable[AttemptRow]) -> None:
        """What earlier conductors' attempts have left, oldest first: the last one that got anywhere counts."""
        for row in rows:
            if row.state not in _CUT_OFF or not self._context.is_current(row):
                if row.state is not AttemptState.PLANNED:
                    self._left.pop(row.task, None)
            elif (remainder := self._context.stores.journal.controls.remainder(row.key)) is not None:
                self._left[row.task] = _Left(row, remainder, self._context.escalation.lesson_about(row.task))

    def leave(
        self, task: Task, row: AttemptRow, outcome: Outcome | None, change: Change | None, said_left: str = ""
    ) -> None:
        """The attempt was cut off, or has wrapped up; what it has left is journaled."""
        has_begun = read_claim(Path(row.directory)) not in {None, ABANDONED}
        has_begun = has_begun and (outcome is None or outcome.ending is not Ending.NOT_STARTED)
        if task.number in self._context.instances or not (has_begun or change is not None):
            return
        said = None if outcome is None else outcome.session_id
        remainder = Remainder(
            attempt=row.key,
            agent=self._context.agent_of(task).name,
            session_id=said or row.session_id,
            home=str(home_of(self._context, row)),
            work_commit=None if change is None else change.commit,
            said_left=said_left,
        )
        self._context.stores.journal.controls.leave(remainder)
        self._left[row.task] = _Left(row, remainder, self._context.escalation.lesson_about(row.task))

    def forget(self, task: Task) -> None:
        """The task's next attempt begins anew: its last one has come to an end of its own."""
        self._left.pop(task.number, None)

    def shrink(self, task: Task, hold: Hold) -> Hold:
        """What is to be held where a part of the task is done, and paid for."""
        left = self._find(task)
        return hold if left is None else less(hold, _amount_before(self._context, left.row.key).tokens)

    def take(self, task: Task, row: AttemptRow) -> AttemptRow:
        """The attempt, which is about to begin, as it goes on with the last one; as it is where there is none."""
        left = self._find(task)
        if left is None or not self._place.can_go_on(left.row.base_commit, left.remainder.work_commit):
            return row
        self._taken[row.key] = left.row.key
        free = not Path(left.row.worktree).exists()
        worktree = left.row.worktree if free else row.worktree
        taken = replace(row, base_commit=left.row.base_commit, worktree=worktree)
        session_id = left.remainder.session_id
        if free and session_id is not None and self._can_remember(task, left.remainder, session_id, Path(worktree)):
            taken = replace(taken, session_id=session_id)
        return taken

    def begun(self, row: AttemptRow) -> None:
        """The attempt's row is written; so is what it goes on with."""
        if (continues := self._taken.pop(row.key, None)) is not None:
            self._context.stores.journal.controls.go_on(row.key, continues)

    def _can_remember(self, task: Task, left: Remainder, session_id: str, worktree: Path) -> bool:
        agent = self._context.agent_of(task)
        if agent.name != left.agent:
            return False
        return agent.has_conversation(session_id, worktree, Path(left.home), self._context.environment)

    def _find(self, task: Task) -> _Left | None:
        """None too where the task goes on in another way after a failure, and is told what went wrong."""
        left = self._left.get(task.number)
        return None if left is None or left.lesson != self._context.escalation.lesson_of(task) else left


def continued_by(context: RunContext, row: AttemptRow) -> Remainder | None:
    """What the attempt goes on with; None where it begins anew."""
    controls = context.stores.journal.controls
    earlier = controls.continues(row.key)
    return None if earlier is None else controls.remainder(earlier)


def keeps_conversation(row: AttemptRow, continued: Remainder | None) -> bool:
    """Whether it goes on with the conversation, too."""
    return continued is not None and continued.session_id == row.session_id


def home_of(context: RunContext, row: AttemptRow) -> Path:
    """The private home of the attempt: the earlier one's, where that has the conversation."""
    continued = continued_by(context, row)
    if continued is not None and keeps_conversation(row, continued):
        return Path(continued.home)
    return Path(row.directory) / HOME_FOLDER


def used_before(context: RunContext, key: str | None) -> Used:
    """What the attempt and those that it goes on with have used, as it was metered; nothing for None."""
    if key is None:
        return Used()
    parts = {*_chain(context, key)}
    rows = [row for row in context.stores.journal.attempts(context.run.id) if row.key in parts]
    outcomes = [outcome for row in rows if (outcome := read_outcome(Path(row.directory))) is not None]
    return Used(
        _amount_before(context, key),
        calls=sum(outcome.calls for outcome in outcomes),
        wall_seconds=sum(outcome.wall_seconds for outcome in outcomes),
    )


def _amount_before(context: RunContext, key: str) -> Amount:
    """That of `used_before`. Asked for with every look at what could start, so it reads nothing of the others."""
    found = map(context.stores.ledger.reservation, _chain(context, key))
    return sum((each.known for each in found if each is not None), NOTHING)


def _chain(context: RunContext, key: str | None) -> Iterator[str]:
    while key is not None:
        yield key
        key = context.stores.journal.controls.continues(key)
