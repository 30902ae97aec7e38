"""Everything one run is conducted with, introduced to each other in one place."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from bursar.agents import Agent
from bursar.budget import LANE_LABEL, Lane, Limit, Unit, WindowLimit
from bursar.clock import Clock
from bursar.errors import InternalError
from bursar.events import RunEvent
from bursar.graph import Graph
from bursar.history import History
from bursar.ids import IdSource
from bursar.journal import AttemptRow, Journal, RunRow
from bursar.ledger import Ledger
from bursar.plan import Instance, Plan, Program, Task
from bursar.pricing import RateTable
from bursar.run.advice import Advice
from bursar.run.attempt_commands import AttemptCommands
from bursar.run.escalation import Escalation
from bursar.run.programs import Selection
from bursar.run.purse import Purse
from bursar.sandbox import Sandbox
from bursar.supervision import AttemptLimits
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
        lanes: who bills an agent's calls, by the agent's name; of one that is not named nobody knows.
        startup_delay_seconds: the least time between two starts of agents.
        forecast_seconds: the least time between two forecasts of what is left; 0 for none.
        max_attempts: at one task in one run, each after a failure and on a larger tier.
        attempt_cap: what one model may use on one task; None for no cap.
        downgrades: whether a task that cannot be paid for goes to a smaller tier.
        verifies_merged: whether work that did not start from the merged work as it is now is verified in it.
        fresh_attempts: at one task in one run, after its work could not be merged.
        wrap_up_calls: agents are told to wrap up when their limits have room for no more calls than that; 0: never.
        wrap_up_window_percent: the same, when so much of a window of their subscription is used.
        limits: what one agent may take of the machine; the size of files holds for verify commands, too.
        max_phases: how many phases of a roadmap run at once at most.
        phase_tokens: phases run side by side only if so many tokens are left for each of them.
        falls_back: without them they run one after the other; else not at all.
        windows: how much of subscriptions' windows may be used.
        waits: what a window, or a limit of the provider's, keeps from starting is waited for.
        escalates_named: whether a task whose plan names a model in full goes to a larger one after a failure.
    """

    max_parallel: int = 5
    default_hold_tokens: int = 50_000
    attempt_limit_seconds: float | None = 3600.0
    verify_limit_seconds: float = 900.0
    auto_approved: frozenset[str] = frozenset()
    lanes: Mapping[str, Lane] = field(default_factory=dict)
    startup_delay_seconds: float = 0.0
    forecast_seconds: float = 0.0
    max_attempts: int = 1
    attempt_cap: Limit | None = None
    downgrades: bool = False
    verifies_merged: bool = True
    fresh_attempts: int = 1
    wrap_up_calls: int = 0
    wrap_up_window_percent: float = 0.0
    limits: AttemptLimits = field(default_factory=AttemptLimits)
    max_phases: int = 2
    phase_tokens: int = 50_000
    falls_back: bool = True
    windows: tuple[WindowLimit, ...] = ()
    waits: bool = False
    escalates_named: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Where facts are kept; `ledger_place` (a path or a URL) is for supervisors, who open it themselves.

    Attributes:
        history_problem: why what is learned is forgotten in the end; empty where it is not.
    """

    ledger: Ledger
    ledger_place: str
    journal: Journal
    history: History
    history_problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """One run and all that it needs.

    Attributes:
        project: whose settings and budgets apply: the top of the repository, or the workspace.
        checkout: the repository that the run merges into; None for a run in a workspace.
        instances: those of a job list, by the number of their task; empty for a plan.
        directory: the run's own folder in the state directory: attempts, worktrees, logs.
        environment: the user's environment, from which agents and verify commands get theirs.
        audit: path of the audit log, for the supervisors; empty for none.
        failover: agents that take over where `agent` is rate limited, in their order.
        advice: what earlier runs have taught, where that chooses routes.
        sandbox: around agents and verify commands; None: they have all of the user's rights.
        escalation: the routes of this run's tasks after failures.
        commands: shell commands of its attempts, which a stop of the run ends.
        program: what `plan` is made of where the run is of several plans, and `selection` what that was chosen from.
        purse: the token session that pays for phases, where there is one.
        emit: called with everything that happens, in order; must not raise or block.
    """

    run: RunRow
    plan: Plan
    graph: Graph
    project: Path
    checkout: Repository | None
    instances: Mapping[str, Instance]
    directory: Path
    stores: Stores
    agent: Agent
    rates: RateTable
    settings: RunSettings
    environment: Mapping[str, str]
    clock: Clock
    ids: IdSource
    audit: str = ""
    emit: Callable[[RunEvent], None] = field(default=lambda _: None)
    failover: tuple[Agent, ...] = ()
    advice: Advice | None = None
    sandbox: Sandbox | None = None
    program: Program | None = None
    selection: Selection | None = None
    purse: Purse | None = None
    escalation: Escalation = field(init=False, compare=False)
    commands: AttemptCommands = field(init=False, compare=False)

    def __post_init__(self) -> None:
        agents, settings = (self.agent, *self.failover), self.settings
        escalation = Escalation(agents, settings.max_attempts, self.advice, settings.escalates_named)
        if self.instances:  # told in its agent's own words, and it leaves its traces where it works: never twice
            escalation = Escalation((self.agent,))
        object.__setattr__(self, "escalation", escalation)
        object.__setattr__(self, "commands", AttemptCommands(self))

    @property
    def repository(self) -> Repository:
        """The repository that the run merges into.

        Raises:
            InternalError: the run works in a workspace.
        """
        if self.checkout is None:
            raise InternalError("a run in a workspace has no repository")
        return self.checkout

    def name_in_repository(self, path: Path) -> str:
        """The path from the repository's top, as git has it.

        Raises:
            InternalError: the run works in a workspace.
        """
        return path.resolve().relative_to(self.repository.root.resolve()).as_posix()

    @property
    def merged_ref(self) -> str:
        """The ref that points to the run's merged work while the run is not finished."""
        return merged_ref(self.run.id)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of every operation of this run."""
        roadmap = {"roadmap": self.program.roadmap} if self.program is not None and self.program.roadmap else {}
        return roadmap | {
            "project": str(self.project),
            "run": self.run.id,
            "user": user_name(),
            "host": _host_name(),
            **self._agent_labels(self.agent),
        }

    def labels_of(self, task: Task) -> dict[str, str]:
        """Labels of every attempt at that task; `command` where its action begins with one, like `/test`.

        In a job list `instance` is its name.
        """
        command, plan = command_of(task), self.plan_of(task)
        own = {"plan": plan.id} | ({"phase": plan.phase} if plan.phase else {})
        own |= {"task": task.number, "model": self.model_of(task), **self._agent_labels(self.agent_of(task))}
        instance = {"instance": self.instances[task.number].name} if task.number in self.instances else {}
        return self.labels | own | instance | ({"command": command} if command else {})

    def _agent_labels(self, agent: Agent) -> dict[str, str]:
        return {"agent": agent.name, LANE_LABEL: self.settings.lanes.get(agent.name, Lane.UNKNOWN).value}

    def plan_of(self, task: Task) -> Plan:
        """The plan that the task's author wrote it in."""
        return self.plan if self.program is None else self.program.part_of(task.number).plan

    def own_task(self, task: Task) -> Task:
        """The task as that plan has it, under the number that it has there."""
        return task if self.program is None else self.program.own_task(task.number)

    def model_of(self, task: Task) -> str:
        """The model that works on the task."""
        return self.escalation.model_of(task)

    def cap_of(self, task: Task) -> Limit | None:
        """What its model may use on the task in this run; None for no cap."""
        advised = self.escalation.cap_of(task)
        return self.settings.attempt_cap if advised is None else Limit(advised, Unit.USD)

    def agent_of(self, task: Task) -> Agent:
        """The agent that works on the task."""
        return self.escalation.agent_of(task)

    def is_current(self, attempt: AttemptRow) -> bool:
        """Whether the plan still has the attempt's task, word for word as it was when the attempt began."""
        return any(task.number == attempt.task and task.digest == attempt.digest for task in self.plan.tasks)

    def now(self) -> str:
        """The current time as it is stored."""
        return self.clock.now().isoformat(timespec="milliseconds")


def command_of(task: Task) -> str | None:
    """The command that the task's action begins with; None where it begins with another word."""
    first = task.action.split(maxsplit=1)[:1]
    return first[0] if first and is_command(first[0]) else None


def is_command(word: str) -> bool:
    """The word names a command of an agent: a slash and a name."""
    is_one_word = word.isprintable() and len(word.split()) == 1
    return is_one_word and len(word) > 1 and word.startswith("/") and "/" not in word[1:]


@lru_cache(maxsize=1)
def user_name() -> str:
    """Who runs this: the account's name, else its number."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


@lru_cache(maxsize=1)
def _host_name() -> str:
    return os.uname().nodename
