"""Which models would be asked for a task one after the other, as far as that can be said before the first has tried."""

from __future__ import annotations

from dataclasses import replace

from bursar.routing.learned import LearnedPolicy
from bursar.routing.purchases import AttemptVerdict, PastAttempt, Purchase


def expected_ladder(policy: LearnedPolicy, purchase: Purchase, most: int) -> list[str]:
    """The models, `most` at most, if each fails at what it is expected to cost. Nothing is learned from that."""
    models: list[str] = []
    while len(models) < most and purchase.offers:
        choice = policy.choose(replace(purchase, must_try=not models))
        if choice.model is None:
            break
        models.append(choice.model)
        failed = PastAttempt(choice.model, AttemptVerdict.FAIL, choice.expected_cost_usd or 0.0)
        purchase = replace(
            purchase,
            offers=tuple(offer for offer in purchase.offers if offer.name != choice.model),
            attempts=(*purchase.attempts, failed),
        )
    return models
