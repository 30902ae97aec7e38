"""Budgets as values and the arithmetic on them: pure."""

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

__all__ = ["NOTHING", "Alert", "Amount", "Balance", "Budget", "Level", "Limit", "OnLimit", "Threshold", "Unit"]
