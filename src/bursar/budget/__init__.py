"""Budgets as values and the arithmetic on them: pure."""

from bursar.budget.alerts import OVERRUN_PERCENT, Firing, due_alerts, projected_alerts
from bursar.budget.decision import Shortfall, decide
from bursar.budget.period import ALWAYS, LastPeriod, Period, PeriodKind, check_period, parse_period, period_id
from bursar.budget.selection import is_selected
from bursar.budget.text import LARGEST_QUANTITY, format_quantity, parse_limit
from bursar.budget.thresholds import (
    LARGEST_PERCENT,
    PERIOD_THRESHOLDS,
    RUN_THRESHOLDS,
    SESSION_STOP_PERCENT,
    SESSION_THRESHOLDS,
    build_thresholds,
    check_thresholds,
    level_at,
)
from bursar.budget.titles import is_configured, is_retired, name_for_ledger, retire, title_of
from bursar.budget.types import (
    LANE_LABEL,
    NOTHING,
    Alert,
    Amount,
    Balance,
    Budget,
    Counting,
    Lane,
    Level,
    Limit,
    OnLimit,
    Threshold,
    Unit,
)

__all__ = [
    "ALWAYS",
    "LANE_LABEL",
    "LARGEST_PERCENT",
    "LARGEST_QUANTITY",
    "NOTHING",
    "OVERRUN_PERCENT",
    "PERIOD_THRESHOLDS",
    "RUN_THRESHOLDS",
    "SESSION_STOP_PERCENT",
    "SESSION_THRESHOLDS",
    "Alert",
    "Amount",
    "Balance",
    "Budget",
    "Counting",
    "Firing",
    "Lane",
    "LastPeriod",
    "Level",
    "Limit",
    "OnLimit",
    "Period",
    "PeriodKind",
    "Shortfall",
    "Threshold",
    "Unit",
    "build_thresholds",
    "check_period",
    "check_thresholds",
    "decide",
    "due_alerts",
    "format_quantity",
    "is_configured",
    "is_retired",
    "is_selected",
    "level_at",
    "name_for_ledger",
    "parse_limit",
    "parse_period",
    "period_id",
    "projected_alerts",
    "retire",
    "title_of",
]
