"""The journal in one SQLite file: every method that writes is one durable transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bursar.database import load_migrations, open_database
from bursar.journal.controls import Controls
from bursar.journal.fence import Fence, fenced_write
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
    escaped,
)
from bursar.journal.tables import (
    ATTEMPT_COLUMNS,
    PHASE_COLUMNS,
    PLAN_COLUMNS,
    RUN_AS_READ,
    TASK_COLUMNS,
    attempt_row,
    insert_attempts,
    insert_imported,
    insert_plans,
    insert_run,
    insert_tasks,
    phase_counts,
    plan_row,
    run_row,
    task_row,
)
from bursar.paths import JOURNAL_APPLICATION_ID

if TYPE_CHECKING:
    from bursar.database import Database

_OWN = "{} NOT IN (SELECT run_id FROM imported_run)"
_OF_A_RUN = (
    ("imported_run", "run_id"),
    ("attempt", "run_id"),
    ("task", "run_id"),
    ("run_plan", "run_id"),
    ("run", "id"),
)  # children first


def open_journal(path: Path) -> Journal:
    """The journal at `path`, made if there is none.

    Raises:
        StoreError: the file is corrupt, foreign, of a later version, or cannot be written.
    """
    migrations = load_migrations(__file__)
    return Journal(open_database(path, migrations=migrations, application_id=JOURNAL_APPLICATION_ID))


class Journal:
    """Facts about runs, in the order in which they became true."""

    def __init__(self, database: Database, fence: Fence | None = None) -> None:
        """With a `fence` every write is that conductor's: it fails as soon as the run is somebody else's."""
        self._database = database
        self._fence = fence
        self.controls = Controls(database, fence)

    def as_conductor(self, run_id: str, conductor: str) -> Journal:
        """The same journal for who conducts the run: its writes raise `Superseded` once somebody else does."""
        return Journal(self._database, Fence(run_id, conductor))

    def check_conducts(self) -> None:
        """Nothing has changed: as far as is known, the run is still this conductor's.

        Raises:
            Superseded: it is somebody else's.
        """
        if self._fence is not None:
            sql, values = self._fence.question
            self._fence.check(self._database.query(sql, values))

    def begin_run(self, run: RunRow, tasks: Iterable[TaskRow], plans: Iterable[PlanRow] = ()) -> None:
        """The run exists, with all of its tasks and (of several) its plans, or (on failure) none of it does."""
        with fenced_write(self._database, self._fence) as connection:
            insert_run(connection, run)
            insert_tasks(connection, tasks)
            insert_plans(connection, plans)

    def change_plan(self, run_id: str, digest: str, tasks: Iterable[TaskRow], plans: Iterable[PlanRow] = ()) -> None:
        """The run goes by a changed plan: tasks it did not know are pending, those it has lost are out of the count."""
        with fenced_write(self._database, self._fence) as connection:
            connection.execute("UPDATE run SET plan_digest = ? WHERE id = ?", (digest, run_id))
            connection.execute("UPDATE task SET position = -1 WHERE run_id = ?", (run_id,))
            connection.execute("UPDATE run_plan SET position = -1 WHERE run_id = ?", (run_id,))
            insert_tasks(connection, tasks)
            insert_plans(connection, plans)

    def take_over(self, run_id: str, conductor: str) -> None:
        """From now on nobody but `conductor` writes anything of the run as its conductor."""
        self._update("UPDATE run SET conductor = ? WHERE id = ?", (conductor, run_id))

    def conduct(self, run_id: str, conductor: str, limit: str | None) -> None:
        """`conductor` runs it from now on, under `limit` (as typed)."""
        self._update(
            "UPDATE run SET state = 'running', conductor = ?, budget_limit = ?, ended_at = NULL WHERE id = ?",
            (conductor, limit, run_id),
        )

    def end_run(self, run_id: str, state: RunState, at: str) -> None:
        """The run has come to an end, for now at least, and nobody conducts it."""
        self._update("UPDATE run SET state = ?, conductor = NULL, ended_at = ? WHERE id = ?", (state, at, run_id))

    def set_task(self, run_id: str, number: str, state: TaskState, note: str = "") -> None:
        """The task is in `state`; `note` says why in words."""
        self._update(
            "UPDATE task SET state = ?, note = ? WHERE run_id = ? AND number = ?",
            (state, escaped(note), run_id, number),
        )

    def reset_task(self, task: TaskRow) -> None:
        """The task is pending again, with the text it has now."""
        self._update(
            "UPDATE task SET state = 'pending', merge_commit = NULL, note = '', name = ?, digest = ?"
            " WHERE run_id = ? AND number = ?",
            (task.name, task.digest, task.run_id, task.number),
        )

    def begin_attempt(self, attempt: AttemptRow) -> None:
        """The attempt is planned and its task runs; nothing has been started or held yet."""
        with fenced_write(self._database, self._fence) as connection:
            insert_attempts(connection, [attempt])
            connection.execute(
                "UPDATE task SET state = 'running', note = '' WHERE run_id = ? AND number = ?",
                (attempt.run_id, attempt.task),
            )

    def begin_merge(self, key: str, commit: str) -> None:
        """The attempt's work is `commit`, about to become the tip of the run's merged work."""
        self._update("UPDATE attempt SET state = 'merging', merge_commit = ? WHERE key = ?", (commit, key))

    def end_attempt(
        self,
        attempt: AttemptRow,
        state: AttemptState,
        at: str,
        *,
        task: TaskState,
        commit: str | None = None,
        note: str,
    ) -> None:
        """The attempt has an outcome, and its task the state that follows from it: both, or neither."""
        with fenced_write(self._database, self._fence) as connection:
            connection.execute(
                "UPDATE attempt SET state = ?, note = ?, ended_at = ?, merge_commit = COALESCE(?, merge_commit)"
                " WHERE key = ?",
                (state, escaped(note), at, commit, attempt.key),
            )
            connection.execute(
                "UPDATE task SET state = ?, note = ?, merge_commit = ? WHERE run_id = ? AND number = ?",
                (task, escaped(note), commit, attempt.run_id, attempt.task),
            )

    def import_run(
        self,
        imported: ImportedRun,
        run: RunRow,
        tasks: Iterable[TaskRow],
        attempts: Iterable[AttemptRow],
        plans: Iterable[PlanRow],
    ) -> None:
        """The run of another machine is known, for looking at; in place of what was imported of it before.

        Raises:
            ValueError: the run is one of this machine's own; nothing has changed.
        """
        with fenced_write(self._database, self._fence) as connection:
            known = connection.execute("SELECT 1 FROM run WHERE id = ?", (run.id,)).fetchone()
            before = connection.execute("SELECT 1 FROM imported_run WHERE run_id = ?", (run.id,)).fetchone()
            if known and not before:
                raise ValueError(run.id)
            for table, column in _OF_A_RUN:
                connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (run.id,))
            insert_run(connection, run)
            insert_tasks(connection, tasks)
            insert_plans(connection, plans)
            insert_attempts(connection, attempts)
            insert_imported(connection, imported)

    def imported(self, run_id: str) -> ImportedRun | None:
        """What was imported of a run; None for one of this machine's own."""
        sql = "SELECT run_id, digest, content, imported_at FROM imported_run WHERE run_id = ?"
        rows = self._database.query(sql, (run_id,))
        names = ("run_id", "digest", "content", "imported_at")
        return ImportedRun(**dict(zip(names, rows[0], strict=True))) if rows else None

    def approve(self, digest: str, plan_path: str, at: str) -> None:
        """A person approved content with this digest; saying it again changes nothing."""
        self._update(
            "INSERT INTO approval (digest, plan_path, approved_at) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING",
            (digest, plan_path, at),
        )

    def is_approved(self, digest: str) -> bool:
        """Whether a person ever approved this very content."""
        return bool(self._database.query("SELECT 1 FROM approval WHERE digest = ?", (digest,)))

    def run(self, run_id: str) -> RunRow | None:
        """The run of that id."""
        rows = self._database.query(f"SELECT {RUN_AS_READ} FROM run WHERE id = ?", (run_id,))
        return run_row(rows[0]) if rows else None

    def latest_run(
        self, project: str, plan_path: str | None = None, workspace: str | None = None, scope: str | None = None
    ) -> RunRow | None:
        """The newest run of the plan (of anything, if None) in this project; of a job list, in this workspace; of
        several plans, for which the same was asked."""
        where, values = f"project = ? AND {_OWN.format('id')}", list[str | None]([project])
        if plan_path is not None:
            where = f"{where} AND plan_path = ? AND workspace IS ? AND scope IS ?"
            values = [project, plan_path, workspace, scope]
        rows = self._database.query(
            f"SELECT {RUN_AS_READ} FROM run WHERE {where} ORDER BY started_at DESC, id LIMIT 1", values
        )
        return run_row(rows[0]) if rows else None

    def conducted_runs(self, project: str) -> Sequence[RunRow]:
        """Runs of a project whose row says that somebody conducts them; whether that process lives is not looked at."""
        sql = f"SELECT {RUN_AS_READ} FROM run WHERE project = ? AND conductor IS NOT NULL"
        return [run_row(row) for row in self._database.query(sql, (project,))]

    def tasks(self, run_id: str) -> Sequence[TaskRow]:
        """Every task that the run's plan has, in the plan's order."""
        sql = f"SELECT {TASK_COLUMNS} FROM task WHERE run_id = ? AND position >= 0 ORDER BY position"
        return [task_row(row) for row in self._database.query(sql, (run_id,))]

    def plans(self, run_id: str) -> Sequence[PlanRow]:
        """The plans of a run of several, in their order; empty for every other run."""
        sql = f"SELECT {PLAN_COLUMNS} FROM run_plan WHERE run_id = ? AND position >= 0 ORDER BY position"
        return [plan_row(row) for row in self._database.query(sql, (run_id,))]

    def phases(self, run_id: str) -> Sequence[PhaseCounts]:
        """How far each phase of a run of a roadmap is, in the order of the run."""
        sql = f"SELECT {PHASE_COLUMNS} FROM phase_overview WHERE run_id = ? ORDER BY position"
        return [phase_counts(row) for row in self._database.query(sql, (run_id,))]

    def lost_tasks(self, run_id: str) -> Sequence[TaskRow]:
        """Tasks that the plan had when the run began, or later, and has no more."""
        sql = f"SELECT {TASK_COLUMNS} FROM task WHERE run_id = ? AND position < 0 ORDER BY number"
        return [task_row(row) for row in self._database.query(sql, (run_id,))]

    def attempts(self, run_id: str) -> Sequence[AttemptRow]:
        """Every attempt of a run, oldest first."""
        rows = self._database.query(
            f"SELECT {ATTEMPT_COLUMNS} FROM attempt WHERE run_id = ? ORDER BY started_at, task, number", (run_id,)
        )
        return [attempt_row(row) for row in rows]

    def every_attempt(self) -> Sequence[AttemptRow]:
        """Every attempt of all runs of this machine, oldest first."""
        rows = self._database.query(
            f"SELECT {ATTEMPT_COLUMNS} FROM attempt WHERE {_OWN.format('run_id')}"
            " ORDER BY started_at, run_id, task, number"
        )
        return [attempt_row(row) for row in rows]

    def session_ids(self) -> set[str]:
        """The agents' sessions of all attempts that there ever were on this machine."""
        sql = f"SELECT DISTINCT session_id FROM attempt WHERE {_OWN.format('run_id')}"
        return {row[0] for row in self._database.query(sql)}

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _update(self, sql: str, values: Sequence[str | None]) -> None:
        with fenced_write(self._database, self._fence) as connection:
            connection.execute(sql, values)
