"""The learned policy: the purchase that brings most verified work for the money, by what was seen so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bursar.routing.comparison import few_of, find_dominated
from bursar.routing.difficulty import Weights
from bursar.routing.explanation import Candidate, list_candidates
from bursar.routing.ladder import Option, Stakes, Step, best_step, most_per_dollar
from bursar.routing.learner import Learner, Situation
from bursar.routing.purchases import Choice, Facts, PastAttempt, Purchase, Verifier

_BISECTIONS = 6  # to within a sixth
_CHEAP_TO_DEAR = (0.1, 1000.0)  # what a finished task may be worth, in usual costs of an attempt
_LOOK = (1.0,)  # one cap is enough to see what a price would spend
_LEAST_USD = 1e-6


@dataclass(frozen=True, slots=True)
class _Kind:
    """Tasks of one plan of which the same is expected."""

    situation: Situation
    members: list[Purchase]


class LearnedPolicy:
    """Chooses by dynamic programming over what a learner expects; learns from each outcome."""

    name = "learned"

    def __init__(self, learner: Learner | None = None) -> None:
        self.learner = learner or Learner()

    def observe(self, task: str, facts: Facts, attempt: PastAttempt) -> None:
        """An attempt has ended."""
        self.learner.observe(task, facts, attempt)

    def audit(self, task: str, solved: bool) -> None:
        """The truth about a task's last attempt has become known."""
        self.learner.audit(task, solved)

    def choose(self, purchase: Purchase) -> Choice:
        """The next attempt at one task, or to stop."""
        if purchase.budget_left_usd is not None and purchase.budget_left_usd <= _LEAST_USD:
            return Choice(task=purchase.task, model=None, reason="the budget is used up")
        known = self.learner.situation(purchase.task, purchase.facts, purchase.attempts)
        step = self._step(known, purchase, purchase.value_usd, purchase.budget_left_usd, purchase.must_try)
        return _choice(purchase, step)

    def candidates(self, purchase: Purchase) -> tuple[Candidate, ...]:
        """What is on offer for one task, with its numbers."""
        return list_candidates(self.learner, purchase)

    def choose_next(
        self, ready: Sequence[Purchase], budget_left_usd: float, price_usd: float | None = None
    ) -> Choice | None:
        """The next attempt at one of a plan's tasks, never capped above what is left; None to stop.

        What a finished task is worth is what makes all that is worth buying cost just what is left; of that, the
        attempt that brings most per dollar comes first. So all tasks get a cheap try before one gets a second.

        Args:
            price_usd: that worth, where it is known; it is, where tasks that are not ready have to be paid for, too.
        """
        if budget_left_usd <= _LEAST_USD:
            return None
        kinds = self._kinds(ready)
        price = self._fair_price(kinds, budget_left_usd) if price_usd is None else price_usd
        found = self._best(kinds, price, budget_left_usd)
        if found is None:  # money that nobody needs is worth nothing
            found = self._best(kinds, self._prices()[1], budget_left_usd)
        if found is None:
            return None
        purchase, step = found
        return _choice(purchase, replace(step, cap=min(step.cap or math.inf, budget_left_usd)))

    def is_short(self, purchases: Sequence[Purchase], budget_left_usd: float) -> bool:
        """Whether all that is worth buying, by what each task is worth, costs more than is left."""
        verifier, cost = self.learner.verdicts.verifier(), 0.0
        for kind in self._kinds(purchases):
            weights, options, count = self._look(kind)
            stakes = Stakes(kind.members[0].value_usd, verifier)
            cost += count * best_step(weights, 0.0, options, stakes).cost
        return cost > budget_left_usd

    def fair_price(self, purchases: Sequence[Purchase], budget_left_usd: float) -> float:
        """What a finished task is worth, in dollars, where everything that is worth it costs just what is left."""
        return self._fair_price(self._kinds(purchases), budget_left_usd)

    def _best(self, kinds: Sequence[_Kind], price: float, left: float) -> tuple[Purchase, Step] | None:
        """The attempt that brings most per dollar."""
        verifier = self.learner.verdicts.verifier()
        looks = []
        for kind in kinds:
            weights = self.learner.weights(kind.situation)
            options = self._options(kind.situation, kind.members[0], left)
            looks.append((most_per_dollar(weights, options, verifier), kind, weights, options))
        best: tuple[float, Purchase, Step] | None = None
        for most, kind, weights, options in sorted(looks, key=lambda look: -look[0]):
            if best is not None and most <= best[0]:
                break
            step = best_step(weights, self.learner.kept(kind.situation), options, Stakes(price, verifier))
            index = step.first_solved / max(step.first_cost, _LEAST_USD)
            if step.model is not None and (best is None or index > best[0]):
                best = index, kind.members[0], step
        return best and best[1:]

    def _step(self, known: Situation, purchase: Purchase, value: float, most: float | None, must_try: bool) -> Step:
        return best_step(
            self.learner.weights(known),
            self.learner.kept(known),
            self._options(known, purchase, most),
            Stakes(value, self.learner.verdicts.verifier()),
            must_try=must_try,
        )

    def _options(
        self, known: Situation, purchase: Purchase, most: float | None = None, caps: tuple[float, ...] | None = None
    ) -> tuple[Option, ...]:
        dominated = find_dominated(self.learner, purchase.offers)
        few = few_of(self.learner, known, purchase.offers)
        options = [self.learner.option(known, offer, most, caps) for offer in few]
        return tuple(replace(option, dominated_by=dominated.get(option.name)) for option in options)

    def _kinds(self, ready: Sequence[Purchase]) -> list[_Kind]:
        kinds: dict[tuple[object, ...], _Kind] = {}
        for purchase in ready:
            known = self.learner.situation(purchase.task, purchase.facts, purchase.attempts)
            key = (*self.learner.kind(known), purchase.offers)
            kinds.setdefault(key, _Kind(known, [])).members.append(purchase)
        return list(kinds.values())

    def _fair_price(self, kinds: Sequence[_Kind], budget_left_usd: float) -> float:
        """The worth of a finished task at which all purchases that are worth it cost what is left, on average."""
        low, high = self._prices()
        looks = [_Look(*self._look(kind), self.learner.verdicts.verifier()) for kind in kinds]
        if not _is_dearer(looks, high, budget_left_usd):
            return high
        for _ in range(_BISECTIONS):
            middle = math.sqrt(low * high)
            if _is_dearer(looks, middle, budget_left_usd):
                high = middle
            else:
                low = middle
        return high

    def _prices(self) -> tuple[float, float]:
        usual = math.exp(self.learner.prices.scale)
        return _CHEAP_TO_DEAR[0] * usual, _CHEAP_TO_DEAR[1] * usual

    def _look(self, kind: _Kind) -> tuple[Weights, tuple[Option, ...], int]:
        options = self._options(kind.situation, kind.members[0], caps=_LOOK)
        return self.learner.weights(kind.situation), options, len(kind.members)


class _Look:
    """What tasks of one kind cost at one price of a finished task after the other.

    The dearer a finished task is sold, the more is bought for it: costs at the prices that were looked at are bounds
    for all others.
    """

    def __init__(self, weights: Weights, options: tuple[Option, ...], count: int, verifier: Verifier) -> None:
        self._weights, self._options, self._count, self._verifier = weights, options, count, verifier
        self._costs: list[tuple[float, float]] = []  # by price

    def bounds(self, price: float) -> tuple[float, float]:
        """What they cost at least and at most."""
        below = [cost for at, cost in self._costs if at <= price]
        above = [cost for at, cost in self._costs if at >= price]
        return max(below, default=0.0), min(above, default=math.inf)

    def cost(self, price: float) -> float:
        """What they cost."""
        step = best_step(self._weights, 0.0, self._options, Stakes(price, self._verifier))
        self._costs.append((price, self._count * step.cost))
        return self._costs[-1][1]


def _is_dearer(looks: Sequence[_Look], price: float, left: float) -> bool:
    """Whether all together cost more than is left; no more of them is looked at than it takes to say so."""
    bounds = [(*look.bounds(price), look) for look in looks]
    least, most = sum(low for low, _, _ in bounds), sum(high for _, high, _ in bounds)
    for low, high, look in sorted(bounds, key=lambda bound: bound[0] - bound[1]):
        if least > left or most <= left:
            break
        cost = look.cost(price)
        least += cost - low
        most = most - high + cost if math.isfinite(most) else math.inf
        if math.isinf(most) and all(math.isfinite(look.bounds(price)[1]) for look in looks):
            most = sum(each.bounds(price)[1] for each in looks)
    return least > left


def _choice(purchase: Purchase, step: Step) -> Choice:
    if step.model is None:
        return Choice(task=purchase.task, model=None, reason="the next attempt is not worth its price")
    return Choice(
        task=purchase.task,
        model=step.model,
        cap_usd=step.cap,
        reason="most verified work for the money",
        expected_cost_usd=step.first_cost,
        chance=step.first_solved,
    )
