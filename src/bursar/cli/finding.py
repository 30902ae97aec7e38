"""Which run a person means."""

from __future__ import annotations

from dataclasses import replace

from bursar.errors import UserError
from bursar.journal import Journal, RunRow, RunState
from bursar.processes import is_alive
from bursar.session import find_project
from bursar.worktrees import open_repository


def latest_run_here(journal: Journal) -> RunRow | None:
    """The newest run of the project around us; None where it has none.

    Raises:
        SetupError: there is none, and this is no repository, where one would be looked for.
    """
    from pathlib import Path

    found = journal.latest_run(find_project())
    if found is None:
        open_repository(Path.cwd())
    return found


def find_run(journal: Journal, run_id: str | None) -> RunRow:
    """The run of that id; without one the newest of the project around us.

    Raises:
        UserError: there is none.
    """
    run = journal.run(run_id) if run_id is not None else latest_run_here(journal)
    if run is None:
        raise UserError(
            f"there is no run `{run_id}`" if run_id else "no run of this project yet", hint="bursar status --all"
        )
    return run


def conductor_of(run: RunRow) -> str | None:
    """The process that conducts the run; None where nobody does, or it has died."""
    return run.conductor if run.conductor and is_alive(run.conductor) else None


def as_it_stands(run: RunRow) -> RunRow:
    """The row; `interrupted` where it says `running` and nobody conducts the run any more, as `status` says it."""
    is_left = run.state is RunState.RUNNING and conductor_of(run) is None
    return replace(run, state=RunState.INTERRUPTED) if is_left else run
