"""Everything one run is conducted with, introduced to each other in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bursar.agents import Agent
from bursar.clock import Clock
from bursar.events import RunEvent
from bursar.graph import Graph
from bursar.history import History
from bursar.ids import IdSource
from bursar.journal import AttemptRow, Journal, RunRow
from bursar.ledger import Ledger
from bursar.plan import Plan
from bursar.pricing import RateTable
from bursar.worktrees import Repository


def merged_ref(run_id: str) -> str:
    """The ref that points to a run's merged work until the user's branch has it."""
    return f"refs/bursar/{run_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """How a run is conducted.

    Attributes:
        max_parallel: slots: how many attempts run at once at most.
        default_hold_tokens: held for a task that neither has an estimate nor a budget of its own.
        attempt_limit_seconds: wall time of one attempt; None for no limit.
        verify_limit_seconds: wall time of one verify command.
        auto_approved: checkpoint types that pass without a person, e.g. `human-verify`.
    """

    max_parallel: int = 5
    default_hold_tokens: int = 50_000
    attempt_limit_seconds: float | None = 3600.0
    verify_limit_seconds: float = 900.0
    auto_approved: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Where facts are kept; `ledger_path` is for supervisors, which open the ledger themselves."""

    ledger: Ledger
    ledger_path: Path
    journal: Journal
    history: History


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """One run and all that it needs.

    Attributes:
        directory: the run's own folder in the state directory: attempts, worktrees, logs.
        environment: the user's environment, from which agents and verify commands get theirs.
        emit: called with everything that happens, in order; must not raise or block.
    """

    run: RunRow
    plan: Plan
    graph: Graph
    repository: Repository
    directory: Path
    stores: Stores
    agent: Agent
    rates: RateTable
    settings: RunSettings
    environment: Mapping[str, str]
    clock: Clock
    ids: IdSource
    emit: Callable[[RunEvent], None] = field(default=lambda _: None)

    @property
    def merged_ref(self) -> str:
        """The ref that points to the run's merged work while the run is not finished."""
        return merged_ref(self.run.id)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of every operation of this run."""
        return {
            "project": str(self.repository.root),
            "run": self.run.id,
            "phase": self.plan.phase,
            "plan": self.plan.id,
            "agent": self.agent.name,
        }

    def is_current(self, attempt: AttemptRow) -> bool:
        """Whether the plan still has the attempt's task, word for word as it was when the attempt began."""
        return any(task.number == attempt.task and task.digest == attempt.digest for task in self.plan.tasks)

    def now(self) -> str:
        """The current time as it is stored."""
        return self.clock.now().isoformat(timespec="milliseconds")
