"""Reads plan files; runs nothing."""

from bursar.plan.model import ContextMode, Metrics, Plan, Position, Problem, Task, TokenRange, UnreadablePlan

__all__ = ["ContextMode", "Metrics", "Plan", "Position", "Problem", "Task", "TokenRange", "UnreadablePlan"]
