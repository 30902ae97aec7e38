"""When a budget speaks up: thresholds that are reached for the first time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bursar.budget.text import format_quantity
from bursar.budget.types import Alert, Balance, Budget, Level, Threshold

RUN_THRESHOLDS = (
    Threshold(80, Level.WARNING),
    Threshold(90, Level.CRITICAL),
    Threshold(95, Level.CRITICAL),
)
"""What a run's budgets say before they block at the whole of their limit."""

OVERRUN_PERCENT = 101
"""Every budget speaks up when it has been passed, whatever its thresholds are; that alert bears this number."""

_OVERRUN = Threshold(OVERRUN_PERCENT, Level.CRITICAL)


@dataclass(frozen=True, slots=True)
class Firing:
    """What one change of a balance sets off: at most one alert, and the marks (percents) never to fire again."""

    alert: Alert | None
    marks: tuple[int, ...]


def period_id(budget: Budget) -> str:
    """The name of the period that is running; the one period there is so far never ends and bears its own name."""
    return budget.period


def due_alerts(balance: Balance, marked: Collection[int], at: datetime) -> Firing:
    """The alert that is due now that `balance` stands as it does; each threshold fires once per budget and period.

    A threshold is reached when what is spent and metered is at or above its percent of the limit; what is only held
    reaches nothing. Of several that are newly reached the highest fires and all are marked. One that is new but lies
    below a mark (thresholds can be redefined) is marked in silence.

    Args:
        marked: the percents marked so far in this period.
    """
    reached = {each.percent: each for each in (_OVERRUN, *balance.budget.thresholds) if _is_reached(balance, each)}
    new = [reached[percent] for percent in sorted(reached) if percent not in marked]
    if not new:
        return Firing(None, ())
    marks = tuple(each.percent for each in new)
    if marks[-1] < max(marked, default=0):
        return Firing(None, marks)
    return Firing(_alert(balance, new[-1], at), marks)


def _is_reached(balance: Balance, threshold: Threshold) -> bool:
    taken, limit = balance.spent + balance.metered, balance.budget.limit.quantity
    if threshold is _OVERRUN:
        return taken > limit
    return taken * 100 >= threshold.percent * limit


def _alert(balance: Balance, threshold: Threshold, at: datetime) -> Alert:
    return Alert(
        budget=balance.budget.name,
        period_id=period_id(balance.budget),
        percent=threshold.percent,
        level=threshold.level,
        at=at,
        message=_message(balance, threshold),
    )


def _message(balance: Balance, threshold: Threshold) -> str:
    budget, taken = balance.budget, balance.spent + balance.metered
    unit, limit = budget.limit.unit, budget.limit.quantity
    limit_text = format_quantity(limit, unit)
    if threshold is _OVERRUN:
        return f"budget `{budget.name}` is past its limit of {limit_text} by {format_quantity(taken - limit, unit)}"
    return f"budget `{budget.name}` has reached {threshold.percent} % of {limit_text}: {format_quantity(taken, unit)}"
