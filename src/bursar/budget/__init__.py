"""Budgets as values and the arithmetic on them: pure. What is about windows is imported when it is asked for."""

from bursar.budget.alerts import OVERRUN_PERCENT, Firing, due_alerts, is_reached, projected_alerts
from bursar.budget.decision import Shortfall, decide
from bursar.budget.period import (
    ALWAYS,
    CALENDAR_KINDS,
    LastPeriod,
    Period,
    PeriodKind,
    check_period,
    parse_period,
    period_id,
    period_start,
)
from bursar.budget.selection import LOGS_LABEL, OF_TASKS, is_selected
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
from bursar.doors import open_late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bursar.budget.window import (
        WindowDenial,
        WindowFiring,
        WindowLimit,
        WindowUse,
        decide_window,
        due_window_alert,
        name_window,
        parse_share,
        parse_window_length,
        window_length,
    )

__all__ = [
    "ALWAYS",
    "CALENDAR_KINDS",
    "LANE_LABEL",
    "LARGEST_PERCENT",
    "LARGEST_QUANTITY",
    "LOGS_LABEL",
    "NOTHING",
    "OF_TASKS",
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
    "WindowDenial",
    "WindowFiring",
    "WindowLimit",
    "WindowUse",
    "build_thresholds",
    "check_period",
    "check_thresholds",
    "decide",
    "decide_window",
    "due_alerts",
    "due_window_alert",
    "format_quantity",
    "is_configured",
    "is_reached",
    "is_retired",
    "is_selected",
    "level_at",
    "name_for_ledger",
    "name_window",
    "parse_limit",
    "parse_period",
    "parse_share",
    "parse_window_length",
    "period_id",
    "period_start",
    "projected_alerts",
    "retire",
    "title_of",
    "window_length",
]

if not TYPE_CHECKING:  # what is not here yet: quick commands need none of it
    __getattr__ = open_late(__name__, {"window": set(__all__) - globals().keys()})
