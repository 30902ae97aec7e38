"""From work and experience to a forecast: what is learned where enough is, else what the author says, else a guess."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from bursar.budget import Limit, Unit
from bursar.estimation import (
    Draws,
    Forecast,
    Key,
    Piece,
    Rung,
    build_key,
    estimate,
    forecast,
    guess_range,
    left_draws,
    spread_draws,
)
from bursar.history.learning import Experience
from bursar.history.work import Work
from bursar.money import NANO_PER_USD
from bursar.plan import Task

MEASURES = ("tokens", "cost_usd", "seconds")
ENOUGH = 10  # outcomes of a measure, before which nothing learned from them is used
_USUAL_MINUTES = (1.0, 20.0)
SURE = 0.9  # how sure one wants to be that the money suffices
_UNITS = {Unit.TOKENS: "tokens", Unit.USD: "cost_usd"}
_PHASE_SPREAD = 4  # a phase without plans may take so many times more, or less

LadderOf = Callable[[Task], Sequence[str]]
PriceOf = Callable[[str], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a forecast stands on.

    Attributes:
        ladder_of: the models of the task's attempts: the first, then who follows where that has failed.
        price_of: USD for a token of that model, as agents use them; None where no price is known.
        attempts: how many a task gets at most.
        slots: attempts at once, 1 or more.
        seed: of the draws; the same one, the same forecast.
    """

    experience: Experience
    project: str
    ladder_of: LadderOf
    price_of: PriceOf
    attempts: int
    slots: int
    seed: int


@dataclass(frozen=True, slots=True)
class Told:
    """One piece of work with what a first attempt at it takes, in each draw, and by what one knows.

    Attributes:
        source: in words: `learned, 7 alike`, `the plan's own range`, `documented default`.
    """

    work: Work
    model: str
    rung: Rung
    source: str


@dataclass(frozen=True)
class Estimated:
    """The forecast of the whole, and of each task. A cost that nobody knows is in `unpriced`, and in no sum."""

    told: Sequence[Told]
    whole: Forecast
    unpriced: Sequence[str]


def estimate_works(works: Sequence[Work], basis: Basis) -> Estimated:
    """The whole, and each task."""
    active = [work for work in works if work.task is not None or work.phase_tokens is not None]
    ladders = [basis.ladder_of(work.task or Task(number="", name="")) for work in active]
    keys, levels = [_key(work.task, basis) for work in active], []
    for height in range(max(map(len, ladders), default=0)):
        models = [ladder[min(height, len(ladder) - 1)] for ladder in ladders]
        levels.append(_Level(active, keys, models, basis))
    told = [level.tell() for level in levels]
    rungs = {
        work.name: [told[height][row].rung for height in range(len(ladders[row]))] for row, work in enumerate(active)
    }
    pieces = [Piece(name=work.name, rungs=rungs.get(work.name, ()), waits_for=work.waits_for) for work in works]
    whole = forecast(pieces, slots=basis.slots, measures=MEASURES, seed=basis.seed)
    return Estimated(told[0] if told else [], whole, sorted({model for level in levels for model in level.unpriced}))


@dataclass(frozen=True, slots=True)
class Chance:
    """What a budget is worth: how probably all is done within it, and what it takes to be `SURE`.

    Attributes:
        enough: how probably what is begun stays within it.
        needed: in the limit's unit; None where no money makes it so sure, because tasks fail.
        needed_for_money: the same for what is begun, whether it succeeds or not.
    """

    limit: Limit
    probability: float
    enough: float
    needed: int | None
    needed_for_money: int


def weigh(estimated: Estimated, limit: Limit) -> Chance:
    """What this budget is worth for the whole."""
    whole, measure = estimated.whole, _UNITS[limit.unit]
    amounts = whole.amounts[measure] * (1e9 if limit.unit is Unit.USD else 1.0)
    is_enough = amounts <= limit.quantity
    finished = sorted(amounts[whole.done > 0].tolist())
    wanted = math.ceil(SURE * len(amounts))
    needed = math.ceil(finished[wanted - 1]) if len(finished) >= wanted else None
    for_money = math.ceil(sorted(amounts.tolist())[wanted - 1])
    return Chance(limit, float((is_enough * whole.done).mean()), float(is_enough.mean()), needed, for_money)


class _Level:
    """One attempt at each of the works, each by a model of its own."""

    def __init__(self, works: Sequence[Work], keys: Sequence[Key], models: Sequence[str], basis: Basis) -> None:
        """`keys`: the works as estimates know them, by no model yet."""
        self._active, self._models, self._basis = works, models, basis
        self._keys = [replace(key, model=model) for key, model in zip(keys, models, strict=True)]
        self.unpriced: set[str] = set()

    def tell(self) -> list[Told]:
        """What each takes."""
        return [self._tell(row, work) for row, work in enumerate(self._active)]

    def _tell(self, row: int, work: Work) -> Told:
        model = self._models[row]
        tokens, source = self._tokens(row, work)
        amounts = {"tokens": tokens, "cost_usd": self._cost(row, work, tokens), "seconds": self._seconds(row, work)}
        amounts = {measure: left_draws(draws, work.used.get(measure, 0.0)) for measure, draws in amounts.items()}
        success = self._basis.experience.success.estimate(self._keys[row]).rate
        return Told(work, model, Rung(amounts=amounts, success=1.0 if work.task is None else success), source)

    def _tokens(self, row: int, work: Work) -> tuple[Draws, str]:
        if work.task is None:
            middle = work.phase_tokens or 1
            return self._guess(row, middle / _PHASE_SPREAD, middle * _PHASE_SPREAD), "documented default of a phase"
        if self._is_known("tokens"):
            alike = self._basis.experience.estimator.alike(self._keys[row])
            return self._row("tokens", row), f"learned, {alike} alike"
        written = estimate(work.task)
        if written is not None:
            return self._guess(row, written.tokens_p10, written.tokens_p90), "the plan's own range"
        usual = guess_range(work.task.complexity or 5, work.task.metrics.token_budget)
        return self._guess(row, usual.low, usual.high), "documented default"

    def _cost(self, row: int, work: Work, tokens: Draws) -> Draws:
        """What was learned is of attempts; a phase without plans is no attempt, and costs what its tokens do."""
        model = self._models[row]
        is_known = self._is_known("cost_usd")
        price = self._basis.price_of(model) if work.task is None or not is_known else None
        if is_known and price is None:
            return self._row("cost_usd", row)
        if price is None:
            self.unpriced.add(model)
        return tokens * (price or 0.0)

    def _seconds(self, row: int, work: Work) -> Draws:
        if work.task is not None and self._is_known("seconds"):
            return self._row("seconds", row)
        written = work.task.metrics.estimated_minutes if work.task is not None else None
        low, high = written or _USUAL_MINUTES
        return self._guess(row, max(low, 0.1) * 60, max(high, low, 0.1) * 60)

    def _guess(self, row: int, low: float, high: float) -> Draws:
        """Draws between two amounts that one in ten lies below, and one above."""
        return spread_draws(
            len(self._active), self._basis.seed, row, math.log(max(low, 1e-9)), math.log(max(high, 1e-9))
        )

    def _row(self, measure: str, row: int) -> Draws:
        drawn: Draws = self._drawn[measure][row]
        return drawn

    def _is_known(self, measure: str) -> bool:
        return self._basis.experience.estimator.observations(measure) >= ENOUGH

    @cached_property
    def _drawn(self) -> dict[str, Draws]:
        estimator = self._basis.experience.estimator
        return {
            measure: estimator.draw(self._keys_of(measure), self._basis.seed)
            for measure in MEASURES
            if self._is_known(measure)
        }

    def _keys_of(self, measure: str) -> list[Key]:
        return [replace(key, measure=measure) for key in self._keys]


def _key(task: Task | None, basis: Basis) -> Key:
    """The task as estimates know it, by no model yet."""
    if task is None:
        return Key(measure="tokens", project=basis.project)
    corrected = basis.experience.corrections.get(task.digest)
    return build_key(task, "tokens", model="", project=basis.project, type_=corrected)


def to_nano_usd(usd: float) -> int:
    """Whole nano-USD, rounded up."""
    return math.ceil(usd * NANO_PER_USD)
