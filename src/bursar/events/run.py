"""What happened in a run, for whoever shows it: terminal, report, and later a dashboard."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run has begun, or goes on: `done_before` of its `tasks` were merged earlier.

    Attributes:
        limit: of the budget over the run; None without one.
        budgets: names of the others that something in it may be charged to.
        windows: in words, the limits on windows of its agents' subscriptions.
        learned_from: how many finished attempts its routes are learned from; None where the rules choose.
    """

    run_id: str
    plan_id: str
    tasks: int
    done_before: int
    max_parallel: int
    limit: str | None
    budgets: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    learned_from: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted:
    """An agent works on a task.

    Attributes:
        adopted: it was started by an earlier conductor and has worked on alone.
        inherited_bytes: how much it is told of the tasks that it depends on.
    """

    task: str
    name: str
    attempt: int
    model: str
    held_tokens: int
    adopted: bool = False
    inherited_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded:
    """An attempt has its outcome and its money is settled.

    Attributes:
        outcome: `succeeded`, `failed`, `stopped` (by a limit) or `interrupted`.
        note: why it did not succeed; empty otherwise.
        commit: the merged commit; None unless it succeeded with a change.
        metered_tokens: what was metered, cache included.
        unknown_tokens: charged on top, for calls whose outcome nobody knows.
        nano_usd: cost of what was metered; None when a price is unknown.
        branch: where work that was not merged can be found.
        differences: what sources of its usage say that is more than 1 % apart.
        remarks: what else a person should know of its figures.
        resets_at: a limit of the provider's has ended it, and is over then (s since 1970); None: none has.
    """

    task: str
    name: str
    outcome: str
    note: str
    commit: str | None
    metered_tokens: int
    unknown_tokens: int
    nano_usd: int | None
    wall_seconds: float
    branch: str | None = None
    differences: tuple[str, ...] = ()
    resets_at: int | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSkipped:
    """A task will not be started in this run: something it depends on was not done."""

    task: str
    name: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWaited:
    """A task cannot start now: a person must act, or no money is available; `because` says which.

    Attributes:
        question: lines of what the person is asked; empty where money is missing.
        once: what tells this question of this run from any other; empty where money is missing.
    """

    task: str
    name: str
    because: str
    question: tuple[str, ...] = ()
    once: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTaken:
    """Somebody has asked the run to `pause`, to `stop` or to `cancel`, and it does, with so many attempts `running`.

    Agents that can be told to wrap up have `grace_seconds` for that.
    """

    kind: str
    by_user: str
    running: int
    grace_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointPassed:
    """A person has passed a checkpoint while the run was on; `note` says who, and what was answered."""

    task: str
    name: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWaited:
    """Nothing more can start before `until` (an instant, ISO 8601), and the run waits for that; `because` says why."""

    until: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartWarned:
    """A task starts though it may not fit a budget or window that only warns; `because` says which."""

    task: str
    name: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRerouted:
    """The task's next attempt goes to another model or agent than its last one was, or would have been, on.

    Attributes:
        because: where it goes, and why, unless the end of the attempt before has said that.
    """

    task: str
    name: str
    model: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFired:
    """A threshold of a budget was reached; `at`, the ledger's time of it, tells one firing from another."""

    level: str
    message: str
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastChanged:
    """What is left of the run has been forecast: how probably `open_tasks` are finished with what is left.

    Attributes:
        budget: the one that is least likely to suffice; `left` of it for this run, in its `unit`.
        finishes: the probability.
        needed: what makes it 0.9; None where nothing does, because tasks fail.
        needed_to_pay: what pays for all that is begun with 0.9, whether it succeeds or not.
        observations: how many finished attempts it is learned from.
    """

    open_tasks: int
    budget: str
    unit: str
    left: int
    finishes: float
    needed: int | None
    needed_to_pay: int
    observations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutForwarded:
    """The run's merged work was brought to the branch it started from, or (`obstacle`) left on a branch of its own."""

    branch: str | None
    commit: str
    commits: int
    obstacle: str = ""
    left_on: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryWritten:
    """The whole plan is done, and its SUMMARY says so."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStarted:
    """A phase of a roadmap may work from now on; `held_tokens`: in the token session, 0 where there is none."""

    phase: str
    name: str
    tasks: int
    held_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseEnded:
    """Every task of a phase is done, or will not be done in this run; `tokens` is what it has used in this run."""

    phase: str
    name: str
    tasks: int
    done: int
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseHeldBack:
    """A phase waits for tokens, or goes another way because of them; `because` says which."""

    phase: str
    name: str
    because: str


RunEvent = (
    RunStarted
    | AttemptStarted
    | AttemptEnded
    | TaskRerouted
    | TaskSkipped
    | TaskWaited
    | RunWaited
    | RequestTaken
    | CheckpointPassed
    | StartWarned
    | AlertFired
    | ForecastChanged
    | CheckoutForwarded
    | SummaryWritten
    | PhaseStarted
    | PhaseEnded
    | PhaseHeldBack
)
