"""What a task will probably take: what its author wrote, and what earlier work took."""

from bursar.estimation.estimate import Estimate, estimate, guess_range
from bursar.estimation.estimator import Estimator
from bursar.estimation.key import Fact, Interval, Key
from bursar.estimation.phase import CRITERION_TOKENS, PHASE_TOKENS, REQUIREMENT_TOKENS, estimate_phase_tokens
from bursar.estimation.requests import EstimateDesk, is_about_estimates
from bursar.estimation.success import SuccessRate, SuccessRates
from bursar.estimation.task_keys import build_key, task_facts
from bursar.estimation.task_types import TaskType, choose_task_type

__all__ = [
    "CRITERION_TOKENS",
    "PHASE_TOKENS",
    "REQUIREMENT_TOKENS",
    "Estimate",
    "EstimateDesk",
    "Estimator",
    "Fact",
    "Interval",
    "Key",
    "SuccessRate",
    "SuccessRates",
    "TaskType",
    "build_key",
    "choose_task_type",
    "estimate",
    "estimate_phase_tokens",
    "guess_range",
    "is_about_estimates",
    "task_facts",
]
