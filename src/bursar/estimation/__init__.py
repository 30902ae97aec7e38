"""What a task will probably take. For now: what its author wrote; learning comes with history."""

from bursar.estimation.estimate import Estimate, estimate, guess_range
from bursar.estimation.phase import CRITERION_TOKENS, PHASE_TOKENS, REQUIREMENT_TOKENS, estimate_phase_tokens

__all__ = [
    "CRITERION_TOKENS",
    "PHASE_TOKENS",
    "REQUIREMENT_TOKENS",
    "Estimate",
    "estimate",
    "estimate_phase_tokens",
    "guess_range",
]
