"""Models beside each other: which is weaker and dearer than another, and which few are worth a closer look."""

from __future__ import annotations

from collections.abc import Sequence

from bursar.routing.learner import Learner, Situation
from bursar.routing.purchases import Offer

_ENOUGH = 10  # attempts of each that it takes to call one model dominated
_MOST = 4  # models that a ladder is made of


def find_dominated(learner: Learner, offers: Sequence[Offer]) -> dict[str, str]:
    """Models that are weaker and dearer than another on offer, each with that one.

    Only what was seen often enough is called so; then it is bought only where the better one is no longer on offer.
    """
    usual = learner.usual()
    known = [offer.name for offer in offers if learner.seen(offer.name) >= _ENOUGH]
    figures = {name: (learner.chance(usual, name), mean_cost(learner, usual, name)) for name in known}
    found: dict[str, str] = {}
    for name, (chance, cost) in figures.items():
        better = [other for other, (more, less) in figures.items() if more > chance and less < cost]
        if better:
            found[name] = max(better, key=lambda other: figures[other][0])
    return found


def few_of(learner: Learner, known: Situation, offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """At most four of them: the one that succeeds most often, and those that bring most per dollar; in their order."""
    if len(offers) <= _MOST:
        return tuple(offers)
    for offer in offers:
        learner.meet(offer)
    strongest = max(offers, key=lambda offer: learner.chance(known, offer.name))
    by_dollar = sorted(
        offers, key=lambda offer: -learner.chance(known, offer.name) / mean_cost(learner, known, offer.name)
    )
    kept = {strongest.name, *(offer.name for offer in by_dollar[: _MOST - 1])}
    return tuple(offer for offer in offers if offer.name in kept)


def mean_cost(learner: Learner, known: Situation, model: str) -> float:
    """Dollars of the model's next attempt at the task, on average and without a cap."""
    good, bad = learner.costs(known, model)
    chance = learner.chance(known, model)
    return chance * good.mean(good.longest) + (1 - chance) * bad.mean(bad.longest)
