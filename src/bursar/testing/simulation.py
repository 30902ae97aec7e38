"""Whole runs, simulated: conductor, attempts, recovery, ledger law and journal are real, everything else is played.

One seed decides all: the plan, what agents do and use, when conductors die and disks are full. A run goes through as
many conductors as it takes; `simulated_audit` then looks at what has become of it.

    python -m bursar.testing.simulation SEED      one run, with everything that happened
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from bursar.agents import CommandAgent
from bursar.errors import BursarError, Superseded, UserError
from bursar.events import RunEvent
from bursar.history import open_history
from bursar.journal import (
    AttemptRow,
    Request,
    RequestKind,
    RunRow,
    RunState,
    TaskState,
    open_journal,
)
from bursar.run import Conductor, PlanToRun, RunLock, Tools, settle_finished, take_up, unfinished_run
from bursar.run.context import merged_ref
from bursar.testing.simulated_executor import SimulatedExecutor
from bursar.testing.simulated_faults import Crash, Faults
from bursar.testing.simulated_machine import Machine
from bursar.testing.simulated_origin import SimulatedOrigin
from bursar.testing.simulated_record import Life, Record
from bursar.testing.simulated_scenario import Luck, Scenario, draw_luck, draw_scenario
from bursar.testing.simulated_stores import RATES, CountedIds, copy_empty_stores, guard_stores
from bursar.testing.virtual_time import Stuck, VirtualLoop, close_loop

T = TypeVar("T")

MOST_LIVES = 14
_TAME_FROM = 7  # from this conductor on agents behave, so that the run must come to its end
_FOR_GOOD = frozenset({RunState.SUCCEEDED, RunState.CANCELLED, "stuck"})


@dataclass(frozen=True, slots=True)
class Variant:
    """How the run is conducted: `conductor` may spoil it, to see whether the auditor notices."""

    spoil: Callable[[Conductor, Machine], None] = lambda conductor, machine: None


def simulate(
    seed: int,
    *,
    variant: Variant | None = None,
    luck: Callable[[int, int], Luck] = draw_luck,
    scenario: Callable[[int, Path], Scenario] = draw_scenario,
    most_lives: int = MOST_LIVES,
    is_tame: bool = False,
) -> Record:
    """The run of that seed, from its first conductor to its last, or to the end of `most_lives` of them.

    Args:
        is_tame: agents behave from the beginning.
    """
    parent = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="bursar-sim-", dir=parent) as folder:
        simulation = _Simulation(scenario(seed, Path(folder)), Path(folder), variant or Variant(), luck)
        try:
            return simulation.run(most_lives, tame_from=0 if is_tame else _TAME_FROM)
        finally:
            simulation.close()


class _Simulation:
    def __init__(self, scenario: Scenario, folder: Path, variant: Variant, luck: Callable[[int, int], Luck]) -> None:
        copy_empty_stores(folder)
        self._folder = folder
        self._variant = variant
        self._luck = luck
        self.scenario = scenario
        self.machine = Machine(scenario.seed, scale=scenario.scale)
        self.machine.git.files_of_tasks.update({task.number: task.files for task in self.scenario.plan.tasks})
        self.journal = open_journal(folder / "journal.db")
        self.history = open_history(folder / "history.db")
        self._ids = CountedIds()
        self._lives: list[Life] = []
        self._events: list[RunEvent] = []
        self._breaches: list[str] = []

    def close(self) -> None:
        """The files are closed."""
        self.journal.close()
        self.history.close()

    def run(self, most_lives: int, *, tame_from: int) -> Record:
        """As many conductors as it takes, and as are allowed; agents behave from the conductor `tame_from` on."""
        for life in range(most_lives):
            luck = self._luck(self.scenario.seed, life)
            self.machine.is_tame = life >= tame_from
            began = self.machine.timeline.now
            faults = Faults(crash_at=luck.crash_at, is_before=luck.is_before, errors=luck.errors)
            ended = self._live(life, luck, faults)
            self._lives.append(Life(luck=luck, ended=ended, writes=faults.writes, began=began))
            if ended in set(RunState):
                self._check_quiet(ended)
            if any(each.ended in _FOR_GOOD for each in self._lives[-2:] if each.is_second or each.ended == ended):
                break
            self._between(luck)
        return self._record()

    def _live(self, life: int, luck: Luck, faults: Faults) -> str:
        """One conductor from its start to its end; how it ended."""
        try:
            return self._conduct(life, luck, faults)
        except Crash:
            return "crash"
        except Stuck as stuck:
            self._breaches.append(f"stranded: {stuck}")
            return "stuck"
        except Superseded as error:
            if luck.lock_lost_after is None:
                self._breaches.append(f"conductor {life} let go of a run that nobody else has: {error}")
            return f"superseded: {error}"
        except (BursarError, OSError) as error:
            if not faults.errors:
                self._breaches.append(f"conductor {life} gave up without a reason: {error!r}")
            return f"error: {error}"
        finally:
            faults.is_dead = True
            self.machine.forget_waiters()

    def _conduct(self, life: int, luck: Luck, faults: Faults) -> str:
        opened, tools = self._open(faults), self._tools(faults, f"conductor {life}")
        lock = RunLock(tools.state_dir, opened)
        loop = VirtualLoop(self.machine.timeline)
        try:
            if self._is_home(opened, tools):
                return RunState.SUCCEEDED
            conductor, rows = self._take_up(life, opened, tools, faults)
            self._plan_luck(luck, faults, conductor, opened, tools)
            second = self._plan_second(life, luck, faults, loop)
            try:
                return _run(loop, conductor.conduct(rows))
            finally:
                faults.is_dead = True
                self._follow_second(second, loop)
        finally:
            close_loop(loop)
            lock.release()

    def _is_home(self, opened: PlanToRun, tools: Tools) -> bool:
        """Whether there is a SUMMARY; then the run's last act is made up for."""
        if not any(self.machine.git.homecomings):
            return False
        settle_finished(opened, tools)
        return True

    def _take_up(
        self, life: int, opened: PlanToRun, tools: Tools, faults: Faults
    ) -> tuple[Conductor, Sequence[AttemptRow]]:
        run = unfinished_run(opened, tools)
        dice = random.Random(f"{self.scenario.seed}/executor/{tools.conductor}")
        executor = SimulatedExecutor(self.machine, faults, dice)
        limit, emit = self.scenario.limit(life), self._events.append
        conductor, _, rows = take_up(opened, tools, run, limit, emit, executor=executor)
        self._variant.spoil(conductor, self.machine)
        return conductor, rows

    def _plan_second(self, life: int, luck: Luck, faults: Faults, loop: VirtualLoop) -> list[_Second]:
        """Where the lock is to be lost, somebody else will conduct the run, too, and is in the list then."""
        begun: list[_Second] = []

        def begin() -> None:
            if not faults.is_dead:
                begun.extend(self._begin_second(life, loop))

        if luck.lock_lost_after is not None:
            self.machine.timeline.after(luck.lock_lost_after, begin)
        return begun

    def _begin_second(self, life: int, loop: VirtualLoop) -> Iterator[_Second]:
        """Its lock file is another one, and everything goes well for it."""
        faults = Faults()
        opened, tools = self._open(faults), self._tools(faults, f"conductor {life}, the second")
        shutil.rmtree(tools.state_dir / "locks")
        lock = RunLock(tools.state_dir, opened)
        try:
            if not self._is_home(opened, tools):
                conductor, rows = self._take_up(life, opened, tools, faults)
                yield _Second(loop.create_task(conductor.conduct(rows)), faults, lock, self.machine.timeline.now)
                return
        except BursarError as error:
            self._breaches.append(f"the second conductor could not begin: {error!r}")
        lock.release()

    def _follow_second(self, begun: Sequence[_Second], loop: VirtualLoop) -> None:
        """The second conductor, which the first may not outlive, comes to its end."""
        loop.set_exception_handler(lambda *_: None)  # of the first, whose tasks find that they are dead
        for each in begun:
            try:
                ended: str = loop.run_until_complete(each.task)
                self._check_quiet(ended)
            except (BursarError, Stuck) as error:
                ended = f"error: {error}"
                self._breaches.append(f"the second conductor gave up without a reason: {error!r}")
            each.faults.is_dead = True
            each.lock.release()
            life = Life(luck=Luck(), ended=ended, writes=each.faults.writes, began=each.began, is_second=True)
            self._lives.append(life)

    def _plan_luck(self, luck: Luck, faults: Faults, conductor: Conductor, opened: PlanToRun, tools: Tools) -> None:
        timeline = self.machine.timeline

        def while_alive(happen: Callable[[], None]) -> Callable[[], None]:
            return lambda: None if faults.is_dead else happen()

        if luck.stop_after is not None:
            timeline.after(luck.stop_after, while_alive(conductor.request_stop))
        if luck.ask_after is not None:
            timeline.after(luck.ask_after, while_alive(lambda: self._ask(luck.asks, conductor)))
        if luck.rival_after is not None:
            timeline.after(luck.rival_after, while_alive(lambda: self._try_rival(opened, tools)))
        if luck.turn_after is not None:
            timeline.after(luck.turn_after, lambda: self.machine.clock.turn(luck.turn_by))

    def _ask(self, kind: RequestKind, conductor: Conductor) -> None:
        """Somebody asks the conductor for something, through the journal, and rings."""
        if (run := self._latest()) is not None and run.conductor is not None:
            now = self.machine.clock.now().isoformat()
            asked = Request(run_id=run.id, conductor=run.conductor, kind=kind, by_user="ada", at=now)
            self.journal.controls.ask(asked)
            conductor.look()

    def _try_rival(self, opened: PlanToRun, tools: Tools) -> None:
        with suppress(UserError):
            RunLock(tools.state_dir, opened).release()
            self._breaches.append("a second conductor was let in")

    def _open(self, faults: Faults) -> PlanToRun:
        dice = random.Random(f"{self.scenario.seed}/git/{len(self._lives)}")
        origin = SimulatedOrigin(self.machine, self._folder, faults, dice)
        return PlanToRun(plan=self.scenario.plan, graph=self.scenario.graph, origin=origin)

    def _tools(self, faults: Faults, conductor: str) -> Tools:
        stores = guard_stores(self.machine.ledger, self.journal, self.history, faults)
        return Tools(
            stores=stores,
            agent=CommandAgent(["/bin/true"], {"small": "s", "medium": "m", "large": "l"}),
            rates=RATES,
            settings=self.scenario.settings,
            state_dir=self._folder / "state",
            environment={"PATH": "/usr/bin:/bin"},
            clock=self.machine.clock,
            ids=self._ids,
            conductor=conductor,
        )

    def _check_quiet(self, ended: str) -> None:
        """A conductor that came to an end by itself has left nobody at work."""
        if self.machine.supervisors:
            self._breaches.append(f"the run is {ended}, and agents are at work: {sorted(self.machine.supervisors)}")

    def _between(self, luck: Luck) -> None:
        """Time passes; supervisors go on, or the machine restarts. People answer what waits for them."""
        self.machine.timeline.pass_by(luck.pause)
        if luck.reboots:
            self.machine.reboot()
        run = self._latest()
        for task in [] if run is None else self.journal.tasks(run.id):
            if task.state is TaskState.WAITING:
                self.machine.git.merge_by_hand(task.number, merged_ref(task.run_id))
                self.journal.set_task(task.run_id, task.number, TaskState.MERGED, note="approved by a person")

    def _latest(self) -> RunRow | None:
        return self.journal.latest_run(str(self._folder), str(self.scenario.plan.path))

    def _record(self) -> Record:
        run, machine = self._latest(), self.machine
        return Record(
            scenario=self.scenario,
            machine=machine,
            run=run,
            tasks=[] if run is None else self.journal.tasks(run.id),
            attempts=[] if run is None else self.journal.attempts(run.id),
            reservations=[] if run is None else machine.ledger.reservations({"run": run.id}),
            lives=self._lives,
            breaches=[*self._breaches, *machine.ledger.breaches, *machine.ledger.verify()],
            events=self._events,
        )


@dataclass(frozen=True, slots=True)
class _Second:
    """A conductor that has begun while another one was at work."""

    task: asyncio.Task[RunState]
    faults: Faults
    lock: RunLock
    began: float


def _run(loop: VirtualLoop, conducting: Coroutine[None, None, RunState]) -> str:
    return loop.run_until_complete(conducting)


def crash_once(at: int, *, is_before: bool) -> Callable[[int, int], Luck]:
    """Luck by which the first conductor dies at that write, and all others live in peace."""
    return lambda seed, life: replace(Luck(), crash_at=0 if life else at, is_before=is_before)


if __name__ == "__main__":
    from bursar.testing.simulated_audit import audit, describe

    options = argparse.ArgumentParser(description="One simulated run, with everything that happened in it.")
    options.add_argument("seed", type=int)
    record = simulate(options.parse_args().seed)
    print(describe(record))
    sys.exit(bool(audit(record)))
