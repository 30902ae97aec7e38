"""What work will probably take: what its author wrote, and what earlier work took.

Forecasts of a whole are imported when they are asked for: they bring numpy, which a run may never need.
"""

from bursar.doors import open_late
from bursar.estimation.documented import DocumentedLearner
from bursar.estimation.estimate import Estimate, estimate, guess_range
from bursar.estimation.estimator import Estimator
from bursar.estimation.key import Fact, Interval, Key
from bursar.estimation.phase import CRITERION_TOKENS, PHASE_TOKENS, REQUIREMENT_TOKENS, estimate_phase_tokens
from bursar.estimation.requests import EstimateDesk, is_about_estimates
from bursar.estimation.success import SuccessRate, SuccessRates
from bursar.estimation.task_keys import build_key, task_facts
from bursar.estimation.task_types import TaskType, choose_task_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bursar.estimation.forecasting import (
        DRAWS,
        SEED,
        Draws,
        Forecast,
        Piece,
        Rung,
        forecast,
        left_draws,
        spread_draws,
    )

__all__ = [
    "CRITERION_TOKENS",
    "DRAWS",
    "PHASE_TOKENS",
    "REQUIREMENT_TOKENS",
    "SEED",
    "DocumentedLearner",
    "Draws",
    "Estimate",
    "EstimateDesk",
    "Estimator",
    "Fact",
    "Forecast",
    "Interval",
    "Key",
    "Piece",
    "Rung",
    "SuccessRate",
    "SuccessRates",
    "TaskType",
    "build_key",
    "choose_task_type",
    "estimate",
    "estimate_phase_tokens",
    "forecast",
    "guess_range",
    "is_about_estimates",
    "left_draws",
    "spread_draws",
    "task_facts",
]

if not TYPE_CHECKING:  # what is not here yet
    __getattr__ = open_late(__name__, {"forecasting": set(__all__) - globals().keys()})
