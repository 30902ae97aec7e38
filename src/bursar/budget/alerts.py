"""When a budget speaks up: thresholds that are reached for the first time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from bursar.budget.text import format_quantity
from bursar.budget.titles import title_of
from bursar.budget.types import Alert, Amount, Balance, Budget, Level, Threshold

OVERRUN_PERCENT = 101
"""Every budget speaks up when it has been passed, whatever its thresholds are; that alert bears this number."""

_OVERRUN = Threshold(OVERRUN_PERCENT, Level.CRITICAL)


class Firing(NamedTuple):
    """What one change of a balance sets off: at most one alert, and the marks (percents) never to fire again."""

    alert: Alert | None
    marks: tuple[int, ...]


def due_alerts(balance: Balance, marked: Collection[int], at: datetime) -> Firing:
    """The alert that is due now that `balance` stands as it does; each threshold fires once per budget and period.

    A threshold is reached when what is spent and metered is at or above its percent of the limit; what is only held
    reaches nothing. Of several that are newly reached the highest fires and all are marked. One that is new but lies
    below a mark (thresholds can be redefined) is marked in silence.

    Args:
        marked: the percents marked so far in this period.
    """
    reached = _reached(balance, balance.spent + balance.metered)
    new = [reached[percent] for percent in sorted(reached) if percent not in marked]
    if not new:
        return Firing(None, ())
    marks = tuple(each.percent for each in new)
    if marks[-1] < max(marked, default=0):
        return Firing(None, marks)
    return Firing(_alert(balance, new[-1], at, balance.spent + balance.metered), marks)


def is_reached(balance: Balance, percent: int) -> bool:
    """What is spent and metered is at or above that percent of the limit; for `OVERRUN_PERCENT`: past the limit."""
    taken, limit = balance.spent + balance.metered, balance.budget.limit.quantity
    return taken > limit if percent == OVERRUN_PERCENT else taken * 100 >= percent * limit


def projected_alerts(balance: Balance, amount: Amount, at: datetime) -> tuple[Alert, ...]:
    """Every threshold that would be reached if `amount` were held on top of what is spent and reserved, ascending.

    This is a state, not a firing: it says the same however often it is asked, and marks nothing. With `NOTHING` it is
    the state as it is. A cost that is unknown adds nothing.
    """
    taken = balance.spent + balance.reserved + (balance.budget.amount_of(amount) or 0)
    reached = _reached(balance, taken)
    return tuple(_alert(balance, reached[percent], at, taken) for percent in sorted(reached))


def _reached(balance: Balance, taken: int) -> dict[int, Threshold]:
    """By percent; where a threshold lies at the percent of the overrun, its own words win."""
    limit, reached = balance.budget.limit.quantity, {}
    if taken > limit:
        reached[OVERRUN_PERCENT] = _OVERRUN
    for each in balance.budget.thresholds:
        if taken * 100 >= each.percent * limit:
            reached[each.percent] = each
    return reached


def _alert(balance: Balance, threshold: Threshold, at: datetime, taken: int) -> Alert:
    return Alert(
        budget=balance.budget.name,
        period_id=balance.period_id,
        percent=threshold.percent,
        level=threshold.level,
        at=at,
        message=_message(balance.budget, threshold, taken),
    )


def _message(budget: Budget, threshold: Threshold, taken: int) -> str:
    unit, limit = budget.limit.unit, budget.limit.quantity
    limit_text, title = format_quantity(limit, unit), title_of(budget.name)
    if threshold is _OVERRUN:
        return f"budget `{title}` is past its limit of {limit_text} by {format_quantity(taken - limit, unit)}"
    mark = f"{threshold.percent} %" + (f" ({threshold.name})" if threshold.name else "")
    return f"budget `{title}` has reached {mark} of {limit_text}: {format_quantity(taken, unit)}"
