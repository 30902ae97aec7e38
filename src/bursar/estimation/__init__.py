"""What a task will probably take. For now: what its author wrote; learning comes with history."""

from bursar.estimation.estimate import Estimate, estimate, guess_range

__all__ = ["Estimate", "estimate", "guess_range"]
