"""The journal's tables: their columns, and how rows get into them and come back as values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from typing import Any

from bursar.journal.rows import (
    AttemptRow,
    AttemptState,
    ImportedRun,
    PhaseCounts,
    PlanRow,
    RunRow,
    RunState,
    TaskRow,
    TaskState,
)

_RUN_COLUMNS = (
    "id, project, plan_path, plan_id, plan_digest, branch, base_commit, budget_limit, state, conductor,"
    " started_at, ended_at, workspace, scope"
)
RUN_AS_READ = _RUN_COLUMNS.replace(
    " state,", " CASE WHEN id IN (SELECT run_id FROM cancellation) THEN 'cancelled' ELSE state END,"
)
TASK_COLUMNS = "run_id, number, name, digest, state, merge_commit, note"
ATTEMPT_COLUMNS = (
    "key, run_id, task, number, model, directory, base_commit, session_id, worktree, state, started_at, merge_commit,"
    " note, ended_at, digest"
)
PLAN_COLUMNS = "run_id, plan_id, path, digest, phase, phase_name"
PHASE_COLUMNS = "phase, phase_name, plans, tasks, merged, running, waiting, failed, stopped, skipped"
_RUN_FIELDS, _TASK_FIELDS, _ATTEMPT_FIELDS, _PLAN_FIELDS, _PHASE_FIELDS = (
    tuple(field.name for field in fields(row)) for row in (RunRow, TaskRow, AttemptRow, PlanRow, PhaseCounts)
)


def insert_run(connection: Any, run: RunRow) -> None:
    """The run is new."""
    connection.execute(f"INSERT INTO run ({_RUN_COLUMNS}) VALUES ({_marks(14)})", astuple(run))


def insert_tasks(connection: Any, tasks: Iterable[TaskRow]) -> None:
    """Each is there at its position; of one that was there already nothing else has changed."""
    connection.executemany(
        f"INSERT INTO task ({TASK_COLUMNS}, position) VALUES ({_marks(8)})"
        " ON CONFLICT (run_id, number) DO UPDATE SET position = excluded.position",
        [(*astuple(task), position) for position, task in enumerate(tasks)],
    )


def insert_plans(connection: Any, plans: Iterable[PlanRow]) -> None:
    """Each is there, as it is now, at its position."""
    connection.executemany(
        f"INSERT INTO run_plan ({PLAN_COLUMNS}, position) VALUES ({_marks(7)})"
        " ON CONFLICT (run_id, plan_id) DO UPDATE SET position = excluded.position, path = excluded.path,"
        " digest = excluded.digest, phase = excluded.phase, phase_name = excluded.phase_name",
        [(*astuple(plan), position) for position, plan in enumerate(plans)],
    )


def insert_attempts(connection: Any, attempts: Iterable[AttemptRow]) -> None:
    """They are new."""
    connection.executemany(
        f"INSERT INTO attempt ({ATTEMPT_COLUMNS}) VALUES ({_marks(15)})", [astuple(row) for row in attempts]
    )


def insert_imported(connection: Any, imported: ImportedRun) -> None:
    """It is new."""
    connection.execute(f"INSERT INTO imported_run VALUES ({_marks(4)})", astuple(imported))


def run_row(row: Sequence[Any]) -> RunRow:
    """The value of the columns `RUN_AS_READ`."""
    values = dict(zip(_RUN_FIELDS, row, strict=True))
    return RunRow(**{**values, "state": RunState(values["state"])})


def task_row(row: Sequence[Any]) -> TaskRow:
    """The value of the columns `TASK_COLUMNS`."""
    values = dict(zip(_TASK_FIELDS, row, strict=True))
    return TaskRow(**{**values, "state": TaskState(values["state"])})


def attempt_row(row: Sequence[Any]) -> AttemptRow:
    """The value of the columns `ATTEMPT_COLUMNS`."""
    values = dict(zip(_ATTEMPT_FIELDS, row, strict=True))
    return AttemptRow(**{**values, "state": AttemptState(values["state"])})


def plan_row(row: Sequence[Any]) -> PlanRow:
    """The value of the columns `PLAN_COLUMNS`."""
    return PlanRow(**dict(zip(_PLAN_FIELDS, row, strict=True)))


def phase_counts(row: Sequence[Any]) -> PhaseCounts:
    """The value of the columns `PHASE_COLUMNS`."""
    return PhaseCounts(**dict(zip(_PHASE_FIELDS, row, strict=True)))


def _marks(count: int) -> str:
    return ", ".join("?" * count)
