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
    """

    run_id: str
    plan_id: str
    tasks: int
    done_before: int
    max_parallel: int
    limit: str | None
    budgets: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted:
    """An agent works on a task. `adopted`: it was started by an earlier conductor and has worked on alone."""

    task: str
    name: str
    attempt: int
    model: str
    held_tokens: int
    adopted: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSkipped:
    """A task will not be started in this run: something it depends on was not done."""

    task: str
    name: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWaited:
    """A task cannot start now: a person must act, or no money is available; `because` says which."""

    task: str
    name: str
    because: str


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
        tokens: what the attempt before it has taken, cache included; None where there was none.
        nano_usd: the same in money; None where that is unknown, too.
    """

    task: str
    name: str
    model: str
    because: str
    tokens: int | None = None
    nano_usd: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFired:
    """A threshold of a budget was reached; `at`, the ledger's time of it, tells one firing from another."""

    level: str
    message: str
    at: str = ""


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


RunEvent = (
    RunStarted
    | AttemptStarted
    | AttemptEnded
    | TaskRerouted
    | TaskSkipped
    | TaskWaited
    | RunWaited
    | StartWarned
    | AlertFired
    | CheckoutForwarded
    | SummaryWritten
)
