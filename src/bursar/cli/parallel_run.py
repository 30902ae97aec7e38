"""`bursar parallel execute|status`: the phases of a roadmap are run, and how far such a run is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from bursar.cli.json_output import write_json
from bursar.cli.parsing import parser
from bursar.cli.phase_states import phases_as_data, read_phases
from bursar.cli.status import here, read_runs
from bursar.errors import OK, UserError


def execute(arguments: Sequence[str]) -> int:
    """`bursar run ROADMAP` with the same flags; without a roadmap that of the project."""
    from bursar.cli import run
    from bursar.cli.roadmap_files import find_roadmap

    if {"-h", "--help"}.intersection(arguments):
        return run.main(arguments)
    names_one = arguments and not arguments[0].startswith("-")
    return run.main(arguments if names_one else [str(find_roadmap()), *arguments])


def status(arguments: Sequence[str]) -> int:
    """How the newest run of a roadmap in this project stands, or the run of that id, as JSON.

    Raises:
        UserError: there is no such run, or it is none of a roadmap.
    """
    options = parser("parallel status", "how far a run of a roadmap is, as JSON")
    options.add_argument("run", nargs="?", metavar="RUN", help="a run's id (default: the newest of a roadmap here)")
    options.add_argument("--json", action="store_true", help="the same; it is JSON anyway")
    chosen = options.parse_args(arguments)
    run = _find(chosen.run)
    data = {"run": run["id"], "state": run["state"], "roadmap": run["plan_path"]}
    data |= phases_as_data(read_phases(run["id"]), is_conducted=run["state"] == "running")
    write_json(data | {"started_at": run["started_at"], "ended_at": run["ended_at"]}, only_ascii=True)
    return OK


def _find(run_id: str | None) -> dict[str, Any]:
    runs = read_runs(here() if run_id is None else None, sys.maxsize)
    found = next((run for run in runs if run["id"] == run_id or (run_id is None and read_phases(run["id"]))), None)
    if found is None:
        what = "no run of a roadmap here yet" if run_id is None else f"there is no run `{run_id}`"
        raise UserError(what, hint="bursar parallel execute" if run_id is None else "bursar status --all")
    if not read_phases(found["id"]):
        raise UserError(f"run {run_id} is not of a roadmap", hint=f"bursar report {run_id}")
    return found
