"""What earlier runs have taught about the models of this one: the learned policy, told in tasks and tiers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bursar.agents import Agent
from bursar.estimation import choose_task_type
from bursar.history import Observation
from bursar.money import NANO_PER_USD
from bursar.plan import Task
from bursar.routing import AttemptVerdict, Facts, LearnedPolicy, Offer, PastAttempt, Purchase, Tier

ENOUGH_ATTEMPTS = 30  # before so many are known, the rules go on
_VERDICTS = {
    "succeeded": AttemptVerdict.PASS,
    "failed": AttemptVerdict.FAIL,
    "stopped": AttemptVerdict.CAPPED,
}


@dataclass(frozen=True, slots=True)
class Advised:
    """The tier that is worth its money, and where to end its attempt; None for nowhere."""

    tier: Tier
    cap_nano_usd: int | None
    because: str


@dataclass(slots=True)
class Advice:
    """Chooses tiers for the tasks of one run, by a policy that has learned before.

    Attributes:
        project: as observations name it.
        value_usd: what a finished task is worth.
    """

    policy: LearnedPolicy
    project: str
    value_usd: float
    _attempts: dict[str, tuple[PastAttempt, ...]] = field(default_factory=dict)

    def first(self, task: Task, agent: Agent) -> Advised | None:
        """Where to begin; None where the plan names a model: that goes first."""
        return None if task.model else self._choose(task, agent, must_try=True)

    def after(self, task: Task, agent: Agent, attempt: PastAttempt) -> Advised | None:
        """What to buy after an attempt that has failed or was ended at its cap; None: nothing is worth its price."""
        self._attempts[task.number] = (*self._attempts.get(task.number, ()), attempt)
        return self._choose(task, agent, must_try=False)

    def _choose(self, task: Task, agent: Agent, *, must_try: bool) -> Advised | None:
        attempts = self._attempts.get(task.number, ())
        tried = {attempt.model for attempt in attempts}
        tiers = {agent.model_for(tier): tier for tier in reversed(Tier)}
        offers = tuple(Offer(model, tier) for model, tier in reversed(tiers.items()) if model not in tried)
        if not offers:
            return None
        choice = self.policy.choose(
            Purchase(
                task=f"this run/{task.number}",
                facts=facts_of(task, self.project),
                offers=offers,
                attempts=attempts,
                value_usd=self.value_usd,
                must_try=must_try,
            )
        )
        if choice.model is None:
            return None
        cap = None if choice.cap_usd is None else max(1, round(choice.cap_usd * NANO_PER_USD))
        return Advised(tiers[choice.model], cap, choice.reason)


def facts_of(task: Task, project: str) -> Facts:
    """What is known of a plan's task before it is tried."""
    return Facts(choose_task_type(task), project, task.complexity, f"{task.name}\n{task.action}")


def learn_policy(observations: Iterable[Observation]) -> tuple[LearnedPolicy, int]:
    """The policy that these attempts, oldest first, have taught; and how many of them taught anything.

    One whose price is unknown, or that was interrupted, says nothing about what money brings.
    """
    policy, count = LearnedPolicy(), 0
    for seen in observations:
        verdict = _VERDICTS.get(seen.outcome)
        if verdict is None or seen.nano_usd is None:
            continue
        facts = Facts(kind=seen.task_type, project=seen.project, complexity=seen.complexity)
        task = seen.key.rpartition("/")[0] or seen.key
        policy.observe(task, facts, PastAttempt(seen.model, verdict, seen.nano_usd / NANO_PER_USD))
        count += 1
    return policy, count
