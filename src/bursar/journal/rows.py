"""The journal's rows as values, and texts as its rows take them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RunState(StrEnum):
    """How a run stands. Everything but `succeeded` and `cancelled` can be resumed."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"


class TaskState(StrEnum):
    """How a task of a run stands."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    MERGED = "merged"
    FAILED = "failed"
    STOPPED = "stopped"
    SKIPPED = "skipped"


class AttemptState(StrEnum):
    """How far an attempt came; the last three states are its outcome."""

    PLANNED = "planned"
    MERGING = "merging"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One execution of one plan, or of one job list.

    Attributes:
        project: the repository's top folder; for a workspace in no repository, the workspace.
        branch: the branch that the run started from, None for a detached HEAD.
        base_commit: where that branch stood; empty for a run in a workspace.
        limit: the budget as typed, None for none.
        conductor: identity of the process that conducts it (see `processes.identify`); None when none does.
        workspace: the folder in which the agents of a job list work; None for a plan.
        scope: of a run of several plans, what was asked for, as JSON: `{"phases": "2,3"}` of the roadmap at `plan_path`
            (null: all), or `{"plans": [PATH, …]}`; None for a single plan or a job list.
    """

    id: str
    project: str
    plan_path: str
    plan_id: str
    plan_digest: str
    branch: str | None
    base_commit: str
    limit: str | None
    state: RunState
    conductor: str | None
    started_at: str
    ended_at: str | None = None
    workspace: str | None = None
    scope: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One plan of a run of several; its tasks are numbered `PLAN_ID/TASK`.

    Attributes:
        phase: the number of its phase in the roadmap, and `phase_name` what that is called; empty without a roadmap.
    """

    run_id: str
    plan_id: str
    path: str
    digest: str
    phase: str = ""
    phase_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRun:
    """A run of another machine, with `content` as it was exported there and the sha256 of that."""

    run_id: str
    digest: str
    content: str
    imported_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseCounts:
    """How many tasks of a phase of a run are in which state."""

    phase: str
    name: str
    plans: int
    tasks: int
    merged: int
    running: int
    waiting: int
    failed: int
    stopped: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """One task within a run; `commit` is set once it is merged, `note` says why it is not."""

    run_id: str
    number: str
    name: str
    digest: str
    state: TaskState = TaskState.PENDING
    commit: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One try at one task.

    Attributes:
        key: the ledger's idempotency key for this attempt: `RUN/TASK/NUMBER`.
        directory: where its prompt, stream and outcome lie.
        worktree: its checkout, gone once the attempt has ended; or the workspace.
        base_commit: what the worktree started from.
        commit: what was made of it, once committed onto the run's merged work.
        digest: the task's digest when it began: work on a text that has changed since is not merged.
    """

    key: str
    run_id: str
    task: str
    number: int
    model: str
    directory: str
    base_commit: str
    session_id: str
    worktree: str
    state: AttemptState
    started_at: str
    commit: str | None = None
    note: str = ""
    ended_at: str | None = None
    digest: str = ""


def escaped(text: str) -> str:
    """What is no UTF-8 is escaped, such as names of files: SQLite takes no such text, nor does an agent's input."""
    return text.encode("utf-8", "backslashreplace").decode()
