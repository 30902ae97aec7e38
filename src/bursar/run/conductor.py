"""The conductor: starts what is ready and can be paid for, follows it to its end, and brings the work home.

It carries out what `dispatch` says is next, and tells it what came of that; the money is the ledger's, the agents are
their supervisors'.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from bursar.budget import Alert, title_of
from bursar.errors import BursarError
from bursar.events import (
    AlertFired,
    AttemptEnded,
    AttemptStarted,
    CheckpointPassed,
    RequestTaken,
    RunStarted,
    TaskRerouted,
    TaskSkipped,
    TaskWaited,
)
from bursar.journal import AttemptRow, Request, RequestKind, RunState, TaskState
from bursar.ledger import Denial
from bursar.plan import Task
from bursar.run.accounts import alerts_of_run, other_budgets
from bursar.run.attempts import Attempts
from bursar.run.checkpoints import Checkpoints
from bursar.run.context import RunContext
from bursar.run.dispatch import Dispatch
from bursar.run.dispatch_events import (
    Adopted,
    Approve,
    AskPerson,
    Attended,
    Ended,
    Event,
    Finish,
    Freed,
    Looked,
    Merged,
    Passed,
    Refused,
    Rerouted,
    Skip,
    Start,
    Started,
    StopAsked,
    Wait,
    Weighed,
)
from bursar.run.escalation import Escalated
from bursar.run.executor import AttemptExecutor
from bursar.run.gsd_jobs import GsdJobs
from bursar.run.local_executor import LocalExecutor
from bursar.run.phases import Phases
from bursar.run.place import Place
from bursar.run.purchasing import OF_TASKS, Purchases
from bursar.run.recovery import Left, recover
from bursar.run.requests import Requests
from bursar.run.retrying import is_about_dollars, learn_from, may_go_on, read_lesson, restore_routes, takes_too_much
from bursar.run.scheduler import Scheduler, Skipped
from bursar.run.window_watch import WindowWatch

_WATCH_SECONDS = 1.0


@dataclass(slots=True)
class _Progress:
    """What the conductor itself keeps in mind: who runs, and what was told of the money."""

    running: dict[asyncio.Task[AttemptEnded], Task] = field(default_factory=dict)
    rows: dict[str, AttemptRow] = field(default_factory=dict)
    denials: dict[str, Denial] = field(default_factory=dict)
    request: Request | None = None
    charged: set[str] = field(default_factory=set)
    alerts_told: set[tuple[str, str, int]] = field(default_factory=set)
    is_news: bool = True


class Conductor:
    """Conducts one run, once."""

    def __init__(
        self,
        context: RunContext,
        place: Place,
        tried: dict[str, int],
        done: Sequence[str],
        charged: Collection[str],
        executor: AttemptExecutor | None = None,
    ) -> None:
        """Nothing has happened yet.

        Args:
            tried: how many attempts each task has had.
            done: tasks that are merged already.
            charged: names of the budgets that the attempts so far are charged to; those of one attempt never change.
            executor: carries out the attempts; None for this machine's.
        """
        self._context = context
        self._place = place
        self._tasks = {task.number: task for task in context.plan.tasks}
        self._done_before = len(done)
        scheduler = Scheduler(context.graph, done=done)
        self._phases = Phases(context, place, scheduler)
        self._checkpoints = Checkpoints(context)
        self._dispatch = Dispatch(
            context.plan,
            scheduler,
            done,
            slots=context.settings.max_parallel,
            seconds_between_starts=context.settings.startup_delay_seconds,
            passes=self._checkpoints.passes,
        )
        self._purchases = Purchases(context, self._tasks)
        self._requests = Requests(context)
        self._jobs = GsdJobs(context)
        self._executor = LocalExecutor(context.directory / "spawner.log") if executor is None else executor
        self._attempts = Attempts(context, self._executor, place, tried)
        self._windows = WindowWatch(context)
        self._progress = _Progress(charged=set(charged))
        self._stop = asyncio.Event()

    def request_stop(self) -> None:
        """Nothing new starts and every agent is told to stop; safe to call from a signal handler of the loop."""
        if not self._stop.is_set():
            self._stop.set()
            self._dispatch.take(StopAsked())
            self._attempts.stop(for_good=self._is_cancelled)
            self.look()

    def attend(self, *, is_there: bool) -> None:
        """Whether somebody is there to answer: while a checkpoint waits, the run then waits too, and does not end."""
        self._dispatch.take(Attended(is_there))
        self.look()

    def look(self) -> None:
        """What others have written for this run, an answer above all, is taken up at once."""
        self._requests.rung.set()

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
                done_before=self._done_before,
                max_parallel=context.settings.max_parallel,
                limit=context.run.limit,
                budgets=other_budgets(context),
                windows=self._windows.limits_in_words(),
                learned_from=context.escalation.learned_from,
            )
        )
        self._jobs.begin()
        self._progress.alerts_told = {_identity(alert) for alert in alerts_of_run(context, self._progress.charged)}
        async with self._executor, self._requests:
            self._attempts.restore(rows)
            recovered = recover(context, self._attempts, self._place, self._executor, rows)
            for number in recovered.merged:
                self._dispatch.take(Merged(number))
            for left in recovered.left:
                if context.is_current(left.row):
                    self._adopt(left)
                else:
                    await self._attempts.discard(left.row)
            restore_routes(context, self._tasks, rows)
            try:
                state = await self._work()
            except BaseException:
                self.request_stop()
                await asyncio.gather(*self._progress.running, return_exceptions=True)
                self._leave_to_a_resume()
                raise
        self._tell_what_remains()
        self._place.bring_home(is_done=state is RunState.SUCCEEDED)
        return self._end(state)

    def _end(self, state: RunState) -> RunState:
        """The journal says how the run stands, and nobody conducts it."""
        context, request = self._context, self._progress.request
        if request is None or not self._is_cancelled or state is RunState.SUCCEEDED:
            context.stores.journal.end_run(context.run.id, state, context.now())
        else:
            context.stores.journal.controls.cancel(context.run.id, request.by_user, context.now())
            state = RunState.CANCELLED
        self._jobs.end(state)
        return state

    @property
    def _is_cancelled(self) -> bool:
        return self._progress.request is not None and self._progress.request.kind is RequestKind.CANCEL

    def _leave_to_a_resume(self) -> None:
        """The run cannot go on. The checkout has what was merged, else the run's ref keeps it; the journal says so,
        else that its conductor is dead says the same."""
        with suppress(BursarError, OSError):
            self._place.bring_home(is_done=False)
        with suppress(BursarError, OSError):
            self._context.stores.journal.end_run(self._context.run.id, RunState.INTERRUPTED, self._context.now())

    async def _work(self) -> RunState:
        """Carries out what is next, one after the other, until nothing is."""
        events = deque[Event]([*self._heed(), self._look()])
        while True:
            event = events.popleft()
            if isinstance(event, Looked) and self._dispatch.is_due:
                await self._look_at_phases()
            if isinstance(event, Looked) and self._progress.is_news:
                self._weigh()
            for action in self._dispatch.take(event):
                match action:
                    case Wait(until):
                        self._windows.tell_wait()
                        events.extend(await self._wait(until))
                        self._tell_alerts()
                    case Finish() if await self._look_at_phases():
                        events.append(self._look())
                    case Finish(state):
                        await self._phases.finish()
                        return state
                    case _:
                        events.extend(self._carry_out(action))

    async def _look_at_phases(self) -> bool:
        """Phases have ended and begun as far as they can; whether one has begun: its tasks are on offer then."""
        if self._dispatch.is_stopping:
            return False
        has_begun = await self._phases.look([task.number for task in self._progress.running.values()])
        if has_begun:
            self._dispatch.take(Freed())
        return has_begun

    def _weigh(self) -> None:
        """What is offered first depends on the money that is left, and on what attempts have come to."""
        dispatch, self._progress.is_news = self._dispatch, False
        first = self._purchases.choose_first(dispatch.remaining, dispatch.open_tasks, dispatch.free_slots)
        dispatch.take(Weighed(tuple(first), self._attempts.lengths()))

    def _look(self) -> Looked:
        return Looked(self._context.clock.monotonic())

    def _carry_out(self, action: Start | Approve | AskPerson | Skip) -> Sequence[Event]:
        match action:
            case Start(number):
                return [self._start(self._tasks[number])]
            case Approve(number):
                self._checkpoints.pass_alone(self._tasks[number])
                return [Freed(), self._look()] if self._phases.are_gated else []  # a phase may have ended by that
            case AskPerson(number):
                self._checkpoints.ask(self._tasks[number])
            case Skip(skipped):
                self._skip(skipped)
            case _:
                assert_never(action)
        return []

    async def _wait(self, until: float | None) -> Sequence[Event]:
        """The attempts that have ended, what others have written, and then a look; nothing may have happened: after a
        while, when the next may start, or when the bell has rung for nothing."""
        running, seconds = self._progress.running, _WATCH_SECONDS
        if until is not None:
            seconds = min(seconds, max(0.0, until - self._context.clock.monotonic()))
        rung = asyncio.ensure_future(self._requests.rung.wait())
        try:
            await asyncio.wait({*running, rung}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            rung.cancel()
        ended = [attempt for attempt in running if attempt.done()]  # in the order of their starts
        events = [self._take(running.pop(attempt), attempt.result()) for attempt in ended]
        return [*events, *self._heed(), self._look()]

    def _heed(self) -> Sequence[Event]:
        """What others have written for this run is taken up: what is asked of it, and checkpoints that were passed."""
        self._requests.rung.clear()
        events: list[Event] = []
        request = self._requests.strongest()
        if request is not None and request != self._progress.request:
            self._progress.request = request
            running = len(self._progress.running)
            self._context.emit(RequestTaken(kind=request.kind, by_user=request.by_user, running=running))
            if request.kind is RequestKind.PAUSE:
                events.append(StopAsked())
            else:
                self.request_stop()
        for row in self._checkpoints.take_answers():
            self._context.emit(CheckpointPassed(task=row.number, name=self._tasks[row.number].title, note=row.note))
            events.append(Passed(row.number))
        return events

    def _start(self, task: Task) -> Started | Refused:
        """Fills a slot. A denied task waits for money to come back; others that need less may pass it."""
        number, monotonic = task.number, self._context.clock.monotonic
        if not self._phases.admits(number):
            return Refused(number, monotonic(), denied=self._phases.refusal_of(number) is not None)
        if self._is_hopeless(task) or not self._attempts.may_begin(task):
            return Refused(number, monotonic(), denied=False)
        if (obstacle := self._windows.obstacle(task, self._attempts.hold_for(task))) is not None:
            self._progress.denials.pop(number, None)
            return Refused(number, monotonic(), obstacle.is_denial, self._windows.again_at(obstacle))
        self._keep_modest(task)
        begun = self._attempts.begin(task)
        while isinstance(begun, Denial) and self._context.settings.downgrades and is_about_dollars(begun):
            escalated = self._context.escalation.downgrade(task)
            if escalated is None:
                break
            self._reroute(task, escalated)
            begun = self._attempts.begin(task)
        if isinstance(begun, Denial):
            self._progress.denials[number] = begun
            return Refused(number, monotonic(), denied=True)
        self._progress.charged.update(begun.reservation.budgets)
        self._watch(task, begun.row)
        self._progress.running[asyncio.create_task(self._attempts.work(task, begun))] = task
        return Started(number, monotonic())

    def _watch(self, task: Task, row: AttemptRow) -> None:
        self._progress.rows[task.number] = row
        self._windows.began(row.key, Path(row.directory), self._context.agent_of(task).name)

    def _is_hopeless(self, task: Task) -> bool:
        """Whether a task that asks for no more was just denied by a budget that all tasks share."""
        minimum = self._attempts.hold_for(task).minimum
        return any(
            minimum.tokens >= self._attempts.hold_for(self._tasks[number]).minimum.tokens
            and any(OF_TASKS.isdisjoint(shortfall.balance.budget.selector) for shortfall in denial.shortfalls)
            for number, denial in self._denials().items()
        )

    def _denials(self) -> dict[str, Denial]:
        """Of this look at the tasks: what was missing before may be there by now."""
        denials = self._progress.denials
        return {number: denials[number] for number in self._dispatch.refused if number in denials}

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
        self._dispatch.take(Adopted(task.number))
        self._watch(task, left.row)
        self._set_task(task.number, TaskState.RUNNING)
        self._progress.running[asyncio.create_task(self._attempts.follow(task, left.row))] = task

    def _skip(self, skipped: Skipped) -> None:
        because = f"it depends on task {skipped.because}"
        self._set_task(skipped.task, TaskState.SKIPPED, because)
        self._context.emit(TaskSkipped(task=skipped.task, name=self._tasks[skipped.task].name, because=because))

    def _take(self, task: Task, ended: AttemptEnded) -> Ended | Rerouted:
        row = self._progress.rows.pop(task.number)
        self._windows.ended(row.key, Path(row.directory), self._context.agent_of(task).name, ended.resets_at)
        self._progress.is_news = True
        if self._starts_afresh(task, row, ended):
            return Rerouted(task.number)
        learn_from(self._context, task, ended)
        if self._attempts.refused.is_refused(row) and self._asks_to_merge(task, row, ended):
            return Ended(task.number, "interrupted")
        if self._goes_on_elsewhere(task, ended) or self._goes_on_later(task, ended):
            return Rerouted(task.number)
        return Ended(task.number, "interrupted" if self._asks_to_merge(task, row, ended) else ended.outcome)

    def _starts_afresh(self, task: Task, row: AttemptRow, ended: AttemptEnded) -> bool:
        """Whether the task, whose work could not be merged, is on offer again, from what is merged now."""
        if self._stop.is_set() or not self._attempts.refused.is_to_be_repeated(task, row, ended):
            return False
        self._reroute(task, Escalated(self._context.model_of(task), "starts afresh from what is merged now"))
        return True

    def _asks_to_merge(self, task: Task, row: AttemptRow, ended: AttemptEnded) -> bool:
        """Whether a person has to merge the task's work; what depends on it waits, too."""
        because = self._attempts.refused.ask_person(task, row, ended)
        if because is not None:
            self._set_task(task.number, TaskState.WAITING, because)
            self._context.emit(TaskWaited(task=task.number, name=task.name, because=because))
        return because is not None

    def _goes_on_elsewhere(self, task: Task, ended: AttemptEnded) -> bool:
        """Whether the task, whose attempt has failed or has reached its cap, is on offer again, on another route."""
        if self._stop.is_set() or self._progress.request is not None or not may_go_on(self._context, task, ended):
            return False
        lesson = "" if self._context.settings.max_attempts == 1 else read_lesson(self._context, task, ended)
        escalation = self._context.escalation
        escalated = escalation.escalate(task, ended.note, lesson, is_priced=bool(ended.nano_usd))
        if escalated is None:
            return False
        self._reroute(task, escalated, after=ended)
        return True

    def _goes_on_later(self, task: Task, ended: AttemptEnded) -> bool:
        """Whether the task, which a limit of its provider's has ended, is on offer again: with another agent, or when
        that is over."""
        if self._stop.is_set() or self._progress.request is not None or ended.resets_at is None:
            return False
        escalation = self._context.escalation
        if not escalation.can_fail_over(task):
            return self._context.settings.waits
        self._reroute(task, escalation.fail_over(task))
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

    def _reroute(self, task: Task, escalated: Escalated, *, after: AttemptEnded | None = None) -> None:
        self._set_task(task.number, TaskState.PENDING, escalated.because)
        self._context.emit(
            TaskRerouted(
                task=task.number,
                name=task.name,
                model=escalated.model,
                because=escalated.because,
                tokens=None if after is None else after.metered_tokens,
                nano_usd=None if after is None else after.nano_usd,
            )
        )

    def _set_task(self, number: str, state: TaskState, note: str = "") -> None:
        self._context.stores.journal.set_task(self._context.run.id, number, state, note=note)

    def _tell_alerts(self) -> None:
        for alert in alerts_of_run(self._context, self._progress.charged):
            if _identity(alert) not in self._progress.alerts_told:
                self._context.emit(AlertFired(level=alert.level, message=alert.message, at=alert.at.isoformat()))
                self._progress.alerts_told.add(_identity(alert))
        self._windows.tell_alerts()

    def _tell_what_remains(self) -> None:
        """Tasks that were ready but could not be paid for are named, with the budgets or windows that said no."""
        self._tell_alerts()
        remaining = self._windows.tell_what_remains(self._dispatch.remaining(), self._tasks)
        shortfalls = [shortfall for denial in self._denials().values() for shortfall in denial.shortfalls]
        names = ", ".join(sorted({title_of(shortfall.balance.budget.name) for shortfall in shortfalls}))
        for number in remaining:
            if (because := self._phases.refusal_of(number)) is None and not shortfalls:
                continue
            is_unpriced = any(shortfall.wanted is None for shortfall in shortfalls)
            because = because or (
                f"budget {names} " + ("refuses a cost that is unknown" if is_unpriced else "has no room for it")
            )
            self._set_task(number, TaskState.STOPPED, because)
            self._context.emit(TaskWaited(task=number, name=self._tasks[number].name, because=because))


def _identity(alert: Alert) -> tuple[str, str, int]:
    return alert.budget, alert.period_id, alert.percent
