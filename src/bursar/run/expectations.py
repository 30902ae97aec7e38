"""What attempts of a run will take: by the history, and by the run's own attempts as they end.

Nothing is read or computed before somebody asks: a run without budgets, and with a slot for everybody, does not pay
for it. Tasks of plans learn from all that is like them; an instance of a job list from what did the same command.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median

from bursar.budget import Balance, OnLimit, Unit
from bursar.errors import StoreError
from bursar.estimation import Estimate, Estimator, Key, build_key, choose_task_type, estimate
from bursar.history import LEARN_FROM, Observation, key_of, learn
from bursar.money import NANO_PER_USD
from bursar.plan import Task
from bursar.run.context import RunContext

FEW, ENOUGH = 3, 10  # outcomes after which an estimate is better than a default, and good enough to be held to
_AMPLE = 2  # times what the largest attempts of all slots would take
_LATEST_OF_A_KIND = 50  # older ones say little of what the work is now

Kind = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What an attempt will probably take, from what others took.

    Attributes:
        nano_usd_p90: None where too little is known of costs.
        observations: how many attempts say so.
        are_same: they did exactly this, so that few of them are enough.
    """

    tokens_p50: int
    tokens_p90: int
    nano_usd_p90: int | None = None
    observations: int
    are_same: bool = False

    @property
    def is_sure(self) -> bool:
        """Whether it is good enough to be held to."""
        return self.are_same or self.observations >= ENOUGH

    @property
    def source(self) -> str:
        """Where the figures come from, in words."""
        if self.are_same:
            return f"{self.observations} earlier attempts"
        return "learned" if self.is_sure else "learned of few"


def tell(estimator: Estimator, seen: Sequence[Observation]) -> None:
    """The estimator knows what these attempts took, in tokens, in time and, where that is known, in USD."""
    priced = [each for each in seen if each.nano_usd is not None]
    keys = [key_of(each, "tokens") for each in seen] + [key_of(each, "cost_usd") for each in priced]
    values = [float(each.tokens) for each in seen] + [(each.nano_usd or 0) / NANO_PER_USD for each in priced]
    keys += [key_of(each, "seconds") for each in seen]
    estimator.observe_all(keys, values + [each.wall_seconds for each in seen])


class Expectations:
    """Expectations of one run."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._seen: list[Observation] | None = None  # of the history, then of this run
        self._estimator: Estimator | None = None
        self._known: set[str] = set()  # keys of attempts that are in `_seen`
        self._untold: list[Observation] = []  # of this run, which the estimator has not learned from yet
        self._new = 0  # how many have ended since anybody was told that something has changed
        self._most_tokens = 0
        self._most_nano_usd: int | None = 0  # None: there was one whose cost nobody knows
        self._types: Mapping[str, str] = {}  # what people have corrected
        self._type_by_task: dict[str, str] = {}
        self._of_kinds: dict[tuple[Kind, str], list[int]] | None = None  # tokens of what instances succeeded with

    def matter(self, balances: Iterable[Balance]) -> bool:
        """Whether these budgets are so tight that it matters what attempts take.

        They are not while all slots together may take twice what the largest attempt has taken: then there is nothing
        to estimate, and nothing that estimates need is loaded.
        """
        blocking = [each for each in balances if each.budget.on_limit is OnLimit.BLOCK]
        if not blocking:
            return False
        self._read()
        settings = self._context.settings
        most = {Unit.TOKENS: max(self._most_tokens, settings.default_hold_tokens), Unit.USD: self._most_nano_usd}
        return any(_is_tight(each.available, most[each.budget.limit.unit], settings.max_parallel) for each in blocking)

    def expect(self, task: Task, model: str) -> Expectation | None:
        """What an attempt by this model will take; None while too few have been seen.

        An instance of a job list is held to what the same command took before, from three attempts on.
        """
        if task.number in self._context.instances:
            return self._expect_same(task, model)
        if len(self._read()) < FEW:
            return None
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

    def _expect_same(self, task: Task, model: str) -> Expectation | None:
        tokens = self._same().get((_kind(self._context.labels_of(task)), model), ())
        ranks = estimate_from(tokens)
        if ranks is None:
            return None
        count = min(len(tokens), _LATEST_OF_A_KIND)
        return Expectation(tokens_p50=ranks.tokens_p50, tokens_p90=ranks.tokens_p90, observations=count, are_same=True)

    def lengths(self, tasks: Iterable[Task]) -> Mapping[str, float]:
        """What attempts at the tasks take, all in one unit: seconds as seen or as the authors say, else tokens.

        One of which nothing is known is as long as the middle one of the others.
        """
        chosen = list(tasks)
        found = self._usual_seconds(chosen) or written_lengths(chosen)
        if not found:
            return {}
        middle = median(found.values())
        return {task.number: 0.0 if task.is_checkpoint else found.get(task.number, middle) for task in chosen}

    def learn(self, seen: Observation) -> bool:
        """One more attempt of the run has ended; returns whether what is expected may be another now.

        One that was interrupted or stopped does not tell what it would have taken. What ends before anybody has asked
        is in the history by then. Of many, one more says little: they are learned from when they are an eighth more.
        """
        self._learn_of_kind(seen)
        if self._seen is None or seen.outcome not in {"succeeded", "failed"} or seen.key in self._known:
            return bool(self._of_kinds)
        self._keep(seen)
        self._untold.append(seen)
        self._new += 1
        if self._new <= (len(self._seen) - self._new) // 8:
            return False
        if self._estimator is not None:
            tell(self._estimator, self._untold)
            self._untold = []
        self._new = 0
        return True

    def _learn_of_kind(self, seen: Observation) -> None:
        if self._of_kinds is None or seen.outcome != "succeeded":
            return
        number = seen.task if self._context.program is None else seen.key.partition("/")[2].rpartition("/")[0]
        task = next((each for each in self._context.plan.tasks if each.number == number), None)
        if task is not None:
            kind = _kind(self._context.labels_of(task))
            self._of_kinds.setdefault((kind, seen.model), []).append(seen.tokens)

    def _usual_seconds(self, tasks: Sequence[Task]) -> dict[str, float]:
        """The middle one of those of the same type and complexity, of the same type, or of all."""
        seen = [each for each in self._read() if each.outcome == "succeeded"]
        if len(seen) < ENOUGH:
            return {}
        groups: dict[tuple[object, ...], list[float]] = {}
        for each in seen:
            for name in ((), (each.task_type,), (each.task_type, each.complexity)):
                groups.setdefault(name, []).append(each.wall_seconds)
        middles = {name: median(seconds) for name, seconds in groups.items() if len(seconds) >= FEW}
        found = {}
        for task in tasks:
            type_ = self._type_of(task)
            names = ((type_, task.complexity), (type_,), ())
            found[task.number] = next(middles[name] for name in names if name in middles)
        return found

    def _type_of(self, task: Task) -> str:
        """Read out of the task's words once: a large run asks again and again."""
        if task.number not in self._type_by_task:
            self._type_by_task[task.number] = self._types.get(task.digest) or choose_task_type(task)
        return self._type_by_task[task.number]

    def _cost(self, estimator: Estimator, task: Task, model: str) -> int | None:
        if estimator.observations("cost_usd") < ENOUGH:
            return None
        return math.ceil(estimator.estimate(self._key(task, "cost_usd", model)).p90 * NANO_PER_USD)

    def _key(self, task: Task, measure: str, model: str) -> Key:
        project, type_ = str(self._context.project), self._types.get(task.digest)
        return build_key(task, measure, model=model, project=project, type_=type_)

    def _read(self) -> list[Observation]:
        """The latest of the history, and what has ended since; nothing of it where it cannot be read."""
        if self._seen is None:
            history, self._seen = self._context.stores.history, []
            with suppress(StoreError):
                self._types = history.corrections()
                for seen in history.read(latest=LEARN_FROM).observations:
                    self._keep(seen)
        return self._seen

    def _keep(self, seen: Observation) -> None:
        if self._seen is not None:
            self._seen.append(seen)
        self._known.add(seen.key)
        self._most_tokens = max(self._most_tokens, seen.tokens)
        if self._most_nano_usd is not None:
            self._most_nano_usd = None if seen.nano_usd is None else max(self._most_nano_usd, seen.nano_usd)

    def _opened(self) -> Estimator:
        """It has learned from all that was seen."""
        if self._estimator is None:
            self._estimator, self._untold = learn(self._read()).estimator, []
        return self._estimator

    def _same(self) -> Mapping[tuple[Kind, str], Sequence[int]]:
        """Tokens of the project's attempts that succeeded, oldest first, by what they did and with which model."""
        if self._of_kinds is None:
            context, found = self._context, dict[tuple[Kind, str], list[int]]()
            labels = {
                each.key: each.labels for each in context.stores.ledger.reservations({"project": str(context.project)})
            }
            for each in context.stores.history.observations(project=str(context.project)):
                if each.agent == context.agent.name and each.outcome == "succeeded" and each.key in labels:
                    found.setdefault((_kind(labels[each.key]), each.model), []).append(each.tokens)
            self._of_kinds = found
        return self._of_kinds


def estimate_from(tokens: Sequence[int]) -> Estimate | None:
    """The nearest ranks of what was observed, oldest first; None of fewer than three.

    Source: docs/decisions/0028-what-an-instance-holds.md
    """
    ranked = sorted(tokens[-_LATEST_OF_A_KIND:])
    if len(ranked) < FEW:
        return None
    p10, p50, p90 = (max(1, ranked[math.ceil(share * len(ranked) / 100) - 1]) for share in (10, 50, 90))
    return Estimate(tokens_p10=p10, tokens_p50=p50, tokens_p90=p90, source=f"{len(ranked)} earlier attempts")


def _is_tight(available: int, most: int | None, slots: int) -> bool:
    return not most or available < _AMPLE * slots * most


def written_lengths(tasks: Sequence[Task]) -> dict[str, float]:
    """By what the authors say: minutes, or tokens where nobody says minutes."""
    minutes = {task.number: task.metrics.estimated_minutes for task in tasks}
    found = {
        number: 30.0 * (low + high) for number, each in minutes.items() if each is not None for low, high in [each]
    }
    if found:
        return found
    tokens = {task.number: estimate(task) for task in tasks}
    return {number: float(each.tokens_p50) for number, each in tokens.items() if each is not None}


def _kind(labels: Mapping[str, str]) -> Kind:
    """The command; without one the instance's name, or a plan's task, which no instance is like."""
    for label in ("command", "instance"):
        if label in labels:
            return label, labels[label]
    return "task", labels.get("task", "")
