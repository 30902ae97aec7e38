"""What comes after an attempt that has failed: a larger tier, another provider's agent, or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bursar.agents import Agent
from bursar.plan import Task
from bursar.routing import PastAttempt, Tier, choose_route, larger_tier, smaller_tier
from bursar.run.advice import Advice, Advised, Wish

_RATE_LIMITED = re.compile(r"\b429\b|rate.?limit|too many requests|overloaded|usage limit reached", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Escalated:
    """The task's next attempt goes to another model or agent, for this reason."""

    model: str
    because: str


@dataclass(slots=True)
class Escalation:
    """The routes of tasks that are not on their first one any more.

    Attributes:
        agents: the run's agent first, then those to fail over to.
        max_attempts: at one task in this run, those not counted that a rate limit ended.
        advice: what was learned, if that is to choose; None: the rules do.
        escalates_named: a task whose plan names a model in full goes to larger ones, too.
    """

    agents: Sequence[Agent]
    max_attempts: int = 1
    advice: Advice | None = None
    escalates_named: bool = False
    _first: dict[str, Advised | None] = field(default_factory=dict)  # advised for tasks that have not begun
    _by_rule: dict[str, str] = field(default_factory=dict)
    _caps: dict[str, int | None] = field(default_factory=dict)
    _tiers: dict[str, Tier] = field(default_factory=dict)
    _agents: dict[str, int] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)
    _lessons: dict[str, str] = field(default_factory=dict)

    def agent_of(self, task: Task) -> Agent:
        """The agent that works on the task."""
        return self.agents[self._agents.get(task.number, 0)]

    def model_of(self, task: Task) -> str:
        """The model that works on the task, in its agent's words."""
        return self.agent_of(task).model_for(self._wanted(task))

    def cap_of(self, task: Task) -> int | None:
        """Nano-USD at which the advice would end the task's next attempt; None for nowhere."""
        first = self._advised_first(task)
        return self._caps.get(task.number) if first is None else first.cap_nano_usd

    def lesson_of(self, task: Task) -> str:
        """What the next attempt is told of the last one; empty for nothing."""
        return self.lesson_about(task.number)

    def lesson_about(self, number: str) -> str:
        """The same, by the task's number."""
        return self._lessons.get(number, "")

    def begun(self, task: Task) -> None:
        """An attempt at the task begins: its route holds, whatever is learned while it runs."""
        tier, cap = self.tier_of(task), self.cap_of(task)
        if tier is not None:
            self._tiers[task.number], self._caps[task.number] = tier, cap

    def learn(self, task: Task, attempt: PastAttempt) -> None:
        """What an attempt of the run came to may change the routes of tasks that have not begun."""
        if self.advice is not None:
            self.advice.learn(task, attempt)
            self._first.clear()

    @property
    def learned_from(self) -> int | None:
        """How many attempts its routes are learned from; None while the rules choose."""
        return None if self.advice is None else self.advice.learned_from

    def settled_model(self, task: Task) -> str | None:
        """The only model that the task's next attempt may be at: the plan's, or the one that follows a failure."""
        return self.model_of(task) if task.model or task.number in self._tiers else None

    def look_at_money(self, wishes: Sequence[Wish], left_usd: float, count: int) -> bool:
        """Advice knows how far the money goes for `count` tasks of which these are some; whether it is short."""
        if self.advice is None:
            return False
        before = self.advice.price_usd
        is_short = self.advice.look_at_money(wishes, left_usd, count)
        if self.advice.price_usd != before:
            self._first.clear()
        return is_short

    def buy(self, ready: Sequence[Wish], left_usd: float) -> Iterator[str]:
        """Tasks in the order in which attempts at them bring most for the money, each on the route that does."""
        for wish, advised in self.advice.buy(ready, left_usd) if self.advice is not None else ():
            if wish.model is None:
                self._first[wish.task.number] = advised
            yield wish.task.number

    def escalate(self, task: Task, reason: str, lesson: str, *, is_priced: bool = False) -> Escalated | None:
        """After a failed attempt: the task goes to the next larger tier with another model; None if it has failed.

        A task whose plan names a model in full stays with it, and is not tried again, unless the settings let it.
        Where there is advice, it says which tier is worth its money, a smaller one too, or that none is.

        Args:
            is_priced: the price of what failed is known, so that advice has something to go by.
        """
        if _RATE_LIMITED.search(reason) and self.can_fail_over(task):
            return self.fail_over(task)
        failures = self._failures[task.number] = self._failures.get(task.number, 0) + 1
        if failures >= self.max_attempts:
            return None
        if self.advice is not None and self.advice.is_ready and is_priced and not task.model:
            advised = self.advice.after(task, self.agent_of(task))
            return None if advised is None else self._move(task, advised.tier, advised.cap_nano_usd, reason, lesson)
        tier = self.tier_of(task) or self._tier_of_named(task)
        larger = None if tier is None else self._next_above(task, tier)
        return None if larger is None else self._move(task, larger, None, reason, lesson)

    def teach(self, task: Task, lesson: str) -> None:
        """The next attempt is told this of the ones before it; the task's route stays."""
        self._lessons[task.number] = lesson

    def _move(self, task: Task, tier: Tier, cap: int | None, reason: str, lesson: str) -> Escalated:
        before = self.tier_of(task) or self._tier_of_named(task)
        self._tiers[task.number], self._caps[task.number] = tier, cap
        self._lessons[task.number] = lesson
        model = self.model_of(task)
        is_next = before is not None and tier is self._next_above(task, before)
        return Escalated(model, f"goes to {model}{', one tier up' if is_next else ''}: {reason}")

    def downgrade(self, task: Task) -> Escalated | None:
        """The task goes to the next smaller tier with another model, because there is no money for this one."""
        smaller = self._other(task, smaller_tier)
        if smaller is None:
            return None
        self._tiers[task.number] = smaller
        self._caps.pop(task.number, None)
        model = self.model_of(task)
        return Escalated(model, f"goes to {model}, one tier down: the budget has no room for more")

    def restore(self, task: Task, tier: Tier | None) -> None:
        """An earlier conductor had the task on this tier."""
        if tier is not None:
            self._tiers[task.number] = tier

    def tier_of(self, task: Task) -> Tier | None:
        """The tier that the task is on; None where its plan names a model in full."""
        wanted = self._wanted(task)
        return Tier(wanted) if wanted in tuple(Tier) else None

    def _wanted(self, task: Task) -> str:
        """The tier, or a model that the plan names."""
        first = self._advised_first(task)
        return first.tier if first is not None else self._tiers.get(task.number) or self._ruled(task)

    def _ruled(self, task: Task) -> str:
        """What its plan and the rules say of the task; they say it once, and are asked often."""
        if task.number not in self._by_rule:
            self._by_rule[task.number] = choose_route(task).model_or_tier
        return self._by_rule[task.number]

    def _advised_first(self, task: Task) -> Advised | None:
        """What is advised for the first attempt at the task; None where there is no advice, or one has begun."""
        if self.advice is None or task.number in self._tiers:
            return None
        if task.number not in self._first:
            self._first[task.number] = self.advice.first(task, self.agent_of(task))
        return self._first[task.number]

    def _tier_of_named(self, task: Task) -> Tier | None:
        """The smallest tier that stands for the model that the plan names in full, where it may be left."""
        named = self._wanted(task)
        tiers = (tier for tier in Tier if self.agent_of(task).model_for(tier) == named)
        return next(tiers, None) if self.escalates_named else None

    def can_fail_over(self, task: Task) -> bool:
        """Whether there is another agent that takes over where the task's own is rate limited."""
        return self._agents.get(task.number, 0) + 1 < len(self.agents)

    def fail_over(self, task: Task) -> Escalated:
        """The task goes to the next agent; `can_fail_over` has said that there is one."""
        limited = self.agent_of(task).name
        self._agents[task.number] = self._agents.get(task.number, 0) + 1
        model = self.model_of(task)
        return Escalated(model, f"goes to agent {self.agent_of(task).name}: {limited} is rate limited")

    def _other(self, task: Task, step: Callable[[Tier], Tier | None]) -> Tier | None:
        """The nearest tier in that direction for which the agent has another model."""
        tier = self.tier_of(task)
        return None if tier is None else self._beside(task, tier, step)

    def _next_above(self, task: Task, tier: Tier) -> Tier | None:
        return self._beside(task, tier, larger_tier)

    def _beside(self, task: Task, tier: Tier, step: Callable[[Tier], Tier | None]) -> Tier | None:
        agent = self.agent_of(task)
        now, found = agent.model_for(tier), step(tier)
        while found is not None and agent.model_for(found) == now:
            found = step(found)
        return found
