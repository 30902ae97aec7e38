"""Observations of finished attempts: what estimates and routes will learn from."""

from bursar.history.store import History, Observation, open_history

__all__ = ["History", "Observation", "open_history"]
