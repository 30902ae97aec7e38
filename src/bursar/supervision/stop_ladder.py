"""Ending an agent step by step: each rung's signal, its grace, the next rung; after the last one it is killed."""

from __future__ import annotations

from collections.abc import Sequence

from bursar.supervision.spec import StopRung


class StopLadder:
    """Which rung is due at which time. Pure: the caller brings the time and sends the signals."""

    def __init__(self, rungs: Sequence[StopRung]) -> None:
        self._rungs = list(rungs)
        self._next_at: float | None = None

    @property
    def is_begun(self) -> bool:
        """Whether the agent was told to stop."""
        return self._next_at is not None

    def begin(self, now: float) -> None:
        """The first rung is due at once; beginning again changes nothing."""
        if self._next_at is None:
            self._next_at = now

    def seconds_left(self, now: float) -> float | None:
        """Until the next rung is due; None when nothing will ever be due."""
        return None if self._next_at is None else max(0.0, self._next_at - now)

    def due(self, now: float) -> StopRung | None:
        """The rung whose time has come, each once."""
        if self._next_at is None or now < self._next_at or not self._rungs:
            return None
        rung = self._rungs.pop(0)
        self._next_at = now + rung.grace_seconds
        return rung

    def is_exhausted(self, now: float) -> bool:
        """Every rung was tried and the last grace is over: only KILL is left."""
        return self._next_at is not None and not self._rungs and now >= self._next_at
