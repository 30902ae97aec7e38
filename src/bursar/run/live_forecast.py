"""What is left of a run, forecast while it is on: how probably the money suffices, and what it would take.

Attempts do not wait for it: it is reckoned in a thread of its own, at most every so many seconds, and for no more than
a fiftieth of the time. It is told as an event when it has changed, and lies beside the run for `bursar status`.

Source: docs/decisions/0040-forecasts-of-a-running-run.md
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bursar.budget import OF_TASKS, Balance, Limit, OnLimit, title_of
from bursar.errors import BursarError
from bursar.events import ForecastChanged
from bursar.history import LEARN_FROM, Work, learn
from bursar.journal import AttemptRow, AttemptState, TaskState
from bursar.ledger import Reservation, State
from bursar.money import NANO_PER_USD
from bursar.paths import FORECAST_FILE
from bursar.plan import Task
from bursar.routing import Tier, larger_tier
from bursar.run.context import RunContext
from bursar.usage import Usage

_SHARE = 50  # times as long as it took it rests
_MOST_TASKS = 500
_TOLD_FROM = 0.1  # a probability that has changed by so much is told
_OPEN = frozenset({TaskState.PENDING, TaskState.RUNNING, TaskState.WAITING})
_INPUT_TOKENS, _OUTPUT_TOKENS = 900_000, 100_000  # of a million; Source: docs/decisions/0007-holds.md


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a run stands: what is open, what each task may still be tried with, and what is left in each budget."""

    works: Sequence[Work]
    ladders: dict[str, Sequence[str]]
    left: Sequence[tuple[str, Limit]]
    slots: int


class LiveForecast:
    """The forecasts of one run."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._told: ForecastChanged | None = None

    async def keep(self) -> None:
        """Forecasts again and again, until it is cancelled; the settings may say never. A failure ends it, no more."""
        seconds = self._context.settings.forecast_seconds
        forget_forecast(self._context.directory / FORECAST_FILE)
        while seconds:
            await asyncio.sleep(seconds)
            try:
                began = self._context.clock.monotonic()
                position = find_position(self._context)
                if position is not None:
                    self._tell(await asyncio.to_thread(forecast_position, self._context, position))
                took = self._context.clock.monotonic() - began
            except (BursarError, OSError, ValueError):
                return
            seconds = max(self._context.settings.forecast_seconds, _SHARE * took)

    def _tell(self, found: ForecastChanged) -> None:
        write_forecast(self._context.directory / FORECAST_FILE, found)
        before = self._told
        if before is None or abs(before.finishes - found.finishes) >= _TOLD_FROM:
            self._told = found
            self._context.emit(found)


def find_position(context: RunContext) -> Position | None:
    """Where the run stands, by its books; None without a budget that blocks, or where there is too much to forecast."""
    rows = {row.number: row for row in context.stores.journal.tasks(context.run.id)}
    open_ = [task for task in context.plan.tasks if task.number in rows and rows[task.number].state in _OPEN]
    balances = [each for each in context.stores.ledger.balances(context.labels) if _is_for_all(context, each)]
    if not balances or not open_ or len(open_) > _MOST_TASKS:
        return None
    held = [each for each in context.stores.ledger.reservations({"run": context.run.id}) if each.state is State.HELD]
    used = {each.labels["task"]: each for each in held}
    attempts = context.stores.journal.attempts(context.run.id)
    numbers = {task.number for task in open_}
    ordered = sorted(open_, key=lambda task: context.graph.wave[task.number])
    return Position(
        works=[_work(context, task, numbers, used.get(task.number)) for task in ordered],
        ladders={task.number: _ladder(context, task, attempts) for task in open_},
        left=[(each.budget.name, _left(each, held)) for each in balances],
        slots=context.settings.max_parallel,
    )


def forecast_position(context: RunContext, position: Position) -> ForecastChanged:
    """The forecast of what is open, by the budget that is least likely to suffice."""
    from bursar.history import Basis, estimate_works, weigh  # brings numpy

    history = context.stores.history
    experience = learn(history.read(latest=LEARN_FROM).observations)
    basis = Basis(
        experience=replace(experience, corrections=history.corrections()),
        project=str(context.project),
        ladder_of=lambda task: position.ladders[task.number],
        price_of=lambda model: _price_of(context, model),
        attempts=context.settings.max_attempts,
        slots=position.slots,
        seed=1,
    )
    estimated = estimate_works(position.works, basis)
    chances = [(weigh(estimated, limit), name) for name, limit in position.left]
    chance, name = min(chances, key=lambda pair: pair[0].probability)
    return ForecastChanged(
        open_tasks=len(position.works),
        budget=title_of(name),
        unit=str(chance.limit.unit),
        left=chance.limit.quantity,
        finishes=round(chance.probability, 4),
        needed=chance.needed,
        needed_to_pay=chance.needed_for_money,
        observations=experience.observations,
    )


def write_forecast(path: Path, found: ForecastChanged) -> None:
    """The file says this, and never half of it.

    Raises:
        OSError: it cannot be written.
    """
    beside = path.with_suffix(".new")
    names = ForecastChanged.__dataclass_fields__
    beside.write_text(json.dumps({name: getattr(found, name) for name in names}), encoding="utf-8")
    os.replace(beside, path)


def forget_forecast(path: Path) -> None:
    """What an earlier conductor of the run forecast is gone, as far as it can be removed."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _is_for_all(context: RunContext, balance: Balance) -> bool:
    budget = balance.budget
    is_blocking = budget.on_limit is OnLimit.BLOCK and budget.is_charged_by(context.labels)
    return is_blocking and OF_TASKS.isdisjoint(budget.selector)


def _left(balance: Balance, held: Sequence[Reservation]) -> Limit:
    """What the run may still use: what is available, and what its own attempts hold and have not used yet."""
    unit, counts = balance.budget.limit.unit, balance.budget.counts
    own = [each for each in held if balance.budget.name in each.budgets]
    unused = sum(max(0, (each.held.of(unit, counts) or 0) - (each.metered.of(unit, counts) or 0)) for each in own)
    return Limit(balance.available + unused, unit)


def _work(context: RunContext, task: Task, open_: set[str], held: Reservation | None) -> Work:
    used = {}
    if held is not None:
        used = {"tokens": float(held.metered.tokens), "cost_usd": (held.metered.nano_usd or 0) / NANO_PER_USD}
    waits = tuple(number for number in context.graph.dependencies(task.number) if number in open_)
    return Work(
        name=task.number, title=task.name, task=None if task.is_checkpoint else task, waits_for=waits, used=used
    )


def _ladder(context: RunContext, task: Task, attempts: Sequence[AttemptRow]) -> list[str]:
    """The model that the task is on, and those that a failure may take it to."""
    agent, tier = context.agent_of(task), context.escalation.tier_of(task)
    failed = sum(row.task == task.number and row.state is AttemptState.FAILED for row in attempts)
    models = [context.model_of(task)]
    tier = larger_tier(Tier(tier)) if tier is not None else None
    while tier is not None:
        if agent.model_for(tier) != models[-1]:
            models.append(agent.model_for(tier))
        tier = larger_tier(tier)
    return models[: max(1, context.settings.max_attempts - failed)]


def _price_of(context: RunContext, model: str) -> float | None:
    usage = Usage(input_tokens=_INPUT_TOKENS, output_tokens=_OUTPUT_TOKENS)
    nano_usd = context.rates.dearest_nano_usd(model, usage)
    return None if nano_usd is None else nano_usd / (_INPUT_TOKENS + _OUTPUT_TOKENS) / NANO_PER_USD
