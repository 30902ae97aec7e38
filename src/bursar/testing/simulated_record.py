"""What a simulated run leaves behind for its auditor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bursar.events import RunEvent
from bursar.journal import AttemptRow, RunRow, TaskRow
from bursar.ledger import Reservation
from bursar.testing.simulated_git import SimulatedGit
from bursar.testing.simulated_machine import Machine
from bursar.testing.simulated_scenario import Luck, Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One conductor: what it met with, how it ended (a state, `crash`, or its error), and what it had written.

    `is_second`: it began while another one was at work, because the lock was lost.
    """

    luck: Luck
    ended: str
    writes: Sequence[str]
    began: float
    is_second: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a run has left behind, for the auditor.

    Attributes:
        breaches: laws that were seen broken while it ran.
        events: what the conductors told, in order.
    """

    scenario: Scenario
    machine: Machine
    run: RunRow | None
    tasks: Sequence[TaskRow]
    attempts: Sequence[AttemptRow]
    reservations: Sequence[Reservation]
    lives: Sequence[Life]
    breaches: Sequence[str]
    events: Sequence[RunEvent] = field(default_factory=list)

    @property
    def git(self) -> SimulatedGit:
        """The repository."""
        return self.machine.git
