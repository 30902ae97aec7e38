"""The conductor: starts what is ready and can be paid for, follows it to its end, and brings the work home.

It knows the order and the slots; the money is the ledger's, the agents are their supervisors'.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from bursar.budget import Alert, title_of
from bursar.errors import BursarError
from bursar.events import AlertFired, AttemptEnded, AttemptStarted, RunStarted, TaskRerouted, TaskSkipped, TaskWaited
from bursar.journal import AttemptRow, RunState, TaskState
from bursar.ledger import Denial
from bursar.plan import Task
from bursar.run.accounts import alerts_of_run, charged_budgets, other_budgets
from bursar.run.attempts import Attempts
from bursar.run.context import RunContext
from bursar.run.escalation import Escalated
from bursar.run.place import Place
from bursar.run.recovery import Left, recover
from bursar.run.retrying import attempt_of, is_about_dollars, may_go_on, read_lesson, restore_routes, takes_too_much
from bursar.run.scheduler import Scheduler
from bursar.run.supervisors import Supervisors

_WATCH_SECONDS = 1.0
_OF_TASKS = frozenset({"task", "instance", "model", "command"})  # labels in which tasks of one run may differ


@dataclass(slots=True)
class _Progress:
    """What the loop keeps in mind between two looks at its tasks."""

    running: dict[asyncio.Task[AttemptEnded], Task] = field(default_factory=dict)
    denials: dict[str, Denial] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    outcomes: set[str] = field(default_factory=set)
    charged: set[str] = field(default_factory=set)
    alerts_told: set[tuple[str, str, int]] = field(default_factory=set)
    adopted: set[str] = field(default_factory=set)
    next_start_at: float = 0.0
    is_delayed: bool = False


class Conductor:
    """Conducts one run, once."""

    def __init__(self, context: RunContext, place: Place, tried: dict[str, int], done: Sequence[str]) -> None:
        """`tried`: attempts that each task has had; `done`: tasks that are merged already."""
        self._context = context
        self._place = place
        self._tasks = {task.number: task for task in context.plan.tasks}
        self._scheduler = Scheduler(context.graph, done=done)
        self._done = set(done)
        self._supervisors = Supervisors(context.directory / "spawner.log")
        self._attempts = Attempts(context, self._supervisors, place, tried)
        self._progress = _Progress()
        self._stop = asyncio.Event()

    def request_stop(self) -> None:
        """Nothing new starts and every agent is told to stop; safe to call from a signal handler of the loop."""
        if not self._stop.is_set():
            self._stop.set()
            self._attempts.stop()

    async def conduct(self, rows: Sequence[AttemptRow]) -> RunState:
        """The run is at its end, for now at least: the checkout has what was merged and the journal says how it went.

        Args:
            rows: attempts of earlier conductors of this run.
        """
        context = self._context
        context.emit(
            RunStarted(
                run_id=context.run.id,
                plan_id=context.plan.id,
                tasks=len(self._tasks),
                done_before=len(self._done),
                max_parallel=context.settings.max_parallel,
                limit=context.run.limit,
                budgets=other_budgets(context),
            )
        )
        self._progress.charged = charged_budgets(context)
        self._progress.alerts_told = {_identity(alert) for alert in alerts_of_run(context, self._progress.charged)}
        async with self._supervisors:
            recovered = recover(context, self._attempts, self._place, self._supervisors, rows)
            for number in recovered.merged:
                self._finish(number)
            for left in recovered.left:
                if context.is_current(left.row):
                    self._adopt(left)
                else:
                    await self._attempts.discard(left.row)
            restore_routes(context, self._tasks, rows)
            try:
                await self._work()
            except BaseException:
                self.request_stop()
                await asyncio.gather(*self._progress.running, return_exceptions=True)
                self._save_what_was_merged()
                raise
        self._tell_what_remains()
        state = self._state()
        self._place.bring_home(is_done=state is RunState.SUCCEEDED)
        context.stores.journal.end_run(context.run.id, state, context.now())
        return state

    def _save_what_was_merged(self) -> None:
        """The checkout has it, though the run cannot go on; where that fails too, the run's ref keeps it."""
        with suppress(BursarError, OSError):
            self._place.bring_home(is_done=False)

    async def _work(self) -> None:
        """Offers are made again when an attempt has ended (nothing else frees a slot, a task or money), and when the
        time between two starts is over."""
        self._start_ready()
        while self._progress.running or self._progress.is_delayed:
            ended = await self._wait()
            for attempt in ended:
                self._take(self._progress.running.pop(attempt), attempt.result())
            self._tell_alerts()
            if ended or self._progress.is_delayed:
                self._start_ready()

    async def _wait(self) -> set[asyncio.Task[AttemptEnded]]:
        """The attempts that have ended; after a while, or when the next may start, nobody may have."""
        progress = self._progress
        delay = progress.next_start_at - self._context.clock.monotonic() if progress.is_delayed else _WATCH_SECONDS
        seconds = min(_WATCH_SECONDS, max(0.0, delay))
        if not progress.running:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), seconds)
            return set()
        ended, _ = await asyncio.wait(progress.running, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return ended

    def _start_ready(self) -> None:
        """Fills the free slots. A denied task waits for money to come back; others that need less may pass it."""
        self._progress.denials.clear()
        self._progress.is_delayed = False
        for number in self._scheduler.offers():
            if self._stop.is_set() or len(self._progress.running) >= self._context.settings.max_parallel:
                return
            task = self._tasks[number]
            if task.is_checkpoint:
                if self._passes_checkpoint(task):
                    self._start_ready()  # what waited for it may be ready now
                    return
            elif self._context.clock.monotonic() < self._progress.next_start_at:
                self._progress.is_delayed = True
            elif not self._is_hopeless(task) and self._attempts.may_begin(task):
                self._start(task)

    def _start(self, task: Task) -> None:
        self._keep_modest(task)
        begun = self._attempts.begin(task)
        while isinstance(begun, Denial) and self._context.settings.downgrades and is_about_dollars(begun):
            escalated = self._context.escalation.downgrade(task)
            if escalated is None:
                break
            self._reroute(task, escalated)
            begun = self._attempts.begin(task)
        if isinstance(begun, Denial):
            self._progress.denials[task.number] = begun
            return
        self._progress.next_start_at = self._context.clock.monotonic() + self._context.settings.startup_delay_seconds
        self._progress.charged.update(begun.reservation.budgets)
        self._scheduler.started(task.number)
        self._progress.running[asyncio.create_task(self._attempts.work(task, begun))] = task

    def _is_hopeless(self, task: Task) -> bool:
        """Whether a task that asks for no more was just denied by a budget that all tasks share."""
        minimum = self._attempts.hold_for(task).minimum
        return any(
            minimum.tokens >= self._attempts.hold_for(self._tasks[number]).minimum.tokens
            and any(_OF_TASKS.isdisjoint(shortfall.balance.budget.selector) for shortfall in denial.shortfalls)
            for number, denial in self._progress.denials.items()
        )

    def _adopt(self, left: Left) -> None:
        task = self._tasks[left.row.task]
        if left.is_running:
            self._context.emit(
                AttemptStarted(
                    task=task.number,
                    name=task.name,
                    attempt=left.row.number,
                    model=left.row.model,
                    held_tokens=0,
                    adopted=True,
                )
            )
        self._scheduler.started(task.number)
        self._progress.adopted.add(task.number)
        self._context.stores.journal.set_task(self._context.run.id, task.number, TaskState.RUNNING)
        self._progress.running[asyncio.create_task(self._attempts.follow(task, left.row))] = task

    def _passes_checkpoint(self, task: Task) -> bool:
        """Whether the checkpoint needs no person; one that does is told of once, and waits."""
        kind = task.type.partition(":")[2]
        if kind in self._context.settings.auto_approved:
            self._finish(task.number)
            self._context.stores.journal.set_task(
                self._context.run.id, task.number, TaskState.MERGED, note="approved without a person"
            )
            return True
        if task.number not in self._progress.waiting:
            self._progress.waiting.add(task.number)
            because = f"a person must act: bursar approve {self._context.run.id} {task.number}"
            self._context.stores.journal.set_task(self._context.run.id, task.number, TaskState.WAITING, note=because)
            self._context.emit(TaskWaited(task=task.number, name=task.name or task.type, because=because))
        return False

    def _take(self, task: Task, ended: AttemptEnded) -> None:
        is_adopted = task.number in self._progress.adopted
        self._progress.adopted.discard(task.number)
        if ended.outcome == "interrupted" and is_adopted and not self._stop.is_set():
            self._scheduler.reopened(task.number)  # an earlier conductor's: we were asked to do what is missing
            return
        if self._starts_afresh(task, ended) or self._goes_on_elsewhere(task, ended) or self._asks_person(task, ended):
            return
        self._progress.outcomes.add(ended.outcome)
        if ended.outcome == "succeeded":
            self._finish(task.number)
            return
        for skipped in self._scheduler.failed(task.number):
            if ended.outcome == "interrupted":
                continue  # nothing went wrong: a resume does it, and what waits for it
            because = f"it depends on task {skipped.because}"
            self._context.stores.journal.set_task(self._context.run.id, skipped.task, TaskState.SKIPPED, note=because)
            self._context.emit(TaskSkipped(task=skipped.task, name=self._tasks[skipped.task].name, because=because))

    def _starts_afresh(self, task: Task, ended: AttemptEnded) -> bool:
        """Whether the task, whose work could not be merged, is on offer again, from what is merged now."""
        if self._stop.is_set() or not self._attempts.refused.is_to_be_repeated(task, ended):
            return False
        self._scheduler.reopened(task.number)
        self._reroute(task, Escalated(self._context.model_of(task), "starts afresh from what is merged now"))
        return True

    def _asks_person(self, task: Task, ended: AttemptEnded) -> bool:
        """Whether a person has to merge the task's work; what depends on it waits, too."""
        because = self._attempts.refused.ask_person(task, ended)
        if because is None:
            return False
        self._scheduler.failed(task.number)
        self._context.stores.journal.set_task(self._context.run.id, task.number, TaskState.WAITING, note=because)
        self._context.emit(TaskWaited(task=task.number, name=task.name, because=because))
        return True

    def _goes_on_elsewhere(self, task: Task, ended: AttemptEnded) -> bool:
        """Whether the task, whose attempt has failed or has reached its cap, is on offer again, on another route."""
        if self._stop.is_set() or not may_go_on(self._context, task, ended):
            return False
        lesson = "" if self._context.settings.max_attempts == 1 else read_lesson(self._context, task, ended)
        escalated = self._context.escalation.escalate(task, ended.note, lesson, attempt_of(self._context, task, ended))
        if escalated is None:
            return False
        self._scheduler.reopened(task.number)
        self._reroute(task, escalated)
        return True

    def _keep_modest(self, task: Task) -> None:
        """A task that would take too much of what remains begins one tier down, if that takes little enough."""
        escalation, tier = self._context.escalation, self._context.escalation.tier_of(task)
        if not self._context.settings.downgrades or not takes_too_much(self._context, task, self._attempts.hold_for):
            return
        escalated = escalation.downgrade(task)
        if escalated is None:
            return
        if takes_too_much(self._context, task, self._attempts.hold_for):
            escalation.restore(task, tier)
        else:
            self._reroute(task, escalated)

    def _reroute(self, task: Task, escalated: Escalated) -> None:
        journal, because = self._context.stores.journal, escalated.because
        journal.set_task(self._context.run.id, task.number, TaskState.PENDING, note=because)
        self._context.emit(
            TaskRerouted(task=task.number, name=task.name, model=escalated.model, because=escalated.because)
        )

    def _finish(self, number: str) -> None:
        if number in self._tasks and number not in self._done:
            self._scheduler.done(number)
            self._done.add(number)

    def _tell_alerts(self) -> None:
        for alert in alerts_of_run(self._context, self._progress.charged):
            if _identity(alert) not in self._progress.alerts_told:
                self._context.emit(AlertFired(level=alert.level, message=alert.message, at=alert.at.isoformat()))
                self._progress.alerts_told.add(_identity(alert))

    def _tell_what_remains(self) -> None:
        """Tasks that were ready but could not be paid for are named, with the budgets that said no."""
        self._tell_alerts()
        shortfalls = [shortfall for denial in self._progress.denials.values() for shortfall in denial.shortfalls]
        names = ", ".join(sorted({title_of(shortfall.balance.budget.name) for shortfall in shortfalls}))
        for number in self._scheduler.ready() if shortfalls else ():
            task = self._tasks[number]
            if task.is_checkpoint:
                continue
            is_unpriced = any(shortfall.wanted is None for shortfall in shortfalls)
            because = f"budget {names} " + ("refuses a cost that is unknown" if is_unpriced else "has no room for it")
            self._context.stores.journal.set_task(self._context.run.id, number, TaskState.STOPPED, note=because)
            self._context.emit(TaskWaited(task=number, name=task.name, because=because))

    def _state(self) -> RunState:
        if len(self._done) == len(self._tasks):
            return RunState.SUCCEEDED
        outcomes = self._progress.outcomes
        if self._stop.is_set():
            return RunState.INTERRUPTED
        if self._progress.denials or "stopped" in outcomes:
            return RunState.STOPPED
        if "failed" in outcomes:
            return RunState.FAILED
        return RunState.INTERRUPTED


def _identity(alert: Alert) -> tuple[str, str, int]:
    return alert.budget, alert.period_id, alert.percent
