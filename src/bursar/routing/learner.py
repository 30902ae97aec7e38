"""What finished attempts teach: models' skills and prices, how tasks differ, how far the verifier can be trusted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from bursar.routing.difficulty import Weights, mean_difficulty, prior_weights
from bursar.routing.hints import Effects, Lesson
from bursar.routing.ladder import Option, build_option
from bursar.routing.price import Costs, Prices, beyond
from bursar.routing.purchases import AttemptVerdict, Evidence, Facts, Offer, PastAttempt, VerifierRecord
from bursar.routing.skill import Pattern, Skills, kind_of

_FIT_AFTER, _FIT_AFTER_MANY = 50, 5  # curves are fitted anew after this part more outcomes: a fiftieth, a fifth
_MOST_TASKS = 5_000  # tasks that are kept in mind one by one; what older ones taught stays
_LEAST_SPREAD = 0.2  # of a cost's variance, however much earlier attempts at the task have told
_MOST_SURPRISE = 2.0  # in logits of cost: one odd attempt moves a project's mean by no more
_CHEAPEST = 1e-6  # dollars
_LEAST_TOLD = 0.3  # an attempt that was capped earlier than this share of attempts end says nothing of its project
# Before anything is seen: 2.5 points of complexity make a task harder by 0.3 standard deviations and dearer by 15 %;
# the length of a text says nothing, projects and types do not differ. The counts are what those beliefs are worth.
_DIFFICULTY = ((0.3, 0.0), (15.0, 60.0), 12.0)
_COSTLINESS = ((0.15, 0.0), (15.0, 30.0), 8.0)


@dataclass(slots=True)
class Situation:
    """One task: what is known of it, and what its attempts have shown.

    Attributes:
        shift: of its difficulty, as it was when it was first seen.
        surprises: how much dearer than expected each attempt was, in standard deviations.
    """

    facts: Facts
    shift: float
    evidence: tuple[Evidence, ...] = ()
    attempts: list[PastAttempt] = field(default_factory=list)
    surprises: list[float] = field(default_factory=list)
    lesson: Lesson | None = None
    pattern: Pattern | None = None


class Learner:
    """Learns from each attempt as it ends; says what is expected of the next one."""

    def __init__(self) -> None:
        self.skills = Skills()
        self.prices = Prices()
        self.verdicts = VerifierRecord()
        self._difficulty = Effects(*_DIFFICULTY)
        self._costliness = Effects(*_COSTLINESS)
        self._tasks: dict[str, Situation] = {}
        self._seen: dict[str, int] = {}
        self._outcomes = 0
        self._fitted = 0
        self._fit_after = _FIT_AFTER

    @property
    def outcomes(self) -> int:
        """Attempts that were learned from."""
        return self._outcomes

    def seen(self, model: str) -> int:
        """How many attempts of the model were learned from."""
        return self._seen.get(model, 0)

    def usual(self) -> Situation:
        """A task of which nothing is known."""
        return self._unknown(Facts())

    def meet(self, offer: Offer) -> None:
        """The model's tier is known, which says what to expect before it is seen."""
        self.skills.meet(offer.name, offer.tier)
        self.prices.meet(offer.name, offer.tier)

    def observe(self, task: str, facts: Facts, attempt: PastAttempt) -> None:
        """Learn from an attempt that has ended; those of one task in their order."""
        known = self._tasks.get(task)
        if known is None:
            known = self._tasks[task] = self._unknown(facts)
            if len(self._tasks) > _MOST_TASKS:
                del self._tasks[next(iter(self._tasks))]
        good = self._chance_good(known, attempt)
        self._learn_cost(known, attempt, good)
        self._count(known, (*known.evidence, self._evidence(known, attempt)))
        known.attempts.append(attempt)
        self._outcomes += 1
        self._seen[attempt.model] = self.seen(attempt.model) + 1
        if self._outcomes - self._fitted >= max(1, self._fitted // self._fit_after):
            self.fit()

    def fit(self) -> None:
        """Curves are what all outcomes so far make likeliest."""
        self.skills.fit()
        self._fitted = self._outcomes

    @contextmanager
    def many(self) -> Iterator[None]:
        """While many outcomes are told one after the other, curves are fitted less often; and once more in the end."""
        self._fit_after = _FIT_AFTER_MANY
        try:
            yield
        finally:
            self._fit_after = _FIT_AFTER
            self.fit()

    def audit(self, task: str, solved: bool) -> None:
        """The truth about the last attempt's work has become known."""
        known = self._tasks.get(task)
        if known is None or not known.attempts or known.attempts[-1].verdict is AttemptVerdict.CAPPED:
            return
        last = known.attempts[-1]
        self.verdicts.learn(solved, last.verdict is AttemptVerdict.PASS)
        truth = Evidence(last.model, float(solved), float(not solved))
        self._count(known, (*known.evidence[:-1], truth))

    def situation(self, task: str, facts: Facts, attempts: Sequence[PastAttempt]) -> Situation:
        """The task as far as it is known; attempts that were never told as outcomes count as evidence of the task."""
        known = self._tasks.get(task)
        if known is not None and known.attempts == list(attempts):
            return known
        fresh = self._unknown(facts)
        for attempt in attempts:
            fresh.surprises.append(self._surprise(fresh, attempt, self._chance_good(fresh, attempt)))
            fresh.evidence = (*fresh.evidence, self._evidence(fresh, attempt))
            fresh.attempts.append(attempt)
        return fresh

    def weights(self, known: Situation) -> Weights:
        """What is left of the difficulties, summing to 1."""
        weights = self.skills.weights(known.shift, known.evidence)
        total = sum(weights)
        return [weight / total for weight in weights]

    def kept(self, known: Situation) -> float:
        """The chance that the last attempt's work is good although it was not accepted."""
        if not known.attempts or known.attempts[-1].verdict is not AttemptVerdict.FAIL:
            return 0.0
        before = self.skills.weights(known.shift, known.evidence[:-1])
        after = self.skills.weights(known.shift, known.evidence)
        last = known.evidence[-1]
        return last.if_good * _product(before, self.skills.chances(last.model)) / max(sum(after), 1e-300)

    def chance(self, known: Situation, model: str) -> float:
        """How likely the model's next attempt at the task does good work."""
        return _product(self.weights(known), self.skills.chances(model))

    def costs(self, known: Situation, model: str) -> tuple[Costs, Costs]:
        """What the model's next attempt at the task costs if it succeeds, and if it fails."""
        good, bad = self.prices.costs(model)
        shift = self._costliness.shift(known.facts)
        if not known.surprises:
            return good.moved(shift), bad.moved(shift)
        shared, count = self.prices.shared, len(known.surprises)
        weight = shared / (1 + (count - 1) * shared)
        spread = math.sqrt(max(_LEAST_SPREAD, 1 - weight * count * shared))
        surprise = weight * sum(known.surprises)
        return good.moved(shift + surprise * good.sigma, spread), bad.moved(shift + surprise * bad.sigma, spread)

    def option(
        self, known: Situation, offer: Offer, most: float | None = None, caps: tuple[float, ...] | None = None
    ) -> Option:
        """The model as something to buy for this task."""
        self.meet(offer)
        chances = self.skills.chances(offer.name)
        middle = mean_difficulty([w * c for w, c in zip(prior_weights(0.0), chances, strict=True)])
        costs = self.costs(known, offer.name)
        return build_option(offer.name, chances, middle, costs, self.prices.shared, most, caps)

    def kind(self, known: Situation) -> tuple[object, ...]:
        """Equal for tasks of which the same is expected."""
        surprises = tuple(round(surprise, 1) for surprise in known.surprises)
        return known.shift, known.evidence, surprises, round(self._costliness.shift(known.facts), 1)

    def _unknown(self, facts: Facts) -> Situation:
        return Situation(facts, kind_of(self._difficulty.shift(facts)))

    def _evidence(self, known: Situation, attempt: PastAttempt) -> Evidence:
        """Rounded, so that attempts of one kind are counted together."""
        verifier = self.verdicts.verifier()
        rejects, accepts = round(verifier.rejects_good, 2), round(verifier.accepts_bad, 2)
        match attempt.verdict:
            case AttemptVerdict.PASS:
                return Evidence(attempt.model, 1 - rejects, max(accepts, 0.001))
            case AttemptVerdict.FAIL:
                return Evidence(attempt.model, max(rejects, 0.001), 1 - accepts)
            case AttemptVerdict.CAPPED:
                good, bad = self._beyond(known, attempt)
                return Evidence(attempt.model, min(round(good / max(bad, 1e-6), 1), 2.0), 1.0)

    def _beyond(self, known: Situation, attempt: PastAttempt) -> tuple[float, float]:
        good, bad = self.costs(known, attempt.model)
        cap = max(attempt.cost_usd, _CHEAPEST)
        return 1 - good.within(cap), 1 - bad.within(cap)

    def _chance_good(self, known: Situation, attempt: PastAttempt) -> float:
        """How likely the attempt's work was good (or would have been), now that it has ended like this."""
        seen = self._beyond(known, attempt) if attempt.verdict is AttemptVerdict.CAPPED else None
        one = self._evidence(known, attempt)
        if_good, if_bad = seen or (one.if_good, one.if_bad)
        chance = self.chance(known, attempt.model)
        good, bad = chance * if_good, (1 - chance) * if_bad
        return good / max(good + bad, 1e-12)

    def _surprise(self, known: Situation, attempt: PastAttempt, good: float) -> float:
        if_good, if_bad = self.prices.costs(attempt.model)
        expected = good * if_good.middle + (1 - good) * if_bad.middle + self._costliness.shift(known.facts)
        log_cost = math.log(max(attempt.cost_usd, _CHEAPEST))
        if attempt.verdict is AttemptVerdict.CAPPED:
            log_cost = beyond(log_cost, expected, if_bad.sigma)
        return (log_cost - expected) / if_bad.sigma

    def _told(self, known: Situation, attempt: PastAttempt) -> float:
        """How much the end says of the cost: all of it, or, after a cap, the share of attempts that end within it."""
        if attempt.verdict is not AttemptVerdict.CAPPED:
            return 1.0
        return 1 - max(self._beyond(known, attempt))

    def _learn_cost(self, known: Situation, attempt: PastAttempt, good: float) -> None:
        surprise, weight = self._surprise(known, attempt, good), self._told(known, attempt)
        for other in known.surprises:
            self.prices.learn_shared(surprise * other)
        known.surprises.append(surprise)
        if_good, if_bad = self.prices.costs(attempt.model)
        residual = surprise * if_bad.sigma
        expected = good * if_good.middle + (1 - good) * if_bad.middle
        shift = self._costliness.shift(known.facts)
        self.prices.learn(attempt.model, expected + residual, good, weight)
        if weight < _LEAST_TOLD:
            return
        self._costliness.learn(known.facts, shift + max(-_MOST_SURPRISE, min(_MOST_SURPRISE, residual)))

    def _count(self, known: Situation, evidence: tuple[Evidence, ...]) -> None:
        """The task is counted by all that its attempts have shown, once."""
        if known.pattern is not None:
            self.skills.count(known.pattern, -1)
        known.evidence = evidence
        known.pattern = (known.shift, evidence)
        self.skills.count(known.pattern)
        if known.lesson is not None:
            self._difficulty.forget(known.lesson)
        known.lesson = self._difficulty.learn(known.facts, mean_difficulty(self.weights(known)))


def _product(weights: Weights, chances: Weights) -> float:
    return sum([weight * chance for weight, chance in zip(weights, chances, strict=True)])
