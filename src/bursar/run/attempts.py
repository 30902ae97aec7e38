"""The way of one attempt: hold, journal, worktree, supervisor, settle, judge, verify, merge, learn."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bursar.errors import BursarError, StoreError, Superseded
from bursar.events import AttemptEnded, AttemptStarted, StartWarned
from bursar.journal import AttemptRow, AttemptState, TaskState
from bursar.ledger import Denial, Reservation, ReserveRequest
from bursar.plan import Task
from bursar.run.accounts import build_ended, observe
from bursar.run.attempt_holds import AttemptHolds
from bursar.run.attempt_rows import own_folder, plan_row
from bursar.run.context import RunContext
from bursar.run.continuing import Continuing, continued_by
from bursar.run.deletions import deletions_in_words, unasked_deletions
from bursar.run.executor import Executor, Standing
from bursar.run.holds import with_parts
from bursar.run.inheriting import Inheritance
from bursar.run.job_holds import find_short_budgets
from bursar.run.judgement import Judgement, judge
from bursar.run.kept import forget_kept, is_kept, keep_worktree
from bursar.run.launching import build_spec, define_task_budget, part_countings
from bursar.run.lessons import restore_lessons
from bursar.run.merge_queue import Refusal
from bursar.run.place import Place
from bursar.run.refused_merges import RefusedMerges
from bursar.run.settling import Settling
from bursar.supervision import Outcome, close_home
from bursar.verification import Verdict
from bursar.worktrees import Change

_TASK_STATE = {
    AttemptState.SUCCEEDED: TaskState.MERGED,
    AttemptState.FAILED: TaskState.FAILED,
    AttemptState.STOPPED: TaskState.STOPPED,
    AttemptState.INTERRUPTED: TaskState.PENDING,
}


_GIVEN_UP = Judgement(AttemptState.INTERRUPTED, "cancelled before it was verified")


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt whose hold and row are committed; nothing has been started."""

    row: AttemptRow
    reservation: Reservation


class Attempts:
    """Begins attempts and follows them to their end, for one run."""

    def __init__(self, context: RunContext, executor: Executor, place: Place, tried: dict[str, int]) -> None:
        """`tried`: how many attempts each task has had; the next one's number is one more."""
        self._context = context
        self._executor = executor
        self._place = place
        self._tried = tried
        self._open: dict[str, AttemptRow] = {}  # those that have begun and have not come to their end here
        self._is_stopping = False
        self._grace_seconds = 0.0
        self._is_for_good = False
        self._left_to_resume: list[tuple[Task, AttemptRow, Outcome | None, Change | None]] = []
        self._commands = context.commands
        self.refused = RefusedMerges(context)
        self.settling = Settling(context.stores.ledger, executor)
        self._inheritance = Inheritance(context)
        self._continuing = Continuing(context, place)
        self.holds = AttemptHolds(context, self._inheritance, self._continuing)

    def restore(self, rows: Sequence[AttemptRow]) -> None:
        """What attempts of earlier conductors have left is gone on with, and what they have met is told."""
        self.refused.restore(rows)
        tasks = {task.number: task for task in self._context.plan.tasks}
        restore_lessons(self._context, tasks, rows, self.refused.lesson_of)
        self._continuing.restore(rows)

    def begin(self, task: Task) -> Begun | Denial:
        """The hold is committed, then the attempt's row; or the budgets' refusal, and nothing has changed."""
        context, number = self._context, self._tried.get(task.number, 0) + 1
        key = f"{context.run.id}/{task.number}/{number}"
        define_task_budget(context, task)
        hold = self.holds.hold_for(task)
        if part_countings(context, task):
            hold = with_parts(hold)
        warnings = find_short_budgets(context, task, hold)
        answer = context.stores.ledger.reserve(
            ReserveRequest(
                key=key,
                labels=context.labels_of(task),
                amount=hold.amount,
                minimum=hold.minimum,
                attempt=number,
            )
        )
        if isinstance(answer, Denial):
            return answer
        for because in warnings:
            context.emit(StartWarned(task=task.number, name=task.title, because=because))
        self._tried[task.number] = number
        context.escalation.begun(task)
        self.holds.begun(key, hold)
        row = self._continuing.take(task, plan_row(context, self._place, task, key, number))
        Path(row.directory).mkdir(parents=True, exist_ok=True, mode=0o700)
        self._write_down(row)
        self._continuing.begun(row)
        self._open[key] = row
        return Begun(row, answer)

    def _write_down(self, row: AttemptRow) -> None:
        """The attempt's row is there.

        Raises:
            Superseded: somebody else conducts the run, and does not know of the hold: it is given back, unless it has
                become that of an attempt there.
        """
        stores = self._context.stores
        try:
            stores.journal.begin_attempt(row)
        except Superseded:
            if all(known.key != row.key for known in stores.journal.attempts(row.run_id)):
                stores.ledger.release(row.key)
            raise

    async def work(self, task: Task, begun: Begun) -> AttemptEnded:
        """The attempt from its worktree to its end."""
        row = begun.row
        self._context.emit(
            AttemptStarted(
                task=task.number,
                name=task.title,
                attempt=row.number,
                model=row.model,
                held_tokens=begun.reservation.held.tokens,
                inherited_bytes=len(self._inheritance.text_for(task).encode()),
            )
        )
        try:
            continued = continued_by(self._context, row)
            self._context.stores.journal.check_conducts()  # else a worktree may be that of somebody else's attempt
            await self._place.prepare(row, None if continued is None else continued.work_commit)
            obstacle = await self._pre_commands(task, row)
            if obstacle is not None:
                self.settling.abandon(row)
                return await self._end(task, row, None, None, obstacle)
            spec = build_spec(self._context, task, row, self._inheritance.text_for(task))
        except BursarError as error:
            self.settling.abandon(row)
            return await self._end(task, row, None, None, Judgement(AttemptState.FAILED, error.message))
        try:
            await self._executor.submit(spec)
        except BursarError as error:
            if self.settling.abandon(row):  # if not, it was begun, and only the answer was lost
                return await self._end(task, row, None, None, Judgement(AttemptState.INTERRUPTED, error.message))
        return await self.follow(task, row)

    async def follow(self, task: Task, row: AttemptRow) -> AttemptEnded:
        """Waits for the agent's end, whoever submitted the attempt, then settles, judges, verifies and merges."""
        self._open[row.key] = row
        if self._is_stopping:
            self._executor.cancel(row, grace_seconds=self._grace_seconds)
        outcome = await self.settling.settled(row)
        self._context.stores.journal.check_conducts()  # two who collect at once would be in each other's way
        try:
            change = await self._place.collect(task, row)
        except BursarError as error:
            return await self._end(task, row, outcome, None, Judgement(AttemptState.FAILED, keep_worktree(row, error)))
        forget_kept(row)  # an earlier conductor may have failed to collect it, and to say so
        try:
            judgement = self._judge(task, row, outcome, change)
            if judgement.state is AttemptState.SUCCEEDED:
                verified = await self._verify(task, row)
                if verified is None and not self._is_for_good:
                    return self._left(task, row, outcome, change)
                judgement = verified or _GIVEN_UP
            if judgement.state is AttemptState.SUCCEEDED and change is not None:
                merged = await self._place.merge(task, row, change)
                if merged is None and not self._is_for_good:
                    return self._left(task, row, outcome, change)
                if isinstance(merged, str):
                    return await self._end(task, row, outcome, change, judgement, commit=merged)
                judgement = _GIVEN_UP if merged is None else self._refused(row, merged)
        except StoreError:
            raise  # the journal could not be written: a resume goes on from here, and the task is not done twice
        except BursarError as error:
            if self._place.has(row.key):
                raise  # only the journal has not heard of it yet: a resume tells it
            judgement = Judgement(AttemptState.FAILED, error.message)
        return await self._end(task, row, outcome, change, judgement)

    async def discard(self, row: AttemptRow) -> None:
        """An attempt at a task that the plan has lost or changed since has ended; its work is on a branch."""
        self._executor.cancel(row)
        outcome = await self.settling.settled(row)
        note = "the plan has changed since it began"
        try:
            change = await self._place.collect(None, row)
        except BursarError as error:
            change, note = None, f"{note}; {keep_worktree(row, error)}"
        if change is not None:
            note += f"; its work is on branch {await self._place.keep(row, change)}"
        if outcome is None:
            note += "; its supervisor died, and what was held is charged"
        self._context.stores.journal.end_attempt(
            row, AttemptState.INTERRUPTED, self._context.now(), task=TaskState.PENDING, note=note
        )
        if not is_kept(row):
            await asyncio.to_thread(self._place.clear, row)

    def stop(self, *, for_good: bool = False, grace_seconds: float = 0.0) -> None:
        """Every agent is told to stop, and every verify command is: their attempts end soon, as interrupted.

        It may be said again, with less grace, or for good.

        Args:
            for_good: work that waits for its verification is put on a branch: no resume will verify it.
            grace_seconds: agents that can be told to wrap up have so long for that.
        """
        self._is_stopping, self._is_for_good, self._grace_seconds = True, for_good, grace_seconds
        for row in self._open.values():
            with suppress(OSError):  # a full disk: one that was not begun yet is told as soon as it is
                self._executor.cancel(row, grace_seconds=grace_seconds)
        self._commands.stop()

    def let_go(self) -> None:
        """Whatever was begun is for others to follow; commands that run in its worktrees end."""
        self._commands.stop()

    def clear_cancelled(self) -> None:
        """Nothing is left of what was made here for attempts that others have cancelled: they looked before.

        The worktree of an earlier attempt, in which one was to go on, is theirs.
        """
        for row in self._open.values():
            is_own = row.worktree == own_folder(self._context, self._place, row.task, row.number)
            if is_own and self._executor.status(row).standing is Standing.CANCELLED:
                self._place.clear(row)

    async def _pre_commands(self, task: Task, row: AttemptRow) -> Judgement | None:
        """The instance's commands have run where its agent is to work; None if nothing is in the agent's way."""
        instance = self._context.instances.get(task.number)
        if instance is None or not instance.pre_commands:
            return None
        verdict = await self._commands.run(instance.pre_commands, row)
        if verdict is None:
            return Judgement(AttemptState.INTERRUPTED, "stopped on request")
        if verdict.passed:
            return None
        return Judgement(AttemptState.FAILED, verdict.explain("pre-command"))

    async def _verify(self, task: Task, row: AttemptRow) -> Judgement | None:
        """The judgement after the verify commands; None if they were stopped before they could say anything."""
        verdict = await self._commands.run(task.commands, row) if task.commands else Verdict()
        if verdict is None:
            return None
        return Judgement(AttemptState.SUCCEEDED if verdict.passed else AttemptState.FAILED, verdict.reason)

    async def _end(
        self,
        task: Task,
        row: AttemptRow,
        outcome: Outcome | None,
        change: Change | None,
        judgement: Judgement,
        *,
        commit: str | None = None,
    ) -> AttemptEnded:
        """The outcome is journaled, observed and told; the worktree is gone, and work that was not merged is kept."""
        branch = None
        if commit is None:
            if change is not None and judgement.state is not AttemptState.SUCCEEDED:
                branch = await self._place.keep(row, change)
            if judgement.state in (AttemptState.STOPPED, AttemptState.INTERRUPTED):
                self._continuing.leave(task, row, outcome, change, judgement.left)
            else:
                self._continuing.forget(task)
            note = judgement.reason + (f"; its work is on branch {branch}" if branch else "")
            self._context.stores.journal.end_attempt(
                row, judgement.state, self._context.now(), task=_TASK_STATE[judgement.state], note=note
            )
        seen = await asyncio.to_thread(observe, self._context, task, row, outcome, judgement)
        if seen is not None:
            self.holds.learn(seen)
        self._open.pop(row.key, None)
        self.holds.ended(row.key)
        if not is_kept(row):
            await asyncio.to_thread(self._place.clear, row)
        close_home(Path(row.directory))  # its supervisor does it, unless it was killed
        ended = build_ended(self._context, task, row, outcome, judgement, commit=commit, branch=branch)
        self._context.emit(ended)
        return ended

    def _refused(self, row: AttemptRow, refusal: Refusal) -> Judgement:
        return Judgement(AttemptState.FAILED, self.refused.add(row, refusal, self._place.tip))

    async def give_up(self) -> None:
        """No resume will go on with what was left for one: it is on branches."""
        while self._left_to_resume:
            await self._end(*self._left_to_resume.pop(0), _GIVEN_UP)

    def _left(self, task: Task, row: AttemptRow, outcome: Outcome | None, change: Change | None) -> AttemptEnded:
        """The work is done and paid for, not verified: the attempt stays as it is, and a resume goes on from here."""
        self._left_to_resume.append((task, row, outcome, change))
        judgement = Judgement(AttemptState.INTERRUPTED, "stopped before it was verified; a resume goes on from here")
        self._open.pop(row.key, None)
        self.holds.ended(row.key)
        ended = build_ended(self._context, task, row, outcome, judgement)
        self._context.emit(ended)
        return ended

    def _judge(self, task: Task, row: AttemptRow, outcome: Outcome | None, change: Change | None) -> Judgement:
        if outcome is None and self._executor.status(row).standing is Standing.CANCELLED:
            return Judgement(AttemptState.INTERRUPTED, "its supervisor died before it started the agent")
        judgement = judge(task, outcome, len(change.files) if change else 0)
        if judgement.state is AttemptState.SUCCEEDED and change and (paths := unasked_deletions(task, change.deleted)):
            return Judgement(AttemptState.FAILED, deletions_in_words(paths))
        return judgement
