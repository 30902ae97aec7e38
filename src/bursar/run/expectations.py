"""What attempts of a run will take: by the history, and by the run's own attempts as they end.

Nothing is read or computed before a hold asks: a run without budgets does not pay for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bursar.errors import StoreError
from bursar.estimation import Estimator, Key, build_key
from bursar.history import LEARN_FROM, Observation, key_of, learn
from bursar.money import NANO_PER_USD
from bursar.plan import Task
from bursar.run.context import RunContext

FEW, ENOUGH = 3, 10  # outcomes after which an estimate is better than a default, and good enough to be held to


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What an attempt will probably take, from what others took.

    Attributes:
        nano_usd_p90: None where too little is known of costs.
        observations: how many attempts say so.
    """

    tokens_p50: int
    tokens_p90: int
    nano_usd_p90: int | None
    observations: int


def tell(estimator: Estimator, seen: Sequence[Observation]) -> None:
    """The estimator knows what these attempts took, in tokens and, where that is known, in USD."""
    priced = [each for each in seen if each.nano_usd is not None]
    keys = [key_of(each, "tokens") for each in seen] + [key_of(each, "cost_usd") for each in priced]
    values = [float(each.tokens) for each in seen] + [(each.nano_usd or 0) / NANO_PER_USD for each in priced]
    estimator.observe_all(keys, values)


class Expectations:
    """Expectations of one run."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._estimator: Estimator | None = None
        self._known: set[str] = set()  # keys of attempts that it has learned from, or is about to
        self._untold: list[Observation] = []  # of this run, not learned from yet
        self._types: Mapping[str, str] = {}  # what people have corrected

    def expect(self, task: Task, model: str) -> Expectation | None:
        """What an attempt by this model will take; None while too few have been seen."""
        estimator = self._opened()
        known = estimator.observations("tokens")
        if known < FEW:
            return None
        tokens = estimator.estimate(self._key(task, "tokens", model))
        return Expectation(
            tokens_p50=math.ceil(tokens.p50),
            tokens_p90=math.ceil(tokens.p90),
            nano_usd_p90=self._cost(estimator, task, model),
            observations=known,
        )

    def learn(self, seen: Observation) -> bool:
        """One more attempt of the run has ended; returns whether what is expected may be another now.

        One that was interrupted or stopped does not tell what it would have taken. What ends before anybody has asked
        is in the history by then. Of many, one more says little: they are learned from when they are an eighth more.
        """
        if self._estimator is None or seen.outcome not in {"succeeded", "failed"} or seen.key in self._known:
            return False
        self._known.add(seen.key)
        self._untold.append(seen)
        if len(self._untold) <= self._estimator.observations("tokens") // 8:
            return False
        tell(self._estimator, self._untold)
        self._untold = []
        return True

    def _cost(self, estimator: Estimator, task: Task, model: str) -> int | None:
        if estimator.observations("cost_usd") < ENOUGH:
            return None
        return math.ceil(estimator.estimate(self._key(task, "cost_usd", model)).p90 * NANO_PER_USD)

    def _key(self, task: Task, measure: str, model: str) -> Key:
        project, type_ = str(self._context.project), self._types.get(task.digest)
        return build_key(task, measure, model=model, project=project, type_=type_)

    def _opened(self) -> Estimator:
        """What the history teaches; nothing where it cannot be read, which the next attempt to record tells."""
        if self._estimator is None:
            history, seen = self._context.stores.history, list[Observation]()
            with suppress(StoreError):
                self._types = history.corrections()
                seen = list(history.read(latest=LEARN_FROM).observations)
            self._estimator, self._known = learn(seen).estimator, {each.key for each in seen}
        return self._estimator
