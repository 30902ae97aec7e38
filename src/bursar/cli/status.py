"""`bursar status`: runs of this project. It reads one view of the journal and imports next to nothing."""

from __future__ import annotations

import os
import sys

from bursar.cli.json_output import write_json
from bursar.cli.parsing import parser
from bursar.cli.phase_states import STATES, open_journal_to_read, phases_as_data, read_phases
from bursar.errors import OK
from bursar.paths import FORECAST_FILE, state_dir
from bursar.processes import is_alive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_COLUMNS = (
    "id", "project", "plan", "plan_path", "state", "conductor", "limit", "started_at", "ended_at",
    "tasks", "merged", "running", "not_done", "is_imported", "waiting",
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Prints the newest runs, those of this project unless all were asked for."""
    options = _options(arguments)
    runs = read_runs(None if options.all else here(), options.last)
    for run in runs:
        if phases := read_phases(run["id"]):
            run["phases"] = phases_as_data(phases, is_conducted=run["state"] == "running")
    if options.json:
        write_json(runs, only_ascii=True)
    elif not runs:
        sys.stderr.write("no runs yet\n" if options.all else "no runs of this project yet; --all shows the others\n")
    for run in () if options.json else runs:
        sys.stdout.write(_line(run))
    return OK


def _options(arguments: Sequence[str]) -> Any:
    options = parser("status", "runs of this project, the newest first")
    options.add_argument("--all", action="store_true", help="runs of every project")
    options.add_argument("--last", type=_count, default=5, metavar="N", help="how many runs (default 5)")
    options.add_argument("--json", action="store_true", help="a JSON array on stdout")
    return options.parse_args(arguments)


def _count(text: str) -> int:
    from argparse import ArgumentTypeError

    if not (text.isascii() and text.isdigit() and int(text[:9])):
        raise ArgumentTypeError(f"`{text}` is no number from 1 on")
    return int(text[:9])


def read_runs(project: str | None, last: int) -> list[dict[str, Any]]:
    """The newest runs of a project (None: of all), as the view has them; a dead conductor's are interrupted."""
    database = open_journal_to_read()
    if database is None:
        return []
    try:
        rows = database.query(
            "SELECT id, project, plan_id, plan_path, state, conductor, budget_limit, started_at, ended_at,"
            " tasks, merged, running, not_done, id IN (SELECT run_id FROM imported_run),"
            " (SELECT group_concat(number, char(10)) FROM task"
            " WHERE run_id = id AND task.state = 'waiting' AND position >= 0)"
            " FROM run_overview WHERE ?1 IS NULL OR project = ?1"
            " ORDER BY started_at DESC LIMIT ?2",
            (project, last),
        )
    finally:
        database.close()
    return [_run(dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def _run(run: dict[str, Any]) -> dict[str, Any]:
    """A run whose conductor has died is interrupted, whatever the row still says."""
    conductor = run.pop("conductor")
    run["waiting"] = (run["waiting"] or "").splitlines()
    if run["state"] == "running" and not (conductor and is_alive(conductor)):
        run["state"] = "interrupted"
    if run.pop("is_imported"):
        run["imported"] = True
    run["forecast"] = _forecast(run["id"]) if run["state"] == "running" else None
    run["progress_percent"] = 100 * run["merged"] // run["tasks"] if run["tasks"] else 0
    return run


def _forecast(run: str) -> dict[str, Any] | None:
    """What its conductor has last forecast of what is left; None where it has not, or it cannot be read."""
    path = os.path.join(state_dir(), "runs", run, FORECAST_FILE)
    if not os.path.exists(path):
        return None
    import json

    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def here() -> str:
    """The project around us: the top of the checkout, as `git rev-parse` would say; outside of any this folder."""
    folder = start = os.path.realpath(os.getcwd())
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return start
        folder = parent
    return folder


def _command_for(run: str, task: str) -> str:
    """What passes it: it stands in the task's note, where it is a checkpoint."""
    database = open_journal_to_read()
    if database is None:
        return ""
    try:
        rows = database.query("SELECT note FROM task WHERE run_id = ? AND number = ?", (run, task))
    finally:
        database.close()
    note = str(rows[0][0]) if rows else ""
    return note.partition("a person must act: ")[2] or f"bursar approve {run} {task}"


def _line(run: dict[str, Any]) -> str:
    hint = f"  →  bursar resume {run['id']}" if run["state"] in ("interrupted", "stopped", "failed") else ""
    if run["waiting"] and run["state"] in ("interrupted", "running"):
        hint = f"  waits for a person  →  {_command_for(run['id'], run['waiting'][0])}"
    if run.get("imported"):
        hint = "  imported"
    forecast = run["forecast"] or {}
    finishes = forecast.get("finishes")
    hint += f"  finishes with probability {finishes:.2f}" if isinstance(finishes, float) else ""
    return (
        f"{run['id']}  {run['plan']:<10} {run['state']:<11} {run['merged']:>3}/{run['tasks']} tasks"
        f" ({run['progress_percent']} %)  {run['running']} running, {run['not_done']} not done"
        f"  since {run['started_at'][:16].replace('T', ' ')}{hint}\n{_phase_line(run.get('phases'))}"
    )


def _phase_line(phases: dict[str, Any] | None) -> str:
    """Phases by their state, where the run is of a roadmap."""
    if phases is None:
        return ""
    listed = [f"{', '.join(map(str, phases[state]))} {state}" for state in STATES if phases[state]]
    return f"          phases: {' · '.join(listed)}\n"
