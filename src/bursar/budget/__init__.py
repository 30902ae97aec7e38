"""Budgets as values and the arithmetic on them: pure."""

from bursar.budget.alerts import OVERRUN_PERCENT, RUN_THRESHOLDS, Firing, due_alerts, period_id
from bursar.budget.decision import Shortfall, decide
from bursar.budget.selection import is_selected
from bursar.budget.text import LARGEST_QUANTITY, format_quantity, parse_limit
from bursar.budget.types import (
    NOTHING,
    Alert,
    Amount,
    Balance,
    Budget,
    Level,
    Limit,
    OnLimit,
    Threshold,
    Unit,
)

__all__ = [
    "LARGEST_QUANTITY",
    "NOTHING",
    "OVERRUN_PERCENT",
    "RUN_THRESHOLDS",
    "Alert",
    "Amount",
    "Balance",
    "Budget",
    "Firing",
    "Level",
    "Limit",
    "OnLimit",
    "Shortfall",
    "Threshold",
    "Unit",
    "decide",
    "due_alerts",
    "format_quantity",
    "is_selected",
    "parse_limit",
    "period_id",
]
