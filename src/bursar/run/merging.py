"""The run's merged work: one ref, one commit per task, moved by one attempt at a time. A plan's `place.Place`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bursar.errors import BursarError
from bursar.journal import AttemptRow, AttemptState, TaskState
from bursar.plan import Part, Task
from bursar.run.context import RunContext
from bursar.run.finish import bring_home, close_plan
from bursar.run.phase_context import archive_phases
from bursar.worktrees import (
    Change,
    MergeConflict,
    Worktree,
    advance,
    commit_work,
    compose,
    contains,
    create,
    remove,
    save_branch,
)


class MergedWork:
    """The tip of what was merged so far. New attempts start from it, each in a worktree of its own."""

    def __init__(self, context: RunContext, tip: str) -> None:
        self._context = context
        self._turn = asyncio.Lock()
        self._merged: set[str] = set()
        self.tip = tip

    def folder_of(self, attempt: str) -> Path:
        """Where the worktree of an attempt of this name is made."""
        return self._context.directory / "worktrees" / attempt

    def can_go_on(self, base: str, work: str | None) -> bool:
        """Whether the base is still in the merged work, and git still has the changes."""
        repository = self._context.repository
        try:
            return contains(repository, self.tip, base) and (work is None or contains(repository, work, base))
        except BursarError:
            return False

    async def prepare(self, attempt: AttemptRow, work: str | None = None) -> None:
        """The attempt's worktree stands, at the commit that it starts from; the changes of `work` lie in it."""
        await asyncio.to_thread(create, self._context.repository, Path(attempt.worktree), attempt.base_commit, work)

    async def collect(self, task: Task | None, attempt: AttemptRow) -> Change | None:
        """What the agent left in its worktree, as a commit; None if that is nothing, or if the worktree is gone."""
        worktree = self._worktree(attempt)
        if not worktree.path.exists():
            return None
        was = f"Work on task {attempt.task} as it was\n\nBursar-Attempt: {attempt.key}\n"
        message = was if task is None else self.message(task, attempt)
        return await asyncio.to_thread(commit_work, self._context.repository, worktree, message)

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

    def clear(self, attempt: AttemptRow) -> None:
        """The attempt's worktree is gone."""
        remove(self._context.repository, Path(attempt.worktree))

    def finish_merge(self, attempt: AttemptRow) -> bool:
        """The commit of a merge that was cut off is in the merged work; False if it is not one step ahead of it."""
        repository, commit = self._context.repository, attempt.commit or ""
        if not contains(repository, self.tip, commit):
            if not contains(repository, commit, self.tip):
                return False
            advance(repository, self._context.merged_ref, commit, self.tip)
            self.tip = commit
        return True

    async def close_plan(self, part: Part) -> None:
        """The plan's SUMMARY is in the merged work, or beside the plan where git does not know that."""
        async with self._turn:
            self.tip = close_plan(self._context, part, self.tip)

    async def archive(self, phases: Sequence[str]) -> None:
        """Their archives are in the merged work."""
        async with self._turn:
            self.tip = archive_phases(self._context, phases, self.tip)

    def bring_home(self, *, is_done: bool) -> None:
        """The branch that the run started from has the merged work, or a branch of the run's own has."""
        bring_home(self._context, self.tip, is_done=is_done)

    def message(self, task: Task, attempt: AttemptRow) -> str:
        """The commit's message: `feat(PLAN): NAME`, and which attempt made it."""
        name = " ".join(task.name.split())
        return f"feat({self._context.plan_of(task).id}): {name}\n\nBursar-Attempt: {attempt.key}\n"

    def _worktree(self, attempt: AttemptRow) -> Worktree:
        path = Path(attempt.worktree)
        return Worktree(path, self._context.repository.common_dir / "worktrees" / path.name, attempt.base_commit)
