"""The run's merged work: one ref, one commit per task, moved by one attempt at a time."""

from __future__ import annotations

import asyncio

from bursar.journal import AttemptRow, AttemptState, TaskState
from bursar.plan import Task
from bursar.run.context import RunContext
from bursar.worktrees import Change, MergeConflict, advance, compose, save_branch


class MergedWork:
    """The tip of what was merged so far. New attempts start from it."""

    def __init__(self, context: RunContext, tip: str) -> None:
        self._context = context
        self._turn = asyncio.Lock()
        self._merged: set[str] = set()
        self.tip = tip

    async def merge(self, task: Task, attempt: AttemptRow, change: Change) -> str | MergeConflict:
        """The change is the new tip, the journal says so, and the task is merged; the commit's id.

        On a conflict nothing has moved. The intent is journaled before the ref moves, so that a crash between the two
        is recognised (see `recovery`).
        """
        context, journal = self._context, self._context.stores.journal
        async with self._turn:
            composed = await asyncio.to_thread(
                compose, context.repository, self.tip, attempt.base_commit, change.commit, self.message(task, attempt)
            )
            if isinstance(composed, MergeConflict):
                return composed
            journal.begin_merge(attempt.key, composed.commit)
            await asyncio.to_thread(advance, context.repository, context.merged_ref, composed.commit, self.tip)
            self.tip = composed.commit
            self._merged.add(attempt.key)
            journal.end_attempt(
                attempt, AttemptState.SUCCEEDED, context.now(), task=TaskState.MERGED, commit=composed.commit, note=""
            )
        return composed.commit

    def has(self, key: str) -> bool:
        """The attempt's work was merged here, whether or not the journal could be told."""
        return key in self._merged

    async def keep(self, attempt: AttemptRow, change: Change) -> str:
        """Work that was not merged lies on a branch of its own; the branch's name."""
        name = f"bursar/{attempt.key}"
        return await asyncio.to_thread(save_branch, self._context.repository, name, change.commit)

    def message(self, task: Task, attempt: AttemptRow) -> str:
        """The commit's message: `feat(PLAN): NAME`, and which attempt made it."""
        name = " ".join(task.name.split())
        return f"feat({self._context.plan.id}): {name}\n\nBursar-Attempt: {attempt.key}\n"
