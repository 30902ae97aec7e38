"""Thresholds as data, and the defaults of each sort of budget.

Source: docs/budgets.md, which lists the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

from bursar.budget.types import Level, Threshold
from bursar.errors import UserError

LARGEST_PERCENT = 1000
SESSION_STOP_PERCENT = 95
"""`Budget.stop_percent` of the budget of a session: reaching it is blocked."""


def level_at(percent: int) -> Level:
    """How loud a share of a limit is where nobody said: info below 70 %, warning below 90 %, else critical."""
    if percent < 70:
        return Level.INFO
    return Level.WARNING if percent < 90 else Level.CRITICAL


def build_thresholds(percents: Sequence[int]) -> tuple[Threshold, ...]:
    """Thresholds at these percents, each as loud as `level_at` says.

    Raises:
        UserError: they do not ascend, or one is no whole number from 1 to 1000 (ten times the limit).
    """
    thresholds = tuple(Threshold(percent, level_at(percent)) for percent in percents if _is_percent(percent))
    if len(thresholds) < len(percents):
        raise UserError(f"a threshold is a whole number of percent from 1 to {LARGEST_PERCENT}")
    check_thresholds(thresholds)
    return thresholds


def check_thresholds(thresholds: Sequence[Threshold]) -> None:
    """They can be kept.

    Raises:
        UserError: they do not ascend, or one is no whole number from 1 to 1000.
    """
    percents = [threshold.percent for threshold in thresholds]
    if not all(map(_is_percent, percents)):
        raise UserError(f"a threshold is a whole number of percent from 1 to {LARGEST_PERCENT}")
    if percents != sorted(set(percents)):
        raise UserError("thresholds must ascend, and each may stand there once")


def _is_percent(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST_PERCENT


RUN_THRESHOLDS = (
    Threshold(80, Level.WARNING),
    Threshold(90, Level.CRITICAL),
    Threshold(95, Level.CRITICAL),
)
"""What a run's budgets say before they block at the whole of their limit."""

SESSION_THRESHOLDS = (
    Threshold(80, Level.WARNING),
    Threshold(90, Level.CRITICAL),
    Threshold(SESSION_STOP_PERCENT, Level.CRITICAL, "stop"),
)
"""What the budget of a session says; it blocks at the last one (`SESSION_STOP_PERCENT`)."""

PERIOD_THRESHOLDS = build_thresholds((50, 70, 80, 100))
"""What the budget of a period says."""
