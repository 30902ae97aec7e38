"""What routing has saved: what was paid, against what one model alone would have cost to finish as much. Pure.

What another model would have cost is not known. It is estimated from its own attempts, task by task. A model that is
asked after failures has seen the hard tasks, and fails more than it would on all: the learned policy, which accounts
for that, says how often it would have succeeded and what it would have cost then. Nothing is assumed of how work might
have been split.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import TYPE_CHECKING

from bursar.estimation import Key
from bursar.history import VERDICTS, Experience, Observation, key_of, learn_policy
from bursar.money import NANO_PER_USD
from bursar.routing import Facts, LearnedPolicy, Offer, PastAttempt, Purchase, Tier

if TYPE_CHECKING:
    from bursar.estimation import Draws

NEEDED = 10  # attempts of a model with a known cost, below which nothing is said of it
_MOST_TRIES = 20.0  # attempts for a finished task; one that hardly ever succeeds might take any number
_TIERS = tuple(Tier)
_ONE_SIDE = 1.28  # standard deviations: one of ten normal numbers lies beyond


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One model for everything. Money is nano-USD.

    Attributes:
        role: `always strongest` or `always cheapest`.
        observations: attempts that what it would have cost is estimated from.
        success: the share of its attempts, one at each task, that would probably have succeeded.
        p10: what it would have cost to finish as many tasks as were finished; None where its history is too short, or
            where none was.
    """

    role: str
    model: str
    observations: int
    success: float
    p10: int | None = None
    p50: int | None = None
    p90: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """What was paid, and what it is held against.

    Attributes:
        paid: by all attempts, failed ones too.
        tasks: how many tasks they were made for (one that was done and is done again counts twice), and `finished`
            how many of those were done in the end.
        failed_attempts: how many did not succeed.
        unpriced: attempts of unknown cost, which nothing here counts.
        left_out: earlier attempts, which nothing here counts either.
        interrupted: attempts that were; what they used counts with the attempt that went on with it, else not at all.
    """

    paid: int
    tasks: int
    finished: int
    failed_attempts: int
    unpriced: int
    alternatives: Sequence[Alternative]
    left_out: int = 0
    interrupted: int = 0


@dataclass(slots=True)
class _Work:
    """A task that was done, or tried: its attempts, up to the one that succeeded."""

    attempts: list[Observation] = field(default_factory=list)

    @property
    def is_finished(self) -> bool:
        return any(seen.outcome == "succeeded" for seen in self.attempts)


def weigh_savings(
    observations: Sequence[Observation],
    experience: Experience,
    ranks: Mapping[str, int],
    *,
    seed: int,
    left_out: int = 0,
) -> Savings:
    """What these attempts cost, against each of the two models alone.

    Args:
        observations: the attempts in question, oldest first.
        experience: what is known of what attempts take.
        ranks: the models that could have been used, from the cheapest, by the order of their tiers.
        left_out: attempts before them, which are not looked at.
    """
    counted = [seen for seen in observations if seen.outcome != "interrupted"]
    priced = [seen for seen in counted if seen.nano_usd is not None]
    works = _works(priced)
    ordered = sorted(ranks, key=lambda model: ranks[model])
    roles = {"always strongest": ordered[-1], "always cheapest": ordered[0]} if ordered else {}
    policy = _learn(experience, ranks)
    return Savings(
        paid=sum(seen.nano_usd or 0 for seen in priced),
        tasks=len(works),
        finished=sum(work.is_finished for work in works),
        failed_attempts=sum(seen.outcome != "succeeded" for seen in priced),
        unpriced=len(counted) - len(priced),
        left_out=left_out,
        interrupted=len(observations) - len(counted),
        alternatives=[
            _alternative(role, model, [_expect(work, model, policy, ranks) for work in works], experience, seed)
            for role, model in roles.items()
        ],
    )


def _works(observations: Sequence[Observation]) -> list[_Work]:
    """Attempts by what they were made for; what is tried again after it was done is another work."""
    works: list[_Work] = []
    open_: dict[tuple[str, str, str], _Work] = {}
    for seen in observations:
        name = seen.project, seen.plan_id, seen.task
        work = open_.get(name)
        if work is None:
            works.append(work := _Work())
            open_[name] = work
        work.attempts.append(seen)
        if work.is_finished:
            del open_[name]
    return works


def _learn(experience: Experience, ranks: Mapping[str, int]) -> LearnedPolicy:
    """The policy that knows what the experience does, and which models are large and which are small."""
    policy, _ = learn_policy(experience.seen)
    for model, rank in ranks.items():
        policy.learner.meet(Offer(model, _tier(rank)))
    policy.learner.fit()
    return policy


def _tier(rank: int) -> Tier:
    return _TIERS[min(rank, len(_TIERS) - 1)]


@dataclass(frozen=True, slots=True)
class _Expected:
    """One model's attempt at a task, as it would probably have gone by all that is known of the task by now.

    Attributes:
        most: the chance, if a larger model does all that a smaller one has done.
    """

    work: _Work
    cost_usd: float
    chance: float
    most: float


def _expect(work: _Work, model: str, policy: LearnedPolicy, ranks: Mapping[str, int]) -> _Expected:
    last = work.attempts[-1]
    facts = Facts(kind=last.task_type, project=last.project, complexity=last.complexity)
    seen = tuple(
        PastAttempt(each.model, VERDICTS[each.outcome], (each.nano_usd or 0) / NANO_PER_USD) for each in work.attempts
    )
    offer = Offer(model, _tier(ranks[model]))
    (found,) = policy.candidates(Purchase(task="", facts=facts, offers=(offer,), attempts=seen, must_try=True))
    is_below = work.is_finished and ranks.get(last.model, ranks[model]) < ranks[model]
    return _Expected(work, found.cost_usd, found.chance, 1.0 if is_below else found.chance)


def _alternative(
    role: str, model: str, expected: Sequence[_Expected], experience: Experience, seed: int
) -> Alternative:
    known, finished = experience.priced_attempts.get(model, 0), sum(each.work.is_finished for each in expected)
    if not expected:
        return Alternative(role=role, model=model, observations=known, success=0.0)
    least, most = fmean(each.chance for each in expected), fmean(each.most for each in expected)
    success = math.sqrt(least * most)
    if known < NEEDED or not finished:
        return Alternative(role=role, model=model, observations=known, success=success)
    usd = finished * fmean(each.cost_usd for each in expected) * min(_MOST_TRIES, 1 / success)
    keys = [replace(key_of(each.work.attempts[-1], "cost_usd"), model=model) for each in expected]
    unsure = math.hypot(math.sqrt((1 - success) / (success * known)), math.log(most / least) / 2 / _ONE_SIDE)
    whole = sorted((usd * _doubt(keys, unsure, experience, seed)).tolist())
    places = [whole[math.ceil(share * len(whole)) - 1] for share in (0.1, 0.5, 0.9)]
    p10, p50, p90 = (math.ceil(place * NANO_PER_USD) for place in places)
    return Alternative(role=role, model=model, observations=known, success=success, p10=p10, p50=p50, p90=p90)


def _doubt(keys: Sequence[Key], unsure: float, experience: Experience, seed: int) -> Draws:
    """In each draw how many times as much it costs as is expected: costs vary, and the success is known but so well.

    Args:
        unsure: the standard deviation of the logarithm of the success rate.
    """
    from bursar.estimation import spread_draws

    drawn = experience.estimator.draw(keys, seed).sum(0)
    costs: Draws = drawn / drawn.mean() * spread_draws(1, seed, 0, -_ONE_SIDE * unsure, _ONE_SIDE * unsure)
    return costs
