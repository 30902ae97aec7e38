"""The run's merged work: one ref, one commit per task, moved by one attempt at a time. A plan's `place.Place`.

Work that did not start from the merged work as it is now is verified in it before it is part of it.

Source: docs/decisions/0047-verified-after-merging.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bursar.errors import BursarError
from bursar.journal import AttemptRow, AttemptState, TaskState
from bursar.paths import SPARES, VIEW_FOLDER
from bursar.plan import Part, Task
from bursar.run.collected import read_collected
from bursar.run.context import RunContext
from bursar.run.finish import bring_home, close_plan
from bursar.run.merge_queue import Candidate, Composed, MergeQueue, RedMerge, Refusal
from bursar.run.merged_check import MergedCheck, worktree_of
from bursar.run.phase_context import archive_phases
from bursar.worktrees import (
    Change,
    MergeConflict,
    Pool,
    Worktree,
    advance,
    close_view,
    commit_work,
    compose,
    contains,
    read_ref,
    save_branch,
    stand_at,
)


class MergedWork:
    """The tip of what was merged so far. New attempts start from it, each in a worktree of its own."""

    def __init__(self, context: RunContext, tip: str) -> None:
        self._context = context
        self._queue = MergeQueue(self)
        self._check = MergedCheck(context, tip)
        self._merged: set[str] = set()
        self._pool = Pool(context.repository, context.directory / SPARES, most=context.settings.max_parallel)
        self.tip = tip

    def folder_of(self, attempt: str) -> Path:
        """Where the worktree of an attempt of this name is made."""
        return self._context.directory / "worktrees" / attempt

    def can_go_on(self, base: str, work: str | None) -> bool:
        """Whether the base is still in the merged work, git still has the changes, and they fit onto what is merged."""
        repository = self._context.repository
        try:
            if not contains(repository, self.tip, base):
                return False
            if work is None:
                return True
            is_there = contains(repository, work, base)
            return is_there and not isinstance(compose(repository, self.tip, base, work, "a trial\n"), MergeConflict)
        except BursarError:
            return False

    async def prepare(self, attempt: AttemptRow, work: str | None = None) -> None:
        """The attempt's worktree stands, at the commit that it starts from; the changes of `work` lie in it."""
        await asyncio.to_thread(self._pool.create, Path(attempt.worktree), attempt.base_commit, work)

    async def collect(self, task: Task | None, attempt: AttemptRow) -> Change | None:
        """What the agent left in its worktree, as a commit; None if that is nothing, or if the worktree is gone."""
        worktree = self._worktree(attempt)
        if not worktree.path.exists():
            return None
        if (collected := read_collected(attempt)) is not None:
            await asyncio.to_thread(stand_at, self._context.repository, worktree, collected.commit)
            return collected
        was = f"Work on task {attempt.task} as it was\n\nBursar-Attempt: {attempt.key}\n"
        message = was if task is None else self.message(task, attempt)
        view = Path(attempt.directory) / VIEW_FOLDER
        return await asyncio.to_thread(commit_work, self._context.repository, worktree, message, view=view)

    async def merge(self, task: Task, attempt: AttemptRow, change: Change) -> str | Refusal | None:
        """The change is part of the merged work, the journal says so, and the task is merged; the commit's id.

        Or what speaks against it; None: it was stopped before that was known. Then nothing of it has moved.
        """
        merged = await self._queue.merge(task, attempt, change)
        if isinstance(merged, MergeConflict | RedMerge):
            self._check.refused(attempt)
        return merged

    async def compose(self, tip: str, candidate: Candidate) -> str | MergeConflict:
        """The candidate as a child of `tip`; nothing points to it yet."""
        attempt, message = candidate.attempt, self.message(candidate.task, candidate.attempt)
        repository, commit = self._context.repository, candidate.change.commit
        composed = await asyncio.to_thread(compose, repository, tip, attempt.base_commit, commit, message)
        return composed if isinstance(composed, MergeConflict) else composed.commit

    def is_verified(self, candidate: Candidate) -> bool:
        """Whether merging it upon the tip gives what was verified where it was done."""
        return candidate.attempt.base_commit == self.tip and not self._check.owes_more(candidate.attempt)

    async def passes(self, row: Sequence[Composed]) -> bool | None:
        """See `MergedCheck.passes`."""
        return await self._check.passes(row)

    async def judge(self, composed: Composed) -> RedMerge | bool:
        """See `MergedCheck.judge`."""
        return await self._check.judge(composed, self.tip)

    async def advance(self, composed: Composed) -> None:
        """The commit is the new tip, and its task is merged.

        The intent is journaled before the ref moves, so that a crash between the two is recognised (see `recovery`).
        """
        context, journal = self._context, self._context.stores.journal
        attempt, commit = composed.candidate.attempt, composed.commit
        journal.begin_merge(attempt.key, commit)
        await asyncio.to_thread(advance, context.repository, context.merged_ref, commit, self.tip)
        self.tip = commit
        self._merged.add(attempt.key)
        self._check.landed(composed)
        note = self._check.excuse_of(attempt)
        journal.end_attempt(
            attempt, AttemptState.SUCCEEDED, context.now(), task=TaskState.MERGED, commit=commit, note=note
        )

    def has(self, key: str) -> bool:
        """The attempt's work was merged here, whether or not the journal could be told."""
        return key in self._merged

    async def keep(self, attempt: AttemptRow, change: Change) -> str:
        """Work that was not merged lies on a branch of its own; the branch's name."""
        name = f"bursar/{attempt.key}"
        return await asyncio.to_thread(save_branch, self._context.repository, name, change.commit)

    def clear(self, attempt: AttemptRow) -> None:
        """The attempt's worktree is gone, and the git directory that it had to itself."""
        close_view(Path(attempt.directory) / VIEW_FOLDER)
        self._pool.remove(Path(attempt.worktree))

    def finish_merge(self, attempt: AttemptRow) -> bool:
        """The commit of a merge that was cut off is in the merged work; False if it is not one step ahead of it."""
        repository, commit = self._context.repository, attempt.commit or ""
        if not contains(repository, self.tip, commit):
            if not contains(repository, commit, self.tip):
                return False
            self._step_to(commit)
            self.tip = commit
        return True

    def _step_to(self, commit: str) -> None:
        """The merged work is at `commit`; whoever began this step may have made it just now."""
        context = self._context
        try:
            advance(context.repository, context.merged_ref, commit, self.tip)
        except BursarError:
            if read_ref(context.repository, context.merged_ref) != commit:
                raise

    @property
    def is_merging(self) -> bool:
        """Somebody has the turn."""
        return self._queue.turn.locked()

    async def close_plan(self, part: Part) -> None:
        """The plan's SUMMARY is in the merged work, or beside the plan where git does not know that."""
        async with self._queue.turn:
            self._move_to(close_plan(self._context, part, self.tip))

    async def archive(self, phases: Sequence[str]) -> None:
        """Their archives are in the merged work."""
        async with self._queue.turn:
            self._move_to(archive_phases(self._context, phases, self.tip))

    def _move_to(self, tip: str) -> None:
        """The tip has something more, of which no command has a say."""
        self.tip = tip
        self._check.moved(tip)

    def bring_home(self, *, is_done: bool) -> None:
        """The branch that the run started from has the merged work, or a branch of the run's own has."""
        self._pool.close()
        bring_home(self._context, self.tip, is_done=is_done)

    def message(self, task: Task, attempt: AttemptRow) -> str:
        """The commit's message: `feat(PLAN): NAME`, and which attempt made it."""
        name = " ".join(task.name.split())
        return f"feat({self._context.plan_of(task).id}): {name}\n\nBursar-Attempt: {attempt.key}\n"

    def _worktree(self, attempt: AttemptRow) -> Worktree:
        return worktree_of(self._context, attempt)
