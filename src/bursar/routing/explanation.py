"""Why a route is what it is: every model on offer with its numbers, what one would buy with a second try, what is left
out and why.
"""

from __future__ import annotations

from dataclasses import dataclass

from bursar.routing.comparison import find_dominated, mean_cost
from bursar.routing.ladder import Stakes, best_step
from bursar.routing.learner import Learner, Situation
from bursar.routing.purchases import AttemptVerdict, Offer, PastAttempt, Purchase

# Two tries of one model at one task are alike: a second try brings half of what another model of that strength would.
SECOND_TRY_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model on offer for one task.

    Attributes:
        chance: that its next attempt does good work.
        cost_usd: of that attempt, on average, without a cap.
        second_chance: that a second try does good work after a failed first one.
        second_cost_usd: of that second try.
        worth_usd: what beginning with it is worth, with the best that may follow: value of good work less all costs.
        cap_usd: where that attempt would be ended; None for nowhere.
        seen: attempts of it that were learned from.
        dominated_by: a model on offer that succeeds more often and costs less; None if there is none.
    """

    model: str
    tier: str
    chance: float
    cost_usd: float
    second_chance: float
    second_cost_usd: float
    worth_usd: float
    cap_usd: float | None
    seen: int
    dominated_by: str | None


def list_candidates(learner: Learner, purchase: Purchase) -> tuple[Candidate, ...]:
    """Every model on offer with its numbers, in the owner's order."""
    known = learner.situation(purchase.task, purchase.facts, purchase.attempts)
    dominated = find_dominated(learner, purchase.offers)
    return tuple(_candidate(learner, known, purchase, offer, dominated) for offer in purchase.offers)


def _candidate(
    learner: Learner, known: Situation, purchase: Purchase, offer: Offer, dominated: dict[str, str]
) -> Candidate:
    first = learner.option(known, offer, purchase.budget_left_usd)
    others = tuple(learner.option(known, other) for other in purchase.offers if other != offer)
    stakes = Stakes(purchase.value_usd, learner.verdicts.verifier())
    weights = learner.weights(known)
    step = best_step(weights, 0.0, (first, *others), stakes, must_try=True, first=offer.name)
    cost = mean_cost(learner, known, offer.name)
    again = _after_failure(learner, purchase, offer, cost)
    return Candidate(
        model=offer.name,
        tier=offer.tier,
        chance=learner.chance(known, offer.name),
        cost_usd=cost,
        second_chance=SECOND_TRY_SHARE * learner.chance(again, offer.name),
        second_cost_usd=mean_cost(learner, again, offer.name),
        worth_usd=step.worth,
        cap_usd=step.cap,
        seen=learner.seen(offer.name),
        dominated_by=dominated.get(offer.name),
    )


def _after_failure(learner: Learner, purchase: Purchase, offer: Offer, cost: float) -> Situation:
    failed = PastAttempt(offer.name, AttemptVerdict.FAIL, cost)
    return learner.situation("", purchase.facts, (*purchase.attempts, failed))
