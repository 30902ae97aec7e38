"""What the conductor is to do next: a state and an event in, actions out (`dispatch_events`). Pure: no clock, no
process, no money.

The conductor carries the actions out and says what came of them, as further events. So a whole run can be replayed
from its events alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from bursar.journal import RunState
from bursar.plan import Plan, Task
from bursar.run.dispatch_events import (
    Action,
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
from bursar.run.scheduler import Scheduler, Skipped


class Dispatch:
    """One run's tasks from its first look to its end.

    Offers are made anew when an attempt has ended (nothing else frees a slot, a task or money), when a person has
    passed a checkpoint, when the time between two starts is over, and when a refused task is worth another look. Within
    one look a task that is refused lets others pass that need less.
    """

    def __init__(
        self,
        plan: Plan,
        scheduler: Scheduler,
        done: Collection[str],
        *,
        slots: int,
        seconds_between_starts: float,
        passes: Callable[[Task], bool],
    ) -> None:
        """`scheduler` knows of the `done`; `passes`: whether a checkpoint needs no person."""
        self._tasks = {task.number: task for task in plan.tasks}
        self._scheduler = scheduler
        self._done = set(done)
        self._slots = slots
        self._gap = seconds_between_starts
        self._passes = passes
        self._running: set[str] = set()
        self._adopted: set[str] = set()
        self._first: tuple[str, ...] = ()
        self._refused: dict[str, None] = {}
        self._asked: set[str] = set()
        self._outcomes: set[str] = set()
        self._offers: Iterator[str] = iter(())
        self._next_start_at = float("-inf")
        self._again_at: float | None = None
        self._is_due = True
        self._is_delayed = False
        self._is_stopping = False
        self._is_attended = False

    def take(self, event: Event) -> list[Action]:
        """What is to be done about it, in this order."""
        match event:
            case Looked(at):
                return self._look(at)
            case Started(task, at):
                self._begin(task)
                self._next_start_at = at + self._gap
                return self._go_on(at)
            case Refused(task, at, denied, again_at):
                if denied:
                    self._refused[task] = None
                if again_at is not None:
                    self._again_at = again_at if self._again_at is None else min(again_at, self._again_at)
                return self._go_on(at)
            case Ended(task, outcome):
                return list(map(Skip, self._end(task, outcome)))
            case Rerouted(task):
                return list(map(Skip, self._reopen(task)))
            case Adopted(task):
                self._begin(task)
                self._adopted.add(task)
            case Merged(task):
                self._finish(task)
            case Freed():
                self._is_due = True
            case Weighed(first, lengths):
                self._first = first
                if lengths is not None:
                    self._scheduler.weigh(lengths)
            case Passed(task):
                self._asked.discard(task)
                self._finish(task)
                self._is_due = True
            case Attended(is_there):
                self._is_attended = is_there
            case StopAsked():
                self._is_stopping = True
        return []

    @property
    def is_due(self) -> bool:
        """Whether the next look makes its offers anew."""
        return self._is_due or self._is_delayed or self._again_at is not None

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more is to be started."""
        return self._is_stopping

    @property
    def refused(self) -> Collection[str]:
        """Tasks that a budget had no room for at the last look."""
        return tuple(self._refused)

    def remaining(self) -> list[str]:
        """Tasks that could start, but for the money."""
        return [number for number in self._scheduler.ready() if not self._tasks[number].is_checkpoint]

    def open_tasks(self) -> list[str]:
        """Tasks that are still to be begun, or to be tried again, checkpoints left out."""
        return [number for number in self._scheduler.open_tasks() if not self._tasks[number].is_checkpoint]

    @property
    def free_slots(self) -> int:
        """How many attempts could be begun now."""
        return self._slots - len(self._running)

    def _look(self, at: float) -> list[Action]:
        if self._is_due or self._is_delayed or (self._again_at is not None and at >= self._again_at):
            self._is_due = False
            self._offer()
        return self._go_on(at)

    def _offer(self) -> None:
        self._refused.clear()
        self._is_delayed = False
        self._again_at = None
        self._offers = self._scheduler.offers(self._first)

    def _go_on(self, at: float) -> list[Action]:
        """Up to the next start, whose answer decides what comes then."""
        actions: list[Action] = []
        while (number := self._next()) is not None:
            task = self._tasks[number]
            if not task.is_checkpoint:
                if at >= self._next_start_at:
                    return [*actions, Start(number)]
                self._is_delayed = True
            elif self._passes(task):
                self._finish(number)
                actions.append(Approve(number))
                self._offer()  # what waited for it may be ready now
            elif number not in self._asked:
                self._asked.add(number)
                actions.append(AskPerson(number))
        return [*actions, self._rest()]

    def _next(self) -> str | None:
        """The next task on offer, while there is a slot for it."""
        if self._is_stopping or len(self._running) >= self._slots:
            self._offers = iter(())
        return next(self._offers, None)

    def _rest(self) -> Action:
        times = [self._next_start_at] if self._is_delayed else []
        if self._again_at is not None and not self._is_stopping:
            times.append(self._again_at)
        if self._running or times or self._waits_for_a_person():
            return Wait(min(times, default=None))
        return Finish(self._state())

    def _waits_for_a_person(self) -> bool:
        return self._is_attended and bool(self._asked) and not self._is_stopping

    def _begin(self, task: str) -> None:
        self._scheduler.started(task)
        self._running.add(task)

    def _end(self, task: str, outcome: str) -> Iterable[Skipped]:
        if outcome == "interrupted" and task in self._adopted and not self._is_stopping:
            return self._reopen(task)  # an earlier conductor's: we were asked to do what is missing
        self._leave(task)
        self._outcomes.add(outcome)
        if outcome == "succeeded":
            self._finish(task)
            return []
        skipped = self._scheduler.failed(task)
        return [] if outcome == "interrupted" else skipped  # nothing went wrong: a resume does what waits for it

    def _reopen(self, task: str) -> Iterable[Skipped]:
        self._leave(task)
        return self._scheduler.reopened(task)

    def _leave(self, task: str) -> None:
        self._running.discard(task)
        self._adopted.discard(task)
        self._is_due = True

    def _finish(self, task: str) -> None:
        if task in self._tasks and task not in self._done:
            self._scheduler.done(task)
            self._done.add(task)

    def _state(self) -> RunState:
        if len(self._done) == len(self._tasks):
            return RunState.SUCCEEDED
        if self._is_stopping:
            return RunState.INTERRUPTED
        if self._refused or "stopped" in self._outcomes:
            return RunState.STOPPED
        if "failed" in self._outcomes:
            return RunState.FAILED
        return RunState.INTERRUPTED
