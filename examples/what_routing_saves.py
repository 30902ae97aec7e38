"""What "75 % cheaper" is worth: the same made-up tasks, paid for in four ways; and what two learners' ranges keep.

    python examples/what_routing_saves.py

Everything is drawn from a seed: tasks of a difficulty that nobody sees, and three models whose list prices are as 1 to
3 to 5. A weaker model takes more calls, and a failed attempt takes longer than a good one.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bursar.estimation import DocumentedLearner, Estimator, Key
from bursar.routing import (
    AttemptVerdict,
    Choice,
    Facts,
    LearnedPolicy,
    Offer,
    PastAttempt,
    Policy,
    Purchase,
    RulesPolicy,
)

SEED, TASKS, WORTH_USD = 11, 400, 6.0
OFFERS = (Offer("small", "small"), Offer("medium", "medium"), Offer("large", "large"))
USD_PER_MILLION = {"small": 1.0, "medium": 3.0, "large": 5.0}
TOKENS = {"small": 300_000, "medium": 240_000, "large": 200_000}  # of a usual attempt
SKILL = {"small": 0.8, "medium": 1.4, "large": 2.0}  # at a difficulty of as much, one attempt in two is good
TYPES = {"simple-impl": 0.7, "api-impl": 1.0, "complex-refactor": 1.6}  # how long they take


@dataclass(frozen=True, slots=True)
class MadeUpTask:
    """A task, and how an attempt of each model at it ends."""

    name: str
    facts: Facts
    ends: Mapping[str, PastAttempt]


def make_task(number: int, luck: random.Random) -> MadeUpTask:
    """The next task."""
    kind, difficulty, size = luck.choice(list(TYPES)), luck.gauss(0.5, 1.2), luck.lognormvariate(0.0, 0.4)
    ends = {}
    for model in SKILL:
        is_good = luck.random() < 1 / (1 + math.exp(2 * (difficulty - SKILL[model])))
        tokens = TOKENS[model] * TYPES[kind] * size * luck.lognormvariate(0.0, 0.4) * (1.0 if is_good else 1.5)
        verdict = AttemptVerdict.PASS if is_good else AttemptVerdict.FAIL
        ends[model] = PastAttempt(model, verdict, tokens * USD_PER_MILLION[model] / 1e6)
    facts = Facts(kind, "shop", complexity=luck.randint(1, 10), text=f"task {number}")
    return MadeUpTask(f"task {number}", facts, ends)


@dataclass(slots=True)
class Bill:
    """What was paid, and for how many finished tasks."""

    usd: float = 0.0
    finished: int = 0

    @property
    def usd_per_task(self) -> float:
        """Of a finished one, failed attempts counted."""
        return self.usd / self.finished


class OneModel(RulesPolicy):
    """One attempt by one model, whatever comes of it."""

    def __init__(self, model: str) -> None:
        self._model = model

    def choose(self, purchase: Purchase) -> Choice:
        """The model; nothing after it."""
        return Choice(task=purchase.task, model=None if purchase.attempts else self._model)


def pay(tasks: Sequence[MadeUpTask], policy: Policy) -> Bill:
    """The bill of one after the other, each until it is finished or the policy stops; it hears how attempts end."""
    bill = Bill()
    for task in tasks:
        attempts: tuple[PastAttempt, ...] = ()
        while (choice := policy.choose(purchase_of(task, attempts))).model is not None:
            end = task.ends[choice.model]
            if choice.cap_usd is not None and end.cost_usd > choice.cap_usd:
                end = PastAttempt(end.model, AttemptVerdict.CAPPED, choice.cap_usd)
            policy.observe(task.name, task.facts, end)
            attempts = (*attempts, end)
            bill.usd += end.cost_usd
            if end.verdict is AttemptVerdict.PASS:
                bill.finished += 1
                break
    return bill


def purchase_of(task: MadeUpTask, attempts: tuple[PastAttempt, ...]) -> Purchase:
    """The task with the models that have not tried it yet."""
    tried = {attempt.model for attempt in attempts}
    offers = tuple(offer for offer in OFFERS if offer.name not in tried)
    return Purchase(
        task=task.name,
        facts=task.facts,
        offers=offers,
        attempts=attempts,
        value_usd=WORTH_USD,
        must_try=not attempts,
    )


def kept(learner: Estimator, tasks: Sequence[MadeUpTask]) -> dict[str, str]:
    """The share of costs within the ranges given before them: of kinds seen at most twice, and of all others."""
    counts = {"seldom": [0, 0], "often": [0, 0]}
    for task in tasks:
        for model, end in task.ends.items():
            complexity = None if task.facts.complexity is None else round(task.facts.complexity)
            key = Key(measure="cost_usd", model=model, type=task.facts.kind, complexity=complexity, project="shop")
            told = learner.estimate(key)
            count = counts["seldom" if told.alike <= 2 else "often"]
            count[0] += told.p10 <= end.cost_usd <= told.p90
            count[1] += 1
            learner.observe(key, end.cost_usd)
    return {name: f"{100 * within / of:.0f} %" for name, (within, of) in counts.items()}


def main() -> None:
    """Prints both tables."""
    luck = random.Random(SEED)
    tasks = [make_task(number, luck) for number in range(TASKS)]
    ways: dict[str, Policy] = {
        "the large model, once": OneModel("large"),
        "the small model, once": OneModel("small"),
        "the rules": RulesPolicy(),
        "what is learned": LearnedPolicy(),
    }
    bills = {name: pay(tasks, policy) for name, policy in ways.items()}
    usual = bills["the large model, once"].usd_per_task
    write = sys.stdout.write
    write(f"{TASKS} tasks                   USD  finished  USD for a finished one\n")
    for name, bill in bills.items():
        less = "" if bill.usd_per_task == usual else f"  {100 * (1 - bill.usd_per_task / usual):+.0f} % saved"
        write(f"{name:<23}{bill.usd:>8.2f}{bill.finished:>10}{bill.usd_per_task:>14.2f}{less}\n")
    write("\ncosts within their ranges      kinds seen 0-2 times  more often\n")
    for name, learner in (("least to most", DocumentedLearner()), ("what is learned", Estimator())):
        shares = kept(learner, tasks[:150])
        write(f"{name:<31}{shares['seldom']:>20}{shares['often']:>12}\n")


if __name__ == "__main__":
    main()
