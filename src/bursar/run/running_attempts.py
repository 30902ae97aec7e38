"""The attempts of one run that are at work: started or adopted, watched, and taken back when they have ended."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path

from bursar.events import AttemptEnded, AttemptStarted
from bursar.journal import AttemptRow, TaskState
from bursar.ledger import Denial
from bursar.plan import Task
from bursar.run.alerts import RunAlerts
from bursar.run.attempts import Attempts
from bursar.run.context import RunContext
from bursar.run.denials import Denials
from bursar.run.dispatch_events import Ended, Refused, Rerouted, Started
from bursar.run.phases import Phases
from bursar.run.recovery import Left
from bursar.run.rerouting import Rerouting
from bursar.run.window_watch import WindowWatch


class RunningAttempts:
    """Fills slots and empties them; which tasks are offered a slot is decided elsewhere."""

    def __init__(
        self,
        context: RunContext,
        attempts: Attempts,
        phases: Phases,
        windows: WindowWatch,
        denials: Denials,
        alerts: RunAlerts,
    ) -> None:
        self._context = context
        self._attempts = attempts
        self._phases = phases
        self._windows = windows
        self._denials = denials
        self._alerts = alerts
        self._rerouting = Rerouting(context, attempts)
        self._running: dict[asyncio.Task[AttemptEnded], Task] = {}
        self._rows: dict[str, AttemptRow] = {}

    @property
    def futures(self) -> Collection[asyncio.Task[AttemptEnded]]:
        """Each is done when its attempt has ended."""
        return self._running.keys()

    @property
    def tasks(self) -> list[str]:
        """The tasks that are being worked on."""
        return [task.number for task in self._running.values()]

    def start(self, task: Task) -> Started | Refused:
        """Fills a slot. A denied task waits for money to come back; others that need less may pass it."""
        number, monotonic = task.number, self._context.clock.monotonic
        if not self._phases.admits(number):
            return Refused(number, monotonic(), denied=self._phases.refusal_of(number) is not None)
        if self._denials.is_hopeless(task) or not self._attempts.holds.may_begin(task):
            return Refused(number, monotonic(), denied=False)
        if (obstacle := self._windows.obstacle(task, self._attempts.holds.hold_for(task))) is not None:
            self._denials.forget(number)
            return Refused(number, monotonic(), obstacle.is_denial, self._windows.again_at(obstacle))
        begun = self._rerouting.begin(task)
        if isinstance(begun, Denial):
            self._denials.add(number, begun)
            return Refused(number, monotonic(), denied=True)
        self._alerts.charge(begun.reservation.budgets)
        self._watch(task, begun.row)
        self._running[asyncio.create_task(self._attempts.work(task, begun))] = task
        return Started(number, monotonic())

    def adopt(self, task: Task, left: Left) -> None:
        """An attempt that an earlier conductor began is followed from now on."""
        if left.is_running:
            self._context.emit(
                AttemptStarted(
                    task=task.number,
                    name=task.title,
                    attempt=left.row.number,
                    model=left.row.model,
                    held_tokens=0,
                    adopted=True,
                )
            )
        self._watch(task, left.row)
        self._context.stores.journal.set_task(self._context.run.id, task.number, TaskState.RUNNING)
        self._running[asyncio.create_task(self._attempts.follow(task, left.row))] = task

    def take_ended(self, *, is_stopping: bool, is_asked: bool) -> Sequence[Ended | Rerouted]:
        """What dispatch is told of those that have ended since, in the order of their starts; see `Rerouting.after`."""
        running = self._running
        ended = [attempt for attempt in running if attempt.done()]
        return [
            self._take(running.pop(attempt), attempt.result(), is_stopping=is_stopping, is_asked=is_asked)
            for attempt in ended
        ]

    def _take(self, task: Task, ended: AttemptEnded, *, is_stopping: bool, is_asked: bool) -> Ended | Rerouted:
        row = self._rows.pop(task.number)
        self._windows.ended(Path(row.directory), self._context.agent_of(task).name, ended.resets_at)
        return self._rerouting.after(task, row, ended, is_stopping=is_stopping, is_asked=is_asked)

    def _watch(self, task: Task, row: AttemptRow) -> None:
        self._rows[task.number] = row
        self._windows.began(row.key, Path(row.directory), self._context.agent_of(task).name)
