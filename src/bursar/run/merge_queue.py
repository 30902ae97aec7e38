"""Who merges next: work that waits is composed in a row and verified once; where that is red, it is halved.

One of those that wait does the work for all of them, so that a verification that takes long does not hold up each of
them by its own length. What a candidate's own judgement says is asked only where it is alone in its row: whoever is
refused was refused for what it does by itself.

Source: docs/decisions/0047-verified-after-merging.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bursar.errors import BursarError
from bursar.journal import AttemptRow
from bursar.plan import Task
from bursar.worktrees import Change, MergeConflict


@dataclass(frozen=True, slots=True)
class RedMerge:
    """The work passed where it was done, and does not in the merged work.

    Attributes:
        reason: in words: whose command fails, beside whose work.
        log: the end of what that command printed.
    """

    reason: str
    log: str


Refusal = MergeConflict | RedMerge


@dataclass(slots=True, eq=False)
class Candidate:
    """Work that waits to be merged, and what has become of it.

    Attributes:
        commit: what it was merged as.
        is_settled: nothing more is to be done for it; without an answer and an error it was stopped.
    """

    task: Task
    attempt: AttemptRow
    change: Change
    commit: str | None = None
    refusal: Refusal | None = None
    error: BursarError | None = None
    is_settled: bool = False

    def refuse(self, refusal: Refusal | None) -> None:
        """It is not merged; None: because everything stops."""
        self.refusal, self.is_settled = refusal, True

    def fail(self, error: BursarError) -> None:
        """Whoever brought it is told of this error."""
        self.error, self.is_settled = error, True


@dataclass(frozen=True, slots=True)
class Composed:
    """A candidate as the commit that it would be, upon those before it in its row."""

    candidate: Candidate
    commit: str


class Ground(Protocol):
    """What candidates are merged into."""

    @property
    def tip(self) -> str:
        """The newest commit of it."""
        ...

    async def compose(self, tip: str, candidate: Candidate) -> str | MergeConflict:
        """The candidate as a child of `tip`; nothing points to it yet."""
        ...

    def is_verified(self, candidate: Candidate) -> bool:
        """Whether merging it upon the tip gives what was verified where it was done."""
        ...

    async def passes(self, row: Sequence[Composed]) -> bool | None:
        """Whether all that has to be true of the row is true at its end; None: stopped before that was known."""
        ...

    async def judge(self, composed: Composed) -> RedMerge | bool:
        """What speaks against the candidate by itself; True: nothing; False: stopped before that was known."""
        ...

    async def advance(self, composed: Composed) -> None:
        """The commit is the tip, and the journal says so."""
        ...


class MergeQueue:
    """The way into one run's merged work.

    Attributes:
        turn: whoever has it may move the tip.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.turn = asyncio.Lock()
        self._waiting: list[Candidate] = []

    async def merge(self, task: Task, attempt: AttemptRow, change: Change) -> str | Refusal | None:
        """The change is merged, and its commit's id; or why not; None: it was stopped before that was known.

        Raises:
            BursarError: git or the journal failed over this very change.
        """
        candidate = Candidate(task, attempt, change)
        self._waiting.append(candidate)
        async with self.turn:
            while not candidate.is_settled:
                await self._settle_waiting()
        if candidate.error is not None:
            raise candidate.error
        return candidate.commit or candidate.refusal

    async def _settle_waiting(self) -> None:
        batch, self._waiting = self._waiting, []
        try:
            await self._settle(batch)
        finally:
            self._waiting = [each for each in batch if not each.is_settled] + self._waiting

    async def _settle(self, batch: Sequence[Candidate]) -> None:
        """The first of the batch is settled, and as many more as can be."""
        row = await self._line_up(batch)
        while row and self._ground.is_verified(row[0].candidate):
            if not await self._advance(row[:1]):
                return
            row = row[1:]
        if len(row) == 1:
            await self._settle_one(row[0])
        elif row:
            await self._settle_row(row)

    async def _line_up(self, batch: Sequence[Candidate]) -> list[Composed]:
        """The candidates, each upon the one before. One that conflicts with those before it is left for later."""
        row: list[Composed] = []
        tip = self._ground.tip
        for candidate in batch:
            try:
                composed = await self._ground.compose(tip, candidate)
            except BursarError as error:
                candidate.fail(error)
                continue
            if not isinstance(composed, MergeConflict):
                row.append(Composed(candidate, composed))
                tip = composed
            elif not row:
                candidate.refuse(composed)
        return row

    async def _settle_row(self, row: Sequence[Composed]) -> None:
        try:
            passed = await self._ground.passes(row)
        except BursarError:
            passed = False  # whose it is shows when each is looked at by itself
        if passed is None:
            for each in row:
                each.candidate.refuse(None)
        elif passed:
            await self._advance(row)
        else:
            middle = len(row) // 2
            await self._settle([each.candidate for each in row[:middle]])
            await self._settle([each.candidate for each in row[middle:]])

    async def _settle_one(self, composed: Composed) -> None:
        try:
            judged = await self._ground.judge(composed)
        except BursarError as error:
            composed.candidate.fail(error)
            return
        if judged is True:
            await self._advance([composed])
        else:
            composed.candidate.refuse(None if judged is False else judged)

    async def _advance(self, row: Sequence[Composed]) -> bool:
        """All of the row is merged; False where that failed for one: those after it have to be composed anew."""
        for composed in row:
            try:
                await self._ground.advance(composed)
            except BursarError as error:
                composed.candidate.fail(error)
                return False
            composed.candidate.commit, composed.candidate.is_settled = composed.commit, True
        return True
