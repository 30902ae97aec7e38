"""What the conductor asks about windows of subscriptions: may this start, until when does it wait, what is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bursar.budget import OnLimit, WindowDenial, name_window
from bursar.events import AlertFired, RunWaited, StartWarned, TaskWaited
from bursar.journal import TaskState, write_window_record
from bursar.plan import Task
from bursar.run.context import RunContext
from bursar.run.holds import Hold
from bursar.run.token_shares import SHARES_FILE, TokenShares
from bursar.run.window_looks import WindowLooks
from bursar.run.windows import WindowGate, blocks, explain, explain_refusal

_LONGEST_WAIT_SECONDS = 20.0  # the wall clock is asked again: it may be set, and a machine may sleep


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a task does not start now.

    Attributes:
        until: when that may be over; None: no time helps, or nobody says.
        is_denial: a limit of the settings says so; else the provider does.
    """

    because: str
    until: datetime | None
    is_denial: bool


class WindowWatch:
    """The windows of one run's agents."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        state_dir, limits = context.directory.parents[1], context.settings.windows
        self._looks = WindowLooks(state_dir, context.environment, self._tell_problem)
        shares = TokenShares(state_dir / SHARES_FILE)
        whose = {"user": context.labels["user"]}
        self._gate = WindowGate(limits, self._looks.look, context.stores.ledger, context.clock, shares, whose)
        self._obstacles: dict[str, Obstacle] = {}
        self._warned: set[tuple[str, str]] = set()
        self._announced = ""

    def limits_in_words(self) -> tuple[str, ...]:
        """The limits on windows of the run's agents."""
        context = self._context
        agents = {context.agent_of(task).name for task in context.plan.tasks if not task.is_checkpoint}
        return tuple(
            f"{name_window(agent, limit.minutes)} {'up to' if limit.on_limit is OnLimit.BLOCK else 'warns at'}"
            f" {limit.percent:g} %"
            for agent in sorted(agents)
            for limit in self._gate.limits_of(agent)
        )

    def obstacle(self, task: Task, hold: Hold) -> Obstacle | None:
        """What keeps an attempt of that size from starting; a window that only warns is told of, and is none."""
        found = self._find_obstacle(task, hold)
        if found is None:
            self._obstacles.pop(task.number, None)
        else:
            self._obstacles[task.number] = found
        return found

    def again_at(self, obstacle: Obstacle) -> float | None:
        """When (on the clock that only goes forward) the run looks again; None where it does not wait for that."""
        if not self._context.settings.waits or obstacle.until is None:
            return None
        clock = self._context.clock
        left = (obstacle.until - clock.now()).total_seconds()
        return clock.monotonic() + max(0.0, min(left, _LONGEST_WAIT_SECONDS))

    def _find_obstacle(self, task: Task, hold: Hold) -> Obstacle | None:
        agent = self._context.agent_of(task).name
        if (refusal := self._gate.refusal(agent)) is not None:
            return Obstacle(explain_refusal(refusal), refusal.until, is_denial=False)
        denials = self._gate.denials(agent, hold.amount.tokens, is_blind=hold.is_blind)
        if blocking := [each for each in denials if blocks(each)]:
            return self._obstacle(blocking)
        for each in denials:
            self._warn(task, each)
        return None

    def _obstacle(self, denials: list[WindowDenial]) -> Obstacle:
        """All that are in the way; it is over when the last of them is."""
        now = self._context.clock.now()
        ends = [None if each.is_hopeless else each.use.resets_at for each in denials]
        known = [end for end in ends if end is not None]
        until = max(known) if len(known) == len(ends) else None
        return Obstacle("; ".join(explain(each, now) for each in denials), until, is_denial=True)

    def _warn(self, task: Task, denial: WindowDenial) -> None:
        window = f"{denial.use.agent} {denial.use.minutes} {denial.use.resets_at}"
        if (task.number, window) not in self._warned:
            self._warned.add((task.number, window))
            because = explain(denial, self._context.clock.now())
            self._context.emit(StartWarned(task=task.number, name=task.title, because=because))

    def began(self, key: str, directory: Path, agent: str) -> None:
        """An attempt runs."""
        self._gate.began(key, agent)
        self._looks.watch(directory, agent)

    def ended(self, directory: Path, agent: str, resets_at: int | None) -> None:
        """One of the agent's runs no more; `resets_at`: a limit of the provider's has ended it, and is over then."""
        self._looks.leave(directory, agent)
        self._gate.ended(agent, resets_at)

    def tell_wait(self) -> None:
        """Where tasks are waited for, the moment at which the first of them is looked at again is announced, once."""
        waiting = [each for each in self._obstacles.values() if each.until is not None]
        if not self._context.settings.waits or not waiting:
            return
        first = min(waiting, key=lambda each: str(each.until))
        if self._announced != str(first.until) and first.until is not None:
            self._announced = str(first.until)
            self._context.emit(RunWaited(until=first.until.isoformat(), because=first.because))

    def tell_alerts(self) -> None:
        """Thresholds that were reached are told; and how windows stand is written down for the report."""
        for alert in self._gate.due_alerts():
            self._context.emit(AlertFired(level=alert.level, message=alert.message, at=alert.at))
        if self._context.settings.windows:
            write_window_record(self._context.directory, self._gate.standing())

    def tell_what_remains(self, ready: Iterable[str], tasks: Mapping[str, Task]) -> list[str]:
        """Tasks that were ready and kept waiting are named, with what kept them; the others are returned."""
        others = []
        for number in ready:
            obstacle = self._obstacles.get(number)
            if obstacle is None:
                others.append(number)
                continue
            task, state = tasks[number], TaskState.STOPPED if obstacle.is_denial else TaskState.PENDING
            run, because = self._context.run.id, obstacle.because
            because += "" if obstacle.until is None else f" (bursar resume {run} --wait)"
            self._context.stores.journal.set_task(run, number, state, note=because)
            self._context.emit(TaskWaited(task=number, name=task.title, because=because))
        return others

    def _tell_problem(self, said: str) -> None:
        self._context.emit(AlertFired(level="warning", message=said))
