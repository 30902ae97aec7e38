"""What a task will probably take. For now: what its author wrote; learning comes with history."""

from bursar.estimation.estimate import Estimate, estimate

__all__ = ["Estimate", "estimate"]
