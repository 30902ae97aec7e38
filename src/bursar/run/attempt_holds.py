"""What each task's attempt asks the ledger to hold, and whether another may begin beside those that run blind."""

from __future__ import annotations

from collections.abc import Mapping

from bursar.budget import Limit
from bursar.estimation import estimate
from bursar.history import Observation
from bursar.plan import Task
from bursar.run.context import RunContext
from bursar.run.continuing import Continuing
from bursar.run.expectations import Expectation, Expectations
from bursar.run.holds import Hold, choose_hold, leaves_room_to_grow, with_more, within_cap
from bursar.run.inheriting import Inheritance
from bursar.run.job_holds import FairShares


class AttemptHolds:
    """The holds of one run's tasks, chosen once and again when more is known."""

    def __init__(self, context: RunContext, inheritance: Inheritance, continuing: Continuing) -> None:
        """What tasks are given to read takes tokens, too; what is gone on with is paid for."""
        self._context = context
        self._inheritance = inheritance
        self._continuing = continuing
        self._expectations = Expectations(context)
        self._shares = FairShares(context)
        self._holds: dict[tuple[str, str, Limit | None], Hold] = {}
        self._blind: set[str] = set()  # keys of attempts that run on a blind hold
        self._do_compete = _compete(context)
        self._are_lengths_known = not self._do_compete

    def hold_for(self, task: Task) -> Hold:
        """What an attempt at `task` would ask the ledger to hold."""
        model, cap = self._context.model_of(task), self._context.cap_of(task)
        key = (task.number, model, cap)
        if key not in self._holds:
            hold = choose_hold(
                estimate(task),
                task.metrics.token_budget,
                self._context.settings.default_hold_tokens,
                rates=self._context.rates,
                model=model,
                expected=self._expected(task, model),
            )
            hold = with_more(hold, self._inheritance.tokens_for(task), task.metrics.token_budget)
            self._holds[key] = within_cap(self._shares.demand(task, hold), cap)
        return self._continuing.shrink(task, self._holds[key])

    def lengths(self) -> Mapping[str, float] | None:
        """What tasks will take, for whoever orders them; None: as before, or there is a slot for everybody anyway."""
        if self._are_lengths_known:
            return None
        self._are_lengths_known = True
        return self._expectations.lengths(self._context.plan.tasks)

    def may_begin(self, task: Task) -> bool:
        """Whether the attempts that run on blind holds would still have room to grow."""
        if not self._blind:
            return True
        balances = self._context.stores.ledger.balances(self._context.labels_of(task))
        return leaves_room_to_grow(self.hold_for(task), len(self._blind), balances)

    def begun(self, key: str, hold: Hold) -> None:
        """The attempt runs on that hold."""
        if hold.is_blind:
            self._blind.add(key)

    def ended(self, key: str) -> None:
        """What the attempt took is known from here on."""
        self._blind.discard(key)

    def learn(self, seen: Observation) -> None:
        """What the attempt came to may change what others ask for."""
        if self._expectations.learn(seen):
            self._holds.clear()
            self._are_lengths_known = not self._do_compete

    def _expected(self, task: Task, model: str) -> Expectation | None:
        """What is learned, where a budget makes it matter; what an instance is told to hold goes before that."""
        if task.number in self._context.instances:
            return None if estimate(task) else self._expectations.expect(task, model)
        balances = self._context.stores.ledger.balances(self._context.labels_of(task))
        return self._expectations.expect(task, model) if self._expectations.matter(balances) else None


def _compete(context: RunContext) -> bool:
    """Whether more tasks may be ready than there are slots, and some of them wait for others."""
    waves = context.graph.waves()
    return len(waves) > 1 and max(map(len, waves)) > context.settings.max_parallel
