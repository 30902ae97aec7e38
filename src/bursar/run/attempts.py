"""The way of one attempt: hold, journal, worktree, supervisor, settle, judge, verify, merge, learn."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

from bursar.budget import Amount
from bursar.errors import BursarError
from bursar.estimation import estimate
from bursar.events import AttemptEnded, AttemptStarted
from bursar.journal import AttemptRow, AttemptState, TaskState
from bursar.ledger import Denial, Reservation, ReserveRequest, State
from bursar.plan import Task
from bursar.processes import kill_marked
from bursar.run.accounts import build_ended, observe
from bursar.run.context import RunContext
from bursar.run.holds import Hold, choose_hold, with_parts
from bursar.run.judgement import Judgement, judge
from bursar.run.launching import build_spec, define_task_budget, part_countings
from bursar.run.merging import MergedWork
from bursar.run.supervisors import Supervisors
from bursar.supervision import (
    ABANDONED,
    MARK,
    VERIFY_LOG,
    Ending,
    Outcome,
    claim,
    close_home,
    read_claim,
    read_outcome,
)
from bursar.verification import Verdict, Verification
from bursar.worktrees import Change, MergeConflict, Worktree, commit_work, create, remove

_TASK_STATE = {
    AttemptState.SUCCEEDED: TaskState.MERGED,
    AttemptState.FAILED: TaskState.FAILED,
    AttemptState.STOPPED: TaskState.STOPPED,
    AttemptState.INTERRUPTED: TaskState.PENDING,
}


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt whose hold and row are committed; nothing has been started."""

    row: AttemptRow
    reservation: Reservation


class Attempts:
    """Begins attempts and follows them to their end, for one run."""

    def __init__(
        self, context: RunContext, supervisors: Supervisors, merged: MergedWork, tried: dict[str, int]
    ) -> None:
        """`tried`: how many attempts each task has had; the next one's number is one more."""
        self._context = context
        self._supervisors = supervisors
        self._merged = merged
        self._tried = tried
        self._holds: dict[str, Hold] = {}
        self._verifications: set[Verification] = set()
        self._is_stopping = False

    def hold_for(self, task: Task) -> Hold:
        """What an attempt at `task` would ask the ledger to hold."""
        if task.number not in self._holds:
            self._holds[task.number] = choose_hold(
                estimate(task),
                task.metrics.token_budget,
                self._context.settings.default_hold_tokens,
                rates=self._context.rates,
                model=self._model(task),
            )
        return self._holds[task.number]

    def begin(self, task: Task) -> Begun | Denial:
        """The hold is committed, then the attempt's row; or the budgets' refusal, and nothing has changed."""
        context, number = self._context, self._tried.get(task.number, 0) + 1
        key = f"{context.run.id}/{task.number}/{number}"
        define_task_budget(context, task)
        hold = self.hold_for(task)
        if part_countings(context, task):
            hold = with_parts(hold)
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
        self._tried[task.number] = number
        row = self._row(task, key, number)
        Path(row.directory).mkdir(parents=True, exist_ok=True, mode=0o700)
        context.stores.journal.begin_attempt(row)
        return Begun(row, answer)

    async def work(self, task: Task, begun: Begun) -> AttemptEnded:
        """The attempt from its worktree to its end."""
        row = begun.row
        self._context.emit(
            AttemptStarted(
                task=task.number,
                name=task.name,
                attempt=row.number,
                model=row.model,
                held_tokens=begun.reservation.held.tokens,
            )
        )
        try:
            await asyncio.to_thread(create, self._context.repository, Path(row.worktree), row.base_commit)
            spec = build_spec(self._context, task, row)
        except BursarError as error:
            self.abandon(row)
            return await self._end(task, row, None, None, Judgement(AttemptState.FAILED, error.message))
        try:
            await self._supervisors.start(spec)
        except BursarError as error:
            if self.abandon(row):  # if not, a spawner started one and died before it could say so
                return await self._end(task, row, None, None, Judgement(AttemptState.INTERRUPTED, error.message))
        return await self.follow(task, row)

    async def follow(self, task: Task, row: AttemptRow) -> AttemptEnded:
        """Waits for the supervisor, whoever started it, then settles, judges, verifies and merges."""
        outcome = await self._settled(row)
        change: Change | None = None
        try:
            change = await self._collect(task, row)
            judgement = _judge(task, row, outcome, len(change.files) if change else 0)
            if judgement.state is AttemptState.SUCCEEDED:
                verified = await self._verify(task, row)
                if verified is None:
                    return self._left(task, row, outcome)
                judgement = verified
            if judgement.state is AttemptState.SUCCEEDED and change is not None:
                merged = await self._merged.merge(task, row, change)
                if isinstance(merged, MergeConflict):
                    judgement = Judgement(AttemptState.FAILED, f"merge conflict in {', '.join(merged.files)}")
                else:
                    return await self._end(task, row, outcome, change, judgement, commit=merged)
        except BursarError as error:
            if self._merged.has(row.key):
                raise  # only the journal has not heard of it yet: a resume tells it, and the task is not done twice
            judgement = Judgement(AttemptState.FAILED, error.message)
        return await self._end(task, row, outcome, change, judgement)

    async def discard(self, row: AttemptRow) -> None:
        """An attempt at a task that the plan has lost or changed since has ended; its work is on a branch."""
        self._supervisors.stop(row.key)
        outcome = await self._settled(row)
        note, worktree = "the plan has changed since it began", self._worktree(row)
        if worktree.path.exists():
            message = f"Work on task {row.task} as it was\n\nBursar-Attempt: {row.key}\n"
            change = await asyncio.to_thread(commit_work, self._context.repository, worktree, message)
            if change is not None:
                note += f"; its work is on branch {await self._merged.keep(row, change)}"
        if outcome is None:
            note += "; its supervisor died, and what was held is charged"
        self._context.stores.journal.end_attempt(
            row, AttemptState.INTERRUPTED, self._context.now(), task=TaskState.PENDING, note=note
        )
        await asyncio.to_thread(remove, self._context.repository, worktree.path)

    def stop(self) -> None:
        """Every agent is told to stop, and every verify command is: their attempts end soon, as interrupted."""
        self._is_stopping = True
        self._supervisors.stop_all()
        for verification in self._verifications:
            verification.stop()

    def settle(self, row: AttemptRow, outcome: Outcome | None) -> None:
        """The hold has ended one way or the other. The supervisor has usually done it; if it died, this does.

        Without an outcome nobody knows what was spent: what was held is charged.
        """
        ledger = self._context.stores.ledger
        reservation = ledger.reservation(row.key)
        if reservation is None or reservation.state is not State.HELD:
            return
        if outcome is None:
            kill_marked(MARK, row.key)
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
        """No supervisor will ever start this attempt, and its hold is given back; False if one has claimed it."""
        Path(row.directory).mkdir(parents=True, exist_ok=True, mode=0o700)  # a power cut may have lost it, not the row
        if claim(Path(row.directory), ABANDONED) not in {None, ABANDONED}:
            return False
        reservation = self._context.stores.ledger.reservation(row.key)
        if reservation is not None and reservation.state is State.HELD:
            self._context.stores.ledger.release(row.key)
        return True

    async def _settled(self, row: AttemptRow) -> Outcome | None:
        """The attempt's outcome, once no supervisor works on it any more and its hold has ended."""
        directory = Path(row.directory)
        while True:
            await self._supervisors.ended(row.key)
            by = read_claim(directory)
            if by in {None, ABANDONED} and self.abandon(row):
                return None  # a supervisor that died before it claimed has started nothing
            if by is not None and not self._supervisors.adopt(row.key, by):
                break  # else the one that claimed the attempt is another than we started
        outcome = read_outcome(directory)
        self.settle(row, outcome)
        return outcome

    async def _collect(self, task: Task, row: AttemptRow) -> Change | None:
        """What the agent left in its worktree, as a commit, before verify commands leave traces of their own."""
        worktree = self._worktree(row)
        if not worktree.path.exists():
            return None
        message = self._merged.message(task, row)
        return await asyncio.to_thread(commit_work, self._context.repository, worktree, message)

    async def _verify(self, task: Task, row: AttemptRow) -> Judgement | None:
        """The judgement after the verify commands; None if they were stopped before they could say anything."""
        context = self._context
        verification = Verification(
            task.commands,
            Path(row.worktree),
            environment={**context.environment, MARK: row.key},
            limit_seconds=context.settings.verify_limit_seconds,
            clock=context.clock,
        )
        self._verifications.add(verification)
        if self._is_stopping and task.commands:
            verification.stop()
        try:
            verdict = await asyncio.to_thread(_run_alone, verification, row.key) if task.commands else Verdict()
        finally:
            self._verifications.discard(verification)
        if verification.is_stopped:
            return None
        if verdict.passed:
            return Judgement(AttemptState.SUCCEEDED)
        tail = verdict.results[-1].output_tail
        (Path(row.directory) / VERIFY_LOG).write_text(tail, encoding="utf-8")
        return Judgement(AttemptState.FAILED, verdict.reason)

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
                branch = await self._merged.keep(row, change)
            note = judgement.reason + (f"; its work is on branch {branch}" if branch else "")
            self._context.stores.journal.end_attempt(
                row, judgement.state, self._context.now(), task=_TASK_STATE[judgement.state], note=note
            )
        await asyncio.to_thread(observe, self._context, task, row, outcome, judgement)
        await asyncio.to_thread(remove, self._context.repository, Path(row.worktree))
        close_home(Path(row.directory))  # its supervisor does it, unless it was killed
        ended = build_ended(self._context, task, row, outcome, judgement, commit=commit, branch=branch)
        self._context.emit(ended)
        return ended

    def _left(self, task: Task, row: AttemptRow, outcome: Outcome | None) -> AttemptEnded:
        """The work is done and paid for, not verified: the attempt stays as it is, and a resume goes on from here."""
        judgement = Judgement(AttemptState.INTERRUPTED, "stopped before it was verified; a resume goes on from here")
        ended = build_ended(self._context, task, row, outcome, judgement)
        self._context.emit(ended)
        return ended

    def _row(self, task: Task, key: str, number: int) -> AttemptRow:
        context = self._context
        name = f"{context.run.id}-{_safe(task.number)}-{number}"
        return AttemptRow(
            key=key,
            run_id=context.run.id,
            task=task.number,
            number=number,
            model=self._model(task),
            directory=str(context.directory / "attempts" / f"{_safe(task.number)}-{number}"),
            worktree=str(context.directory / "worktrees" / name),
            base_commit=self._merged.tip,
            session_id=context.ids.new_uuid(),
            state=AttemptState.PLANNED,
            started_at=context.now(),
            digest=task.digest,
        )

    def _worktree(self, row: AttemptRow) -> Worktree:
        path = Path(row.worktree)
        return Worktree(path, self._context.repository.common_dir / "worktrees" / path.name, row.base_commit)

    def _model(self, task: Task) -> str:
        return self._context.model_of(task)


def _judge(task: Task, row: AttemptRow, outcome: Outcome | None, changed_files: int) -> Judgement:
    if outcome is None and read_claim(Path(row.directory)) == ABANDONED:
        return Judgement(AttemptState.INTERRUPTED, "its supervisor died before it started the agent")
    return judge(task, outcome, changed_files)


def _run_alone(verification: Verification, key: str) -> Verdict:
    """The verdict, with nothing of the attempt running beside the commands (a dead conductor may have left some), or
    after them (a daemon in a session of its own)."""
    kill_marked(MARK, key)
    verdict = verification.run()
    kill_marked(MARK, key)
    return verdict


def _safe(number: str) -> str:
    """A task's number as part of a folder's name; two numbers never become the same name."""
    plain = "".join(character if character.isascii() and character.isalnum() else "_" for character in number)[:32]
    return plain if plain == number else f"{plain}-{hashlib.sha256(number.encode()).hexdigest()[:8]}"
