"""How far the phases of a run are, read from one view of the journal. It imports next to nothing."""

from __future__ import annotations

import os

import bursar
from bursar.database import load_migrations, open_database
from bursar.errors import NoDatabase, Outdated
from bursar.paths import JOURNAL_APPLICATION_ID, JOURNAL_FILE, state_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from bursar.database import Database

_COLUMNS = (
    "run", "phase", "name", "plans", "tasks", "merged", "running", "waiting", "failed", "stopped", "skipped",
    "run_state",
)  # fmt: skip
STATES = ("active", "completed", "failed", "stopped", "interrupted", "waiting", "skipped", "pending")
_BEGUN = (
    "SELECT DISTINCT run_plan.phase FROM (SELECT DISTINCT run_id, task FROM attempt WHERE run_id = ?) AS tried"
    " JOIN run_plan ON run_plan.run_id = tried.run_id AND run_plan.position >= 0"
    " AND run_plan.plan_id = substr(tried.task, 1, instr(tried.task, '/') - 1)"
)  # no id of a plan has a slash in it


def open_journal_to_read() -> Database | None:
    """The journal, to be read; None where there is none yet. One of an earlier release is brought up to date first."""
    path = os.path.join(state_dir(), JOURNAL_FILE)
    if not os.path.exists(path):
        return None
    try:
        return _open(path, read_only=True)
    except Outdated:
        _open(path, read_only=False).close()
        return _open(path, read_only=True)
    except NoDatabase:
        return None  # whoever was about to make it was killed


def _open(path: str, *, read_only: bool) -> Database:
    migrations = load_migrations(os.path.join(os.path.dirname(bursar.__file__), "journal", "store.py"))
    return open_database(path, migrations=migrations, application_id=JOURNAL_APPLICATION_ID, read_only=read_only)


def read_phases(run: str) -> list[dict[str, Any]]:
    """The phases of a run in its order, each with how many of its tasks are in which state; empty without a roadmap."""
    database = open_journal_to_read()
    if database is None:
        return []
    try:
        rows = database.query(
            "SELECT run_id, phase, phase_name, plans, tasks, merged, running, waiting, failed, stopped, skipped,"
            " (SELECT state FROM run WHERE id = run_id) FROM phase_overview WHERE run_id = ? ORDER BY position",
            (run,),
        )
        begun = {str(row[0]) for row in database.query(_BEGUN, (run,))} if rows else set()
    finally:
        database.close()
    return [dict(zip(_COLUMNS, row, strict=True)) | {"begun": row[1] in begun} for row in rows]


def state_of(phase: Mapping[str, Any], *, is_conducted: bool) -> str:
    """One of `STATES`; failed, or stopped by a limit: something in it was not done, and nothing runs; waiting: for a
    person; interrupted: it was begun, something is left to do, and nobody conducts the run (stopped, where a limit has
    ended that)."""
    if phase["tasks"] and phase["merged"] == phase["tasks"]:
        return "completed"
    if phase["running"] and is_conducted:
        return "active"
    for state in ("failed", "stopped", "waiting", "skipped"):
        if phase[state]:
            return state
    if not (phase["merged"] or phase["begun"]):
        return "pending"
    if is_conducted:
        return "active"
    return "stopped" if phase["run_state"] == "stopped" else "interrupted"


def phases_as_data(phases: Sequence[Mapping[str, Any]], *, is_conducted: bool) -> dict[str, Any]:
    """The numbers of the phases by state, how far all of them are in percent of their tasks, and each by itself."""
    states = {each["phase"]: state_of(each, is_conducted=is_conducted) for each in phases}
    done, all_ = sum(each["merged"] for each in phases), sum(each["tasks"] for each in phases)
    numbers = {number: _as_number(number) for number in states}
    found: dict[str, Any] = {
        name: [numbers[number] for number, state in states.items() if state == name] for name in STATES
    }
    return found | {
        "progress_percent": 100 * done // all_ if all_ else 0,
        "phases": [
            {
                "phase": numbers[each["phase"]],
                "name": each["name"],
                "state": states[each["phase"]],
                **{key: each[key] for key in ("plans", "tasks", "merged", "running", "failed")},
                "progress_percent": 100 * each["merged"] // each["tasks"] if each["tasks"] else 0,
            }
            for each in phases
        ],
    }


def _as_number(phase: str) -> int | str:
    """Whole numbers as numbers, `2.1` and `PROJ-42` as text."""
    return int(phase) if phase.isascii() and phase.isdigit() and len(phase) < 10 else phase
