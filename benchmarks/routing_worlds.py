"""Worlds of tasks and models that a routing policy can be tried in: each made of a seed, none of anybody's data.

A world is a list of tasks; for each model it says whether its work would be good and what it would cost. Worlds differ
in what a learner could take for granted: models that fail together or alone, cheap models that are dear, failures that
run for ever.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bursar.routing import AttemptVerdict, Facts, Offer, PastAttempt, Policy, Purchase

TIERS = ("small", "medium", "large")
OFFERS = tuple(Offer(f"model-{tier}", tier) for tier in TIERS)


@dataclass(frozen=True, slots=True)
class Result:
    """What one model would do on one task."""

    solved: bool
    cost_usd: float


@dataclass(frozen=True, slots=True)
class Model:
    """A model of a made-up world.

    Attributes:
        level: how good it is, in logits on a usual task.
        slope: by how many logits one standard deviation of difficulty lowers that.
        cost_usd: the middle of what a success costs.
        failed: by what factor a failure costs more.
    """

    level: float
    slope: float
    cost_usd: float
    failed: float = 1.5


Tail = Callable[[random.Random], float]
World = Sequence[Sequence[Result]]


def log_normal(draw: random.Random) -> float:
    """A factor that is 2 or more one time in six."""
    return math.exp(draw.gauss(0.0, 0.7))


def heavy(draw: random.Random) -> float:
    """A factor with a tail that has a mean and no variance."""
    return 0.5 * draw.paretovariate(1.6)


def even(draw: random.Random) -> float:
    """Any factor from a half to one and a half, one as often as another."""
    return draw.uniform(0.5, 1.5)


WORLDS: Mapping[str, tuple[Sequence[Model], Tail]] = {
    "dearer is better": ((Model(0.0, 2.5, 0.05), Model(0.8, 2.5, 0.4), Model(1.6, 2.5, 1.0)), log_normal),
    "each fails alone": ((Model(0.0, 0.3, 0.1), Model(0.5, 0.3, 0.3), Model(1.0, 0.3, 0.9)), log_normal),
    "all fail together": ((Model(0.0, 9.0, 0.1), Model(0.5, 9.0, 0.3), Model(1.0, 9.0, 0.9)), log_normal),
    "small is weak and dear": ((Model(-1.0, 2.0, 0.8, 3.0), Model(1.0, 2.0, 0.3), Model(1.5, 2.0, 1.2)), log_normal),
    "small is best": ((Model(1.5, 2.0, 0.2), Model(0.5, 2.0, 0.5), Model(0.0, 2.0, 2.0)), even),
    "failures run for ever": ((Model(0.3, 1.5, 0.1, 5.0), Model(0.8, 1.5, 0.3, 5.0), Model(1.2, 1.5, 0.5, 5.0)), heavy),
    "pennies": ((Model(0.3, 2.0, 0.001), Model(0.6, 2.0, 0.003), Model(1.5, 2.0, 0.01)), log_normal),
}


def build_world(name: str, tasks: int, seed: int) -> World:
    """So many tasks of that world."""
    models, tail = WORLDS[name]
    draw = random.Random(f"{name}/{seed}")
    return [
        [_result(model, difficulty, size, tail, draw) for model in models]
        for difficulty, size in ((draw.gauss(0, 1), tail(draw) ** 0.5) for _ in range(tasks))
    ]


def _result(model: Model, difficulty: float, size: float, tail: Tail, draw: random.Random) -> Result:
    solved = draw.random() < 1 / (1 + math.exp(model.slope * difficulty - model.level))
    return Result(solved, model.cost_usd * size * tail(draw) ** 0.7 * (1.0 if solved else model.failed))


def usual_cost(world: World) -> float:
    """The mean cost of an attempt: the unit in which tasks of a world are given a value."""
    costs = [result.cost_usd for task in world for result in task]
    return sum(costs) / len(costs)


def best_ladder(world: World, value: float) -> float:
    """What the best fixed order of models in hindsight brings per task: value of what is solved, less the cost."""
    orders = [
        order for length in range(1, len(TIERS) + 1) for order in itertools.permutations(range(len(TIERS)), length)
    ]
    return max(sum(_climb(task, order, value) for task in world) / len(world) for order in orders)


def _climb(task: Sequence[Result], order: Sequence[int], value: float) -> float:
    worth = 0.0
    for place in order:
        worth -= task[place].cost_usd
        if task[place].solved:
            return worth + value
    return worth


def play(policy: Policy, world: World, value: float) -> list[float]:
    """What each task brought: its value if it was solved, less what was paid. The policy learns as it goes."""
    return [_play_task(policy, str(number), task, value) for number, task in enumerate(world)]


def _play_task(policy: Policy, name: str, task: Sequence[Result], value: float) -> float:
    facts, worth = Facts("bug-fix", "world"), 0.0
    attempts: tuple[PastAttempt, ...] = ()
    while len(attempts) < len(OFFERS):
        tried = {attempt.model for attempt in attempts}
        offers = tuple(offer for offer in OFFERS if offer.name not in tried)
        choice = policy.choose(
            Purchase(task=name, facts=facts, offers=offers, attempts=attempts, value_usd=value, must_try=not attempts)
        )
        if choice.model is None:
            break
        attempt = attempt_at(task, choice.model, choice.cap_usd)
        policy.observe(name, facts, attempt)
        attempts, worth = (*attempts, attempt), worth - attempt.cost_usd
        if attempt.verdict is AttemptVerdict.PASS:
            return worth + value
    return worth


def attempt_at(task: Sequence[Result], model: str, cap_usd: float | None) -> PastAttempt:
    """The attempt that this model makes at the task, ended at the cap."""
    result = task[[offer.name for offer in OFFERS].index(model)]
    if cap_usd is not None and result.cost_usd > cap_usd:
        return PastAttempt(model, AttemptVerdict.CAPPED, cap_usd)
    return PastAttempt(model, AttemptVerdict.PASS if result.solved else AttemptVerdict.FAIL, result.cost_usd)
