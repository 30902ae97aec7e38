"""Where attempts are carried out: a port of four calls, so that it can be this machine, many machines, or a simulation.

Three things make it one that may be far away, and may be asked twice:

* An attempt is self-contained: its spec has all that it needs, also when nobody conducts any more.
* It is at-least-once safe: of however many submissions of one attempt, one is begun.
* It is fenced by its number: the key RUN/TASK/NUMBER is begun or cancelled, once and for good. Another try at the task
  is another attempt, with another number and another hold.

Source: docs/decisions/0045-executors.md
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bursar.journal import AttemptRow
from bursar.supervision import AttemptSpec, Outcome


class Standing(StrEnum):
    """How far an executor has come with an attempt.

    `unclaimed`: nobody has begun it, though somebody still may. `cancelled`: nobody has, nor ever will. `running`: it
    is looked after. `ended`: nobody looks after it any more, and nothing that it started is left.
    """

    UNCLAIMED = "unclaimed"
    CANCELLED = "cancelled"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Status:
    """Where an attempt stands; `outcome` of one that has ended, None where nobody knows it."""

    standing: Standing
    outcome: Outcome | None = None


class Executor(Protocol):
    """Carries out attempts. It knows specs and outcomes, and neither plans nor worktrees nor who conducts."""

    async def submit(self, spec: AttemptSpec) -> None:
        """The attempt is begun, unless it was before or is cancelled; it goes on without whoever submitted it.

        Raises:
            SetupError: none can be begun; whether this one was all the same, `status` says.
        """
        ...

    def status(self, attempt: AttemptRow) -> Status:
        """Where the attempt stands, whoever submitted it, and whether or not anybody lived meanwhile."""
        ...

    def cancel(self, attempt: AttemptRow, *, running: bool = True, grace_seconds: float = 0.0) -> Status:
        """An attempt that nobody has begun is cancelled for good; one that runs has been told to stop (if `running`).

        The status afterwards: one that was told to stop runs until it has stopped, settled and ended. An agent that can
        be told to wrap up may take `grace_seconds` for that, never longer than said first; without any, or where it
        cannot be told, it is stopped at once.
        """
        ...

    async def heartbeat(self, attempt: AttemptRow) -> None:
        """Returns when there is a reason to ask for the status again: the attempt's end, or no sign of life.

        At once for an attempt that is neither running nor on its way after `submit`.
        """
        ...


class AttemptExecutor(Executor, AbstractAsyncContextManager[object], Protocol):
    """An executor that is used as `async with` while a run is conducted; leaving it stops no attempt."""
