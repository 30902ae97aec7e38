"""What earlier runs have taught about the models of this one: the learned policy, told in tasks and tiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bursar.agents import Agent
from bursar.history import facts_of
from bursar.money import NANO_PER_USD
from bursar.plan import Task
from bursar.routing import Choice, LearnedPolicy, Offer, PastAttempt, Purchase, Tier


@dataclass(frozen=True, slots=True)
class Advised:
    """The tier that is worth its money, and where to end its attempt; None for nowhere."""

    tier: Tier
    cap_nano_usd: int | None
    because: str


@dataclass(frozen=True, slots=True)
class Wish:
    """A task for which an attempt may be bought; `model`: the only one that it may be, None for any of the agent's."""

    task: Task
    agent: Agent
    model: str | None = None


@dataclass(slots=True)
class Advice:
    """Chooses tiers for the tasks of one run, by a policy that has learned before.

    Attributes:
        project: as observations name it.
        value_usd: what a finished task is worth.
        seen: how many attempts the policy has learned from.
        needed: how many it must have before it is asked.
        corrections: types that people have given, by the task's digest.
    """

    policy: LearnedPolicy
    project: str
    value_usd: float
    seen: int = 0
    needed: int = 0
    corrections: Mapping[str, str] = field(default_factory=dict)
    price_usd: float | None = None  # what a finished task is worth where money is short; None while there is enough
    _attempts: dict[str, tuple[PastAttempt, ...]] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        """Whether enough is known for it to choose; it may become so while the run is on."""
        return self.seen >= self.needed

    @property
    def learned_from(self) -> int | None:
        """How many attempts it chooses by; None while the rules choose."""
        return self.seen if self.is_ready else None

    def learn(self, task: Task, attempt: PastAttempt) -> None:
        """An attempt of this run has ended: what is chosen from here on knows it."""
        self.policy.observe(self._name(task), facts_of(task, self.project, self.corrections), attempt)
        self._attempts[task.number] = (*self._attempts.get(task.number, ()), attempt)
        self.seen += 1

    def first(self, task: Task, agent: Agent) -> Advised | None:
        """Where to begin; None while the rules choose, or where the plan names a model: that goes first."""
        return None if task.model or not self.is_ready else self._choose(task, agent, must_try=True)

    def after(self, task: Task, agent: Agent) -> Advised | None:
        """What to buy after attempts that have failed or were ended at a cap; None: nothing is worth its price.

        Where money is short a cheaper model may be chosen, but no task is given up for that: money may be left over.
        """
        advised = self._choose(task, agent, must_try=False)
        return self._choose(task, agent, must_try=True) if advised and self.price_usd is not None else advised

    def look_at_money(self, wishes: Sequence[Wish], left_usd: float, count: int) -> bool:
        """What is chosen from here on knows how far the money goes; returns whether it is short.

        Args:
            wishes: tasks that are still to be done, or so many of them that they speak for all.
            count: how many there are.
        """
        purchases = [each for wish in wishes if (each := self._purchase(wish)) is not None]
        share = left_usd * len(wishes) / max(1, count)
        is_short = bool(purchases) and self.policy.is_short(purchases, share)
        self.price_usd = min(self.value_usd, self.policy.fair_price(purchases, share)) if is_short else None
        return is_short

    def buy(self, ready: Sequence[Wish], left_usd: float) -> Iterator[tuple[Wish, Advised]]:
        """Attempts in the order in which they bring most finished work per dollar, until nothing is worth its price."""
        open_ = {purchase.task: (wish, purchase) for wish in ready if (purchase := self._purchase(wish)) is not None}
        while open_:
            ready_now = [purchase for _, purchase in open_.values()]
            choice = self.policy.choose_next(ready_now, left_usd, self.price_usd)
            if choice is None or (advised := _advised(choice, open_[choice.task][0].agent)) is None:
                return
            yield open_.pop(choice.task)[0], advised
            left_usd -= choice.expected_cost_usd or 0.0

    def _choose(self, task: Task, agent: Agent, *, must_try: bool) -> Advised | None:
        purchase = self._purchase(Wish(task, agent), must_try=must_try)
        if purchase is None:
            return None
        if must_try and self.price_usd is not None:
            purchase = replace(purchase, value_usd=self.price_usd)
        return _advised(self.policy.choose(purchase), agent)

    def _purchase(self, wish: Wish, *, must_try: bool = False) -> Purchase | None:
        """The task as something to buy an attempt for; None where every model has tried it."""
        attempts = self._attempts.get(wish.task.number, ())
        tried = {attempt.model for attempt in attempts}
        models = _models(wish.agent)
        if wish.model is not None:
            models, tried = {wish.model: models.get(wish.model, Tier.MEDIUM)}, set()
        offers = tuple(Offer(model, tier) for model, tier in models.items() if model not in tried)
        if not offers:
            return None
        return Purchase(
            task=self._name(wish.task),
            facts=facts_of(wish.task, self.project, self.corrections),
            offers=offers,
            attempts=attempts,
            value_usd=self.value_usd,
            must_try=must_try,
        )

    def _name(self, task: Task) -> str:
        return f"this run/{task.number}"


def _models(agent: Agent) -> dict[str, Tier]:
    """The agent's models with their tiers, small to large; one that stands for several with the smallest of them."""
    tiers = {agent.model_for(tier): tier for tier in reversed(Tier)}
    return dict(reversed(tiers.items()))


def _advised(choice: Choice, agent: Agent) -> Advised | None:
    if choice.model is None:
        return None
    cap = None if choice.cap_usd is None else max(1, round(choice.cap_usd * NANO_PER_USD))
    return Advised(_models(agent).get(choice.model, Tier.MEDIUM), cap, choice.reason)
