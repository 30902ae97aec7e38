"""The documented rules as a policy: a tier by complexity, a cheaper one where the task would take too much, one up
after a failure. It learns nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from bursar.routing.complexity import score_text
from bursar.routing.purchases import AttemptVerdict, Choice, Facts, Offer, PastAttempt, Purchase
from bursar.routing.route import TIERS, Tier, tier_for

COST_MULTIPLIER = {Tier.SMALL: 1.0, Tier.MEDIUM: 5.0, Tier.LARGE: 15.0}
TOKEN_EFFICIENCY = {Tier.SMALL: 1.2, Tier.MEDIUM: 1.0, Tier.LARGE: 0.8}
MOST_OF_WHAT_REMAINS = 0.15
USUAL_TOKENS = 5_000
USUAL_SMALL_USD = 0.01  # of a usual task at the small tier. Source: the design documents


class RulesPolicy:
    """Chooses by tables."""

    name = "rules"

    def observe(self, task: str, facts: Facts, attempt: PastAttempt) -> None:
        """Nothing is learned."""

    def audit(self, task: str, solved: bool) -> None:
        """Nothing is learned."""

    def choose(self, purchase: Purchase) -> Choice:
        """The tier of the task's complexity; after a failure the next larger one, until there is none."""
        offer, reason = self._offer(purchase)
        if offer is None:
            return Choice(task=purchase.task, model=None, reason=reason)
        return Choice(task=purchase.task, model=offer.name, cap_usd=purchase.budget_left_usd, reason=reason)

    def choose_next(self, ready: Sequence[Purchase], budget_left_usd: float) -> Choice | None:
        """Task by task in the plan's order, each to its end; never capped above what is left."""
        if budget_left_usd <= 0:
            return None
        for purchase in ready:
            offer, reason = self._offer(purchase, budget_left_usd)
            if offer is not None:
                return Choice(task=purchase.task, model=offer.name, cap_usd=budget_left_usd, reason=reason)
        return None

    def _offer(self, purchase: Purchase, budget_left_usd: float | None = None) -> tuple[Offer | None, str]:
        left = purchase.budget_left_usd if budget_left_usd is None else budget_left_usd
        if purchase.attempts:
            return self._larger(purchase)
        complexity = _complexity(purchase.facts)
        tier, reason = tier_for(complexity), f"complexity {complexity}"
        affordable = choose_affordable(tier, USUAL_TOKENS, _in_multiples(left))
        if affordable is not tier:
            tier, reason = affordable, f"{reason}, but {tier} would take more than 15 % of what remains"
        return _nearest(purchase.offers, tier), reason

    def _larger(self, purchase: Purchase) -> tuple[Offer | None, str]:
        last = purchase.attempts[-1]
        above = [offer for offer in purchase.offers if offer.tier in TIERS]
        tried = {attempt.model for attempt in purchase.attempts}
        larger = next((offer for offer in above if offer.name not in tried and self._is_above(offer, purchase)), None)
        word = "was capped" if last.verdict is AttemptVerdict.CAPPED else "failed"
        return larger, f"the last attempt {word}: {'one tier up' if larger else 'there is no larger tier'}"

    def _is_above(self, offer: Offer, purchase: Purchase) -> bool:
        """Whether the tier is above that of the first choice: lower ones were passed over for a reason."""
        first = tier_for(_complexity(purchase.facts))
        return TIERS.index(Tier(offer.tier)) >= TIERS.index(first) or purchase.must_try


def choose_affordable(tier: Tier, tokens: float, left: float | None) -> Tier:
    """The tier, or the next cheaper one if only that takes no more than 15 % of what remains.

    Args:
        tokens: of a usual model for the task.
        left: in tokens of the small tier's price; None: no limit.

    Source: the design documents, which give the multipliers and ask for one step down at most.
    """
    if left is None or cost_in_multiples(tier, tokens) <= left * MOST_OF_WHAT_REMAINS or tier is Tier.SMALL:
        return tier
    cheaper = TIERS[TIERS.index(tier) - 1]
    return cheaper if cost_in_multiples(cheaper, tokens) <= left * MOST_OF_WHAT_REMAINS else tier


def cost_in_multiples(tier: Tier, tokens: float) -> float:
    """What the task costs at the tier, in tokens of the small tier's price."""
    return tokens * TOKEN_EFFICIENCY[tier] * COST_MULTIPLIER[tier]


def _in_multiples(left_usd: float | None) -> float | None:
    return None if left_usd is None else left_usd / USUAL_SMALL_USD * USUAL_TOKENS


def _complexity(facts: Facts) -> int:
    if facts.complexity is not None:
        return round(facts.complexity)
    name, _, action = facts.text.partition("\n")
    return score_text(name=name, action=action or name).score


def _nearest(offers: tuple[Offer, ...], tier: Tier) -> Offer | None:
    """The model of that tier; else of the nearest one on offer, the larger first."""
    if not offers:
        return None
    wanted = TIERS.index(tier)

    def distance(offer: Offer) -> float:
        place = TIERS.index(Tier(offer.tier)) if offer.tier in TIERS else 1
        return abs(place - wanted) - (0.5 if place > wanted else 0)

    return min(offers, key=distance)
