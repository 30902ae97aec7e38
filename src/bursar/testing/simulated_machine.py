"""A machine on which attempts run, in memory: claims, supervisors, their agents, and the books that they write.

Supervisors meter with the real reader, meter and spending; they outlive whoever submitted the attempt, or die, at any
of their own steps. What agents truly used is written down beside all that, for the auditor.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from bursar.agents import open_reader
from bursar.budget import Amount, OnLimit
from bursar.errors import BursarError
from bursar.events import AgentEvent, CallReported, SessionEnded
from bursar.ledger import MemoryLedger, Observer, State
from bursar.ledger.books import Books
from bursar.metering import Meter
from bursar.supervision import AttemptSpec, Ending, Outcome
from bursar.supervision.spending import Spending
from bursar.testing.simulated_agents import Moment, Script, Truth, write_script
from bursar.testing.simulated_git import SimulatedGit
from bursar.testing.virtual_time import Timeline, VirtualClock

CANCELLED = "cancelled"
SUPERVISED = "supervised"


class WatchedLedger(MemoryLedger):
    """The memory ledger, whose law is looked at after every single write."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.breaches: list[str] = []

    @contextmanager
    def _transaction(self) -> Iterator[Books]:
        with super()._transaction() as books:
            yield books
        self._watch()

    def observe(self, observer: Observer) -> None:
        """Nobody keeps a copy."""

    def _watch(self) -> None:
        """Settled and held are within the limit of every blocking budget, what overran listed apart."""
        books = self._books
        for standing in books.every():
            budget, last = standing.budget, standing.latest
            if budget.on_limit is not OnLimit.BLOCK or last is None:
                continue
            over = 0
            for each in books.holdings.values():
                if any(account.budget == budget.name for account in each.accounts):
                    weight = budget.amount_of(each.held if each.state is State.HELD else each.charged or each.held) or 0
                    over += max(0, weight - (budget.amount_of(each.granted) or 0))
            if last.spent + last.reserved - over > budget.limit.quantity:
                self.breaches.append(f"{budget.name}: {last.spent} spent and {last.reserved} held, {over} listed")


class Machine:
    """All that outlives a conductor, but its journal: processes, claims, outcomes, git, the ledger, the time."""

    def __init__(self, seed: int, *, scale: int) -> None:
        self.seed = seed
        self.scale = scale
        self.timeline = Timeline()
        self.clock = VirtualClock(self.timeline)
        self.ledger = WatchedLedger(self.clock)
        self.git = SimulatedGit()
        self.claims: dict[str, str] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.supervisors: dict[str, Supervisor] = {}
        self.pending: dict[str, int] = {}
        self.truths: dict[str, Truth] = {}
        self.is_tame = False
        self._waiters: dict[str, list[Callable[[], None]]] = {}

    def is_running(self, key: str) -> bool:
        """Whether a supervisor works on the attempt."""
        return key in self.supervisors

    def when_changed(self, key: str, wake: Callable[[], None]) -> None:
        """`wake` is called once, when the attempt is not running, or not on its way, any more."""
        self._waiters.setdefault(key, []).append(wake)

    def tell(self, key: str) -> None:
        """Whoever waits for the attempt is woken."""
        for wake in self._waiters.pop(key, []):
            wake()

    def spawn(self, spec: AttemptSpec, seconds: float) -> None:
        """A supervisor is on its way."""
        self.pending[spec.key] = self.pending.get(spec.key, 0) + 1

        def begin() -> None:
            self.pending[spec.key] -= 1
            if not self.pending[spec.key]:
                del self.pending[spec.key]
            Supervisor(self, spec).begin()
            if not self.is_running(spec.key):
                self.tell(spec.key)

        self.timeline.after(seconds, begin)

    def stop(self, key: str) -> None:
        """The attempt's supervisor, if it has one, is told to stop."""
        if key in self.supervisors:
            self.supervisors[key].stop(Ending.INTERRUPTED)

    def forget_waiters(self) -> None:
        """Those who waited are dead."""
        self._waiters.clear()

    def reboot(self) -> None:
        """No process is left; what was on its way never arrives."""
        self.timeline.forget()
        self.pending.clear()
        for supervisor in list(self.supervisors.values()):
            supervisor.vanish()


class _Died(Exception):
    """The supervisor is dead."""


class Supervisor:
    """One attempt's. It takes the steps of the real one, in the same order, on the timeline."""

    def __init__(self, machine: Machine, spec: AttemptSpec) -> None:
        self._machine = machine
        self._spec = spec
        self._key = spec.key
        dice = random.Random(f"{machine.seed}/supervisor/{spec.key}")
        steps = ("claim", "start", "end", "outcome")
        self._dies_at = dice.choice(steps) if not machine.is_tame and dice.random() < 0.06 else ""
        self._dies_after = dice.uniform(0, 60) if not machine.is_tame and dice.random() < 0.04 else None
        self._ending = Ending.EXITED
        self._limit = ""
        self._is_stopping = False
        self._is_over = False

    def begin(self) -> None:
        """The attempt is claimed and its agent works; or somebody has claimed it before."""
        with suppress(_Died):
            machine, key = self._machine, self._key
            if key in machine.claims:
                return
            machine.claims[key] = SUPERVISED
            machine.supervisors[key] = self
            self._pass("claim")
            reservation = machine.ledger.reservation(key)
            if reservation is None or reservation.state is not State.HELD:
                self._leave()
                return
            self._spending = Spending(self._spec, machine.ledger, reservation)
            self._meter = Meter(self._spec.model, output_cap=self._spec.output_cap)
            self._reader = open_reader(self._spec.reader, {})
            self._script: Script = write_script(key, machine.seed, is_tame=machine.is_tame, scale=machine.scale)
            tree = machine.git.worktrees.get(self._spec.worktree)
            base = "" if tree is None else tree.base
            self._truth = Truth(key, reservation.labels["task"], base, machine.timeline.now)
            machine.truths[key] = self._truth
            self._pass("start")
            self._play(0)
            if self._spec.limit_seconds is not None:
                machine.timeline.after(self._spec.limit_seconds, lambda: self.stop(Ending.TIMEOUT))
            if self._dies_after is not None:
                machine.timeline.after(self._dies_after, self.vanish)

    def stop(self, ending: Ending, limit: str = "") -> None:
        """The agent is told to stop, and is gone soon after."""
        if self._is_stopping or self._is_over:
            return
        self._is_stopping, self._ending, self._limit = True, ending, limit
        self._machine.timeline.after(self._script.seconds_to_stop, lambda: self._finish(-15))

    def vanish(self) -> None:
        """The supervisor is dead, and its agent with it."""
        with suppress(_Died):
            self._die()

    def _die(self) -> NoReturn:
        if not self._is_over:
            self._end_truth()
            self._leave()
        raise _Died

    def _pass(self, step: str) -> None:
        if self._dies_at == step:
            self._die()

    def _play(self, number: int) -> None:
        if number >= len(self._script.moments):
            if self._script.exit_code is not None:
                self._machine.timeline.after(0.01, lambda: self._finish(self._script.exit_code))
            return
        moment = self._script.moments[number]
        self._machine.timeline.after(moment.seconds, lambda: self._live(moment, number))

    def _live(self, moment: Moment, number: int) -> None:
        """One moment of the agent's; one that has been told to stop says nothing more."""
        if self._is_over:
            return
        truth = self._truth
        if moment.begins is not None:
            if self._is_stopping:
                return
            truth.tokens += moment.begins.tokens
            truth.untold += moment.begins.tokens
        truth.untold -= sum(call.tokens for call in moment.tells)
        if moment.writes:
            self._write()
        for line in moment.lines:
            for event in self._reader.feed_line(line):
                self._take(event)
        self._play(number + 1)

    def _write(self) -> None:
        machine, spec = self._machine, self._spec
        files = machine.git.files_of_tasks.get(self._truth.task, ())
        if self._script.manner == "meddles":
            files = (*files, "meddled.txt")
        machine.git.write(spec.worktree, dict.fromkeys(files, self._key))

    def _take(self, event: AgentEvent) -> None:
        try:
            for delta in self._meter.feed(event):
                self._spending.record(delta)
            if self._may_judge(event) and (limit := self._spending.limit_reached()):
                self.stop(Ending.LIMIT, limit)
        except BursarError as error:
            self.stop(Ending.LEDGER_FAILED, error.message)

    def _may_judge(self, event: AgentEvent) -> bool:
        if self._is_stopping or self._meter.ended is not None or isinstance(event, SessionEnded):
            return False
        return not event.is_streaming if isinstance(event, CallReported) else self._spending.calls > 0

    def _finish(self, code: int | None) -> None:
        """The agent has ended: the outcome is written, then the hold is settled."""
        if self._is_over:
            return
        with suppress(_Died):
            self._pass("end")
            for event in self._reader.finish():
                self._take(event)
            said, unknown = self._meter.ended, self._unknown(code)
            self._truth.is_known = said is not None and not unknown.tokens
            has_finished = said is not None and not said.is_error and code == 0
            outcome = self._outcome(Ending.EXITED if has_finished else self._ending, code)
            self._machine.outcomes[self._key] = outcome
            self._pass("outcome")
            self._settle(unknown)
            self._end_truth()
            self._leave()

    def _settle(self, unknown: Amount) -> None:
        try:
            self._spending.settle(unknown)
        except BursarError as error:
            self._machine.ledger.breaches.append(f"the supervisor of {self._key} could not settle: {error.message}")

    def _unknown(self, code: int | None) -> Amount:
        if self._meter.session_id is None and not self._spending.calls and self._meter.ended is None:
            return self._spending.whole_hold() if self._ending is not Ending.EXITED or not code else Amount(0, 0)
        return self._spending.unknown(self._meter.unknown_call())

    def _outcome(self, ending: Ending, code: int | None) -> Outcome:
        said, metered, unknown = self._meter.ended, self._spending.metered, self._unknown(code)
        return Outcome(
            ending=ending,
            exit_code=code,
            is_error=None if said is None else said.is_error,
            message="" if said is None else said.message,
            denied_permissions=[],
            metered_tokens=metered.tokens,
            metered_nano_usd=metered.nano_usd,
            unknown_tokens=unknown.tokens,
            unknown_nano_usd=unknown.nano_usd,
            calls=self._spending.calls,
            wall_seconds=round(self._machine.timeline.now - self._truth.began, 3),
            session_id=self._meter.session_id,
            limit=self._limit,
        )

    def _end_truth(self) -> None:
        if self._key in self._machine.truths:
            self._truth.ended = self._machine.timeline.now

    def _leave(self) -> None:
        """The supervisor is gone; whoever waits for that is told."""
        self._is_over = True
        self._machine.supervisors.pop(self._key, None)
        self._machine.tell(self._key)
