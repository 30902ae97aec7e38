"""What routing has saved: what was paid, against what one model alone would have cost. Pure.

What another model would have cost is not known; it is estimated from what its own attempts took, task by task, and with
what its failures cost on the way to a success. Nothing is assumed of how work might have been split.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bursar.estimation import Key
from bursar.history import Experience, Observation, key_of
from bursar.money import NANO_PER_USD

if TYPE_CHECKING:
    from bursar.estimation import Draws

NEEDED = 10  # attempts of a model with a known cost, below which nothing is said of it
_MOST_TRIES = 4.0  # attempts in which a task is taken to be done, or given up


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One model for everything. Money is nano-USD.

    Attributes:
        role: `always strongest` or `always cheapest`.
        observations: attempts that what it would have cost is estimated from.
        success: the share of attempts that succeed.
        p10: what it would have cost; None where its history is too short.
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
        tasks: how many tasks they were made for, and `finished` how many of those were done in the end.
        failed_attempts: how many did not succeed.
        unpriced: attempts of unknown cost, which nothing here counts.
    """

    paid: int
    tasks: int
    finished: int
    failed_attempts: int
    unpriced: int
    alternatives: Sequence[Alternative]


def weigh_savings(
    observations: Sequence[Observation], experience: Experience, ranks: Mapping[str, int], *, seed: int
) -> Savings:
    """What these attempts cost, against each of the two models alone.

    Args:
        observations: the attempts in question.
        experience: what is known of what attempts take.
        ranks: the models that could have been used, from the cheapest, by the order of their tiers.
    """
    counted = [seen for seen in observations if seen.outcome != "interrupted"]
    priced = [seen for seen in counted if seen.nano_usd is not None]
    tasks = {(seen.project, seen.plan_id, seen.task): seen for seen in priced}
    finished = {(seen.project, seen.plan_id, seen.task) for seen in priced if seen.outcome == "succeeded"}
    ordered = sorted(ranks, key=lambda model: ranks[model])
    roles = {"always strongest": ordered[-1], "always cheapest": ordered[0]} if ordered else {}
    return Savings(
        paid=sum(seen.nano_usd or 0 for seen in priced),
        tasks=len(tasks),
        finished=len(finished),
        failed_attempts=sum(seen.outcome != "succeeded" for seen in priced),
        unpriced=len(counted) - len(priced),
        alternatives=[
            _alternative(role, model, list(tasks.values()), experience, seed) for role, model in roles.items()
        ],
    )


def _alternative(role: str, model: str, tasks: Sequence[Observation], experience: Experience, seed: int) -> Alternative:
    known = experience.priced_attempts.get(model, 0)
    keys = [replace(key_of(seen, "cost_usd"), model=model) for seen in tasks]
    rates = [experience.success.estimate(key).rate for key in keys]
    success = sum(rates) / len(rates) if rates else 0.0
    if known < NEEDED or not keys:
        return Alternative(role=role, model=model, observations=known, success=success)
    whole = sorted(_whole(keys, rates, experience, seed).tolist())
    places = [whole[math.ceil(share * len(whole)) - 1] for share in (0.1, 0.5, 0.9)]
    p10, p50, p90 = (math.ceil(place * NANO_PER_USD) for place in places)
    return Alternative(role=role, model=model, observations=known, success=success, p10=p10, p50=p50, p90=p90)


def _whole(keys: Sequence[Key], rates: Sequence[float], experience: Experience, seed: int) -> Draws:
    """What all tasks cost in each draw, each tried until it is done, as often as that takes on average."""
    drawn = experience.estimator.draw(keys, seed)
    whole: Draws = sum(row * min(_MOST_TRIES, 1 / rate) for row, rate in zip(drawn, rates, strict=True))
    return whole
