"""What the conductor asks about windows of subscriptions: may this start, until when does it wait, what is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bursar.budget import WindowDenial
from bursar.events import AlertFired, RunWaited, StartWarned, TaskWaited
from bursar.journal import TaskState
from bursar.plan import Task
from bursar.run.context import RunContext
from bursar.run.window_looks import WindowLooks
from bursar.run.window_record import write_window_record
from bursar.run.windows import WindowGate, blocks, explain, explain_refusal


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """Why a task does not start now, and when that may be over; None: no time helps, or nobody says."""

    because: str
    until: datetime | None
    is_refusal: bool = False


class WindowWatch:
    """The windows of one run's agents."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._looks = WindowLooks(context.directory.parents[1], context.environment, self._tell_problem)
        self._gate = WindowGate(context.settings.windows, self._looks.look, context.stores.ledger, context.clock)
        self._obstacles: dict[str, _Obstacle] = {}
        self._warned: set[tuple[str, str]] = set()
        self._announced = ""

    @property
    def has_denied(self) -> bool:
        """Whether a limit of the settings keeps a task from starting."""
        return any(not each.is_refusal for each in self._obstacles.values())

    def begin_round(self) -> None:
        """Tasks are offered anew."""
        self._obstacles.clear()

    def may_start(self, task: Task, tokens: int) -> bool:
        """Whether nothing keeps an attempt of so many tokens from starting; a window that only warns is told of."""
        agent = self._context.agent_of(task).name
        if (refusal := self._gate.refusal(agent)) is not None:
            self._obstacles[task.number] = _Obstacle(explain_refusal(refusal), refusal.until, is_refusal=True)
            return False
        denials = self._gate.denials(agent, tokens)
        blocking = [each for each in denials if blocks(each)]
        if blocking:
            self._obstacles[task.number] = self._obstacle(blocking)
            return False
        for each in denials:
            self._warn(task, each)
        return True

    def _obstacle(self, denials: list[WindowDenial]) -> _Obstacle:
        """All that are in the way; it is over when the last of them is."""
        now = self._context.clock.now()
        ends = [None if each.is_hopeless else each.use.resets_at for each in denials]
        known = [end for end in ends if end is not None]
        until = max(known) if len(known) == len(ends) else None
        return _Obstacle("; ".join(explain(each, now) for each in denials), until)

    def _warn(self, task: Task, denial: WindowDenial) -> None:
        window = f"{denial.use.agent} {denial.use.minutes} {denial.use.resets_at}"
        if (task.number, window) not in self._warned:
            self._warned.add((task.number, window))
            because = explain(denial, self._context.clock.now())
            self._context.emit(StartWarned(task=task.number, name=task.name, because=because))

    def began(self, key: str, directory: Path, agent: str) -> None:
        """An attempt runs."""
        self._gate.began(key, agent)
        self._looks.watch(directory, agent)

    def ended(self, key: str, directory: Path, agent: str, resets_at: int | None) -> None:
        """It runs no more; `resets_at`: a limit of the provider's has ended it, and is over then."""
        self._looks.leave(directory, agent)
        self._gate.ended(key, agent, resets_at)

    def keeps(self, task: Task) -> bool:
        """Whether a window, or a limit of its provider's, was in the task's way when it was offered last."""
        return task.number in self._obstacles

    def waits_until(self) -> datetime | None:
        """When tasks that are kept waiting should be offered again; None where nobody waits for that.

        The first time that it is asked for a moment, that moment is announced.
        """
        if not self._context.settings.waits:
            return None
        waiting = [each for each in self._obstacles.values() if each.until is not None]
        if not waiting:
            return None
        first = min(waiting, key=lambda each: each.until or datetime.max)
        assert first.until is not None
        if self._announced != first.until.isoformat():
            self._announced = first.until.isoformat()
            self._context.emit(RunWaited(until=self._announced, because=first.because))
        return first.until

    def tell_alerts(self) -> None:
        """Thresholds that were reached are told; and how windows stand is written down for the report."""
        for alert in self._gate.due_alerts():
            self._context.emit(AlertFired(level=alert.level, message=alert.message, at=alert.at))
        if self._context.settings.windows:
            write_window_record(self._context.directory, self._gate.standing())

    def tell_what_remains(self, ready: Iterable[str], tasks: Mapping[str, Task]) -> None:
        """Tasks that were ready and kept waiting are named, with what kept them."""
        self.tell_alerts()
        for number in ready:
            if (obstacle := self._obstacles.get(number)) is not None:
                task, state = tasks[number], TaskState.PENDING if obstacle.is_refusal else TaskState.STOPPED
                journal = self._context.stores.journal
                journal.set_task(self._context.run.id, number, state, note=obstacle.because)
                self._context.emit(TaskWaited(task=number, name=task.name, because=obstacle.because))

    def _tell_problem(self, said: str) -> None:
        self._context.emit(AlertFired(level="warning", message=said))
