"""Which model next, with what cap, or stop: the best order of purchases for one task.

Each attempt is a purchase: dollars for a chance that the work is good. What follows is weighed with it: a failure
makes the task look harder, for every model. Caps are tried at a few places of each model's cost, because a long attempt
is more often a failure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import mul

from bursar.routing.difficulty import GRID, Weights
from bursar.routing.price import Costs, Spread
from bursar.routing.purchases import Verifier

_CAPS = (0.0, 0.7, 1.4, 2.0)  # standard deviations from the middle of a failure's cost
_FEW = 2
_HARDER = 0.35  # how much longer, in logs, good work takes on a task that is one standard deviation harder


@dataclass(frozen=True, slots=True)
class CapChoice:
    """What a cap does to one attempt.

    Attributes:
        within: share of good runs that end within the cap, for each difficulty.
        bad_within: the same of bad runs.
        good_cost: mean dollars of a good run under the cap, for each difficulty.
        quick, slow: what a task is worth in cost, as a factor, once it failed within the cap, or was cut off by it.
    """

    cap: float | None
    within: Weights
    bad_within: float
    good_cost: Weights
    bad_cost: float
    quick: float
    slow: float


@dataclass(frozen=True, slots=True)
class Option:
    """A model on offer: its chances of success and of failure on the grid, and what several caps do to its attempts.

    Attributes:
        dominated_by: a model that is better in every way; this one is not bought while that one is on offer.
    """

    name: str
    chances: Weights
    misses: Weights
    caps: tuple[CapChoice, ...]
    dominated_by: str | None = None

    @property
    def later(self) -> tuple[CapChoice, ...]:
        """The caps that are looked at where the attempt is not the next one."""
        return self.caps if len(self.caps) <= _FEW else (self.caps[-3], self.caps[-1])


@dataclass(frozen=True, slots=True)
class Step:
    """The best next attempt: what it and all after it are worth and cost, in dollars; `model` None means stop."""

    model: str | None
    cap: float | None
    worth: float
    cost: float
    solved: float
    first_cost: float = 0.0
    first_solved: float = 0.0


_NOTHING = Step(None, None, 0.0, 0.0, 0.0)


def build_option(
    name: str,
    chances: Weights,
    middle: float,
    costs: tuple[Costs, Costs],
    shared: float,
    most: float | None = None,
    places: tuple[float, ...] | None = None,
) -> Option:
    """The model with its caps; with `most`, none is above it, and the last is exactly that.

    Args:
        middle: the mean difficulty of tasks that the model finishes: where its mean cost of a success was learned.
    """
    good, bad = costs
    goods = Spread([good.middle + _HARDER * (point - middle) for point in GRID], good.sigma)
    caps = [(z, math.exp(bad.middle + z * bad.sigma)) for z in (_CAPS if places is None else places)]
    end = max(good.longest, bad.longest)
    choices = [
        _choice(cap, cap, goods, bad, shared, z) for z, cap in caps if cap < (end if most is None else min(most, end))
    ]
    if most is not None and most < end:
        choices.append(_choice(most, most, goods, bad, shared, (math.log(most) - bad.middle) / bad.sigma))
    else:
        choices.append(_choice(None, end, goods, bad, shared, 3.0))
    return Option(
        name,
        chances,
        [1 - chance for chance in chances],
        tuple(choices),
    )


def _choice(cap: float | None, limit: float, goods: Spread, bad: Costs, shared: float, z: float) -> CapChoice:
    within, good_cost = goods.cut(limit)
    if cap is None:
        within, bad_within = [1.0] * len(GRID), 1.0
        quick = slow = 1.0
    else:
        bad_within = bad.within(limit)
        density = math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
        below = 0.5 * math.erfc(-z / math.sqrt(2))
        quick = math.exp(-shared * bad.sigma * density / max(below, 1e-3))
        slow = math.exp(shared * bad.sigma * density / max(1 - below, 1e-3))
    return CapChoice(cap, within, bad_within, good_cost, bad.mean(limit), quick, slow)


@dataclass(frozen=True, slots=True)
class Stakes:
    """What a finished task is worth, and how far its verifier can be trusted."""

    value: float
    verifier: Verifier


def best_step(
    weights: Weights,
    kept: float,
    options: tuple[Option, ...],
    stakes: Stakes,
    *,
    must_try: bool = False,
    first: str | None = None,
) -> Step:
    """The step that is worth most.

    Args:
        weights: of the difficulties; all that is returned is in proportion to their sum.
        kept: weight with which the work at hand is good although it was not accepted; it counts when one stops.
        must_try: stopping is not on offer.
        first: only this model may be the next; None: any.
    """
    stop = Step(None, None, -math.inf if must_try else stakes.value * kept, 0.0, kept)
    for option in options:
        if first in (None, option.name):
            stop = _best_with(stop, option, option.caps, weights, options, stakes, 1.0)
    return stop


def most_per_dollar(weights: Weights, options: tuple[Option, ...], verifier: Verifier) -> float:
    """No next attempt brings more accepted work for a dollar than this."""
    most, total = 0.0, sum(weights)
    for option in options:
        good = list(map(mul, weights, option.chances))
        bad_sum = total - sum(good)
        for choice in option.caps:
            accepted = sum(map(mul, good, choice.within)) * (1 - verifier.rejects_good)
            cost = sum(map(mul, good, choice.good_cost)) + bad_sum * choice.bad_cost
            most = max(most, accepted / max(cost, 1e-12))
    return most


def _best(best: Step, weights: Weights, options: tuple[Option, ...], stakes: Stakes, factor: float) -> Step:
    """The best step, or the one given; `factor`: of all costs. What comes later is looked at with fewer caps."""
    if stakes.value * sum(weights) <= best.worth:
        return best
    for option in options:
        best = _best_with(best, option, option.later, weights, options, stakes, factor)
    return best


def _best_with(
    best: Step,
    option: Option,
    caps: tuple[CapChoice, ...],
    weights: Weights,
    options: tuple[Option, ...],
    stakes: Stakes,
    factor: float,
) -> Step:
    """The best step that begins with this model, if it is worth more than `best`."""
    if not any(option.dominated_by == other.name for other in options):
        rest = tuple(other for other in options if other is not option)
        good = list(map(mul, weights, option.chances))
        hope = _hope(weights, good, rest)
        for choice in caps:
            best = _better(best, option, choice, weights, good, hope, rest, stakes, factor)
    return best


def _better(
    best: Step,
    option: Option,
    choice: CapChoice,
    weights: Weights,
    good: Weights,
    hope: float,
    rest: tuple[Option, ...],
    stakes: Stakes,
    factor: float,
) -> Step:
    """This attempt with the best of what may follow it, if that is worth more than `best`."""
    ended = list(map(mul, good, choice.within))
    ended_sum, good_sum = sum(ended), sum(good)
    bad_sum = sum(weights) - good_sum
    cost = factor * (sum(map(mul, good, choice.good_cost)) + bad_sum * choice.bad_cost)
    accepted = ended_sum * (1 - stakes.verifier.rejects_good)
    worth = stakes.value * accepted - cost
    if worth + stakes.value * (hope + good_sum - accepted) <= best.worth:
        return best  # not even if all that follows were free
    rejected = ended_sum - accepted
    if not rest:
        return _more(
            best,
            Step(option.name, choice.cap, worth + stakes.value * rejected, cost, accepted + rejected, cost, accepted),
        )
    after = _after(choice, weights, good, ended, rest, stakes, factor)
    return _more(
        best,
        Step(
            option.name,
            choice.cap,
            worth + sum(each.worth for each in after),
            cost + sum(each.cost for each in after),
            accepted + sum(each.solved for each in after),
            cost,
            accepted,
        ),
    )


def _more(best: Step, step: Step) -> Step:
    return step if step.worth > best.worth else best


def _after(
    choice: CapChoice,
    weights: Weights,
    good: Weights,
    ended: Weights,
    rest: tuple[Option, ...],
    stakes: Stakes,
    factor: float,
) -> list[Step]:
    """The best steps once the attempt was rejected, and once it was cut off."""
    rejects = stakes.verifier.rejects_good
    bad_share = choice.bad_within * (1 - stakes.verifier.accepts_bad)
    failed = [(w - g) * bad_share + e * rejects for w, g, e in zip(weights, good, ended, strict=True)]
    kept = sum(ended) * rejects
    steps = [_best(Step(None, None, stakes.value * kept, 0.0, kept), failed, rest, stakes, factor * choice.quick)]
    if choice.cap is not None:
        cut = 1 - choice.bad_within
        capped = [(w - g) * cut + g - e for w, g, e in zip(weights, good, ended, strict=True)]
        steps.append(_best(_NOTHING, capped, rest, stakes, factor * choice.slow))
    return steps


def _hope(weights: Weights, good: Weights, rest: tuple[Option, ...]) -> float:
    """The weight of tasks on which this model does bad work and one of the others would do good work."""
    if not rest:
        return 0.0
    bad = left = [weight - done for weight, done in zip(weights, good, strict=True)]
    for other in rest:
        left = list(map(mul, left, other.misses))
    return sum(bad) - sum(left)
