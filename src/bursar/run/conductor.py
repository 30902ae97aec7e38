"""The conductor: starts what is ready and can be paid for, follows it to its end, and brings the work home.

It carries out what `dispatch` says is next, and tells it what came of that; the money is the ledger's, the agents are
their supervisors'.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import assert_never

from bursar.errors import BursarError, Superseded
from bursar.events import CheckpointPassed, RequestTaken, RunStarted, TaskSkipped
from bursar.journal import AttemptRow, Request, RequestKind, RunState, TaskState
from bursar.paths import LOGINS_FOLDER
from bursar.run.accounts import other_budgets
from bursar.run.alerts import RunAlerts
from bursar.run.attempts import Attempts
from bursar.run.checkpoints import Checkpoints
from bursar.run.context import RunContext
from bursar.run.denials import Denials
from bursar.run.dispatch import Dispatch
from bursar.run.dispatch_events import (
    Adopted,
    Approve,
    AskPerson,
    Attended,
    Event,
    Finish,
    Freed,
    Looked,
    Merged,
    Passed,
    Skip,
    Start,
    StopAsked,
    Wait,
    Weighed,
)
from bursar.run.executor import AttemptExecutor
from bursar.run.gsd_jobs import GsdJobs
from bursar.run.local_executor import LocalExecutor
from bursar.run.phases import Phases
from bursar.run.place import Place
from bursar.run.purchasing import Purchases
from bursar.run.recovery import recover
from bursar.run.requests import Requests
from bursar.run.rerouting import restore_routes
from bursar.run.running_attempts import RunningAttempts
from bursar.run.scheduler import Scheduler, Skipped
from bursar.run.window_watch import WindowWatch
from bursar.supervision import close_logins

_WATCH_SECONDS = 1.0


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
        self._denials = Denials(context, self._tasks, self._attempts.holds.hold_for, lambda: self._dispatch.refused)
        self._windows = WindowWatch(context)
        self._alerts = RunAlerts(context, charged)
        self._running = RunningAttempts(
            context, self._attempts, self._phases, self._windows, self._denials, self._alerts
        )
        self._request: Request | None = None
        self._is_news = True
        self._stop = asyncio.Event()

    def request_stop(self, grace_seconds: float = 0.0) -> None:
        """Nothing new starts and every agent is told to stop; safe to call from a signal handler of the loop.

        With `grace_seconds` those that can be told to wrap up have so long for that; said again without, that is over.
        """
        if not self._stop.is_set():
            self._stop.set()
            self._dispatch.take(StopAsked())
        self._attempts.stop(for_good=self._is_cancelled, grace_seconds=grace_seconds)
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
        self._announce()
        self._jobs.begin()
        self._alerts.skip_earlier()
        async with self._executor, self._requests:
            await self._take_over(rows)
            try:
                state = await self._work()
                if self._is_cancelled:
                    await self._attempts.give_up()
                self._context.stores.journal.check_conducts()
            except Superseded:
                await self._let_go()
                raise
            except BaseException:
                self.request_stop()
                await asyncio.gather(*self._running.futures, return_exceptions=True)
                self._leave_to_a_resume()
                raise
        close_logins(self._context.directory / LOGINS_FOLDER)
        self._tell_what_remains()
        self._place.bring_home(is_done=state is RunState.SUCCEEDED)
        return self._end(state)

    async def _let_go(self) -> None:
        """The run is somebody else's, with the agents that are at work: nothing more is done here."""
        self._attempts.let_go()
        for future in self._running.futures:
            future.cancel()
        await asyncio.gather(*self._running.futures, return_exceptions=True)
        self._attempts.clear_cancelled()

    def _announce(self) -> None:
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

    async def _take_over(self, rows: Sequence[AttemptRow]) -> None:
        """What earlier conductors have left is in order, followed or gone on with."""
        context = self._context
        self._attempts.restore(rows)
        recovered = recover(context, self._attempts, self._place, self._executor, rows)
        for number in recovered.merged:
            self._dispatch.take(Merged(number))
        for left in recovered.left:
            if context.is_current(left.row):
                self._dispatch.take(Adopted(left.row.task))
                self._running.adopt(self._tasks[left.row.task], left)
            else:
                await self._attempts.discard(left.row)
        restore_routes(context, self._tasks, rows)

    def _end(self, state: RunState) -> RunState:
        """The journal says how the run stands, and nobody conducts it."""
        context, request = self._context, self._request
        if request is None or not self._is_cancelled or state is RunState.SUCCEEDED:
            context.stores.journal.end_run(context.run.id, state, context.now())
        else:
            context.stores.journal.controls.cancel(context.run.id, request.by_user, context.now())
            state = RunState.CANCELLED
        self._jobs.end(state)
        return state

    @property
    def _is_cancelled(self) -> bool:
        return self._request is not None and self._request.kind is RequestKind.CANCEL

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
            if isinstance(event, Looked) and self._is_news:
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
        has_begun = await self._phases.look(self._running.tasks)
        if has_begun:
            self._dispatch.take(Freed())
        return has_begun

    def _weigh(self) -> None:
        """What is offered first depends on the money that is left, and on what attempts have come to."""
        dispatch, self._is_news = self._dispatch, False
        first = self._purchases.choose_first(dispatch.remaining, dispatch.open_tasks, dispatch.free_slots)
        dispatch.take(Weighed(tuple(first), self._attempts.holds.lengths()))

    def _look(self) -> Looked:
        return Looked(self._context.clock.monotonic())

    def _carry_out(self, action: Start | Approve | AskPerson | Skip) -> Sequence[Event]:
        match action:
            case Start(number):
                return [self._running.start(self._tasks[number])]
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
        seconds = _WATCH_SECONDS
        if until is not None:
            seconds = min(seconds, max(0.0, until - self._context.clock.monotonic()))
        rung = asyncio.ensure_future(self._requests.rung.wait())
        try:
            await asyncio.wait({*self._running.futures, rung}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            rung.cancel()
        ended = self._running.take_ended(is_stopping=self._stop.is_set(), is_asked=self._request is not None)
        self._is_news = self._is_news or bool(ended)
        return [*ended, *self._heed(), self._look()]

    def _heed(self) -> Sequence[Event]:
        """What others have written for this run is taken up: what is asked of it, and checkpoints that were passed."""
        self._requests.rung.clear()
        self._context.stores.journal.check_conducts()
        events: list[Event] = []
        request = self._requests.strongest()
        if request is not None and request != self._request:
            self._request = request
            running = len(self._running.futures)
            self._context.emit(
                RequestTaken(
                    kind=request.kind, by_user=request.by_user, running=running, grace_seconds=request.grace_seconds
                )
            )
            if request.kind is RequestKind.PAUSE:
                events.append(StopAsked())
            else:
                self.request_stop(request.grace_seconds)
        for row in self._checkpoints.take_answers():
            self._context.emit(CheckpointPassed(task=row.number, name=self._tasks[row.number].title, note=row.note))
            events.append(Passed(row.number))
        return events

    def _skip(self, skipped: Skipped) -> None:
        because = f"it depends on task {skipped.because}"
        context = self._context
        context.stores.journal.set_task(context.run.id, skipped.task, TaskState.SKIPPED, note=because)
        context.emit(TaskSkipped(task=skipped.task, name=self._tasks[skipped.task].title, because=because))

    def _tell_alerts(self) -> None:
        self._alerts.tell()
        self._windows.tell_alerts()

    def _tell_what_remains(self) -> None:
        """Tasks that were ready but could not be paid for are named, with the budgets or windows that said no."""
        self._tell_alerts()
        remaining = self._windows.tell_what_remains(self._dispatch.remaining(), self._tasks)
        self._denials.tell_what_remains(remaining, self._phases.refusal_of)
