"""`bursar report [RUN]`: what a run did and what it cost; `--savings`: what routing was worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bursar.cli.conducting import print_report
from bursar.cli.finding import latest_run_here
from bursar.cli.parsing import parser
from bursar.cli.report_savings import report_savings
from bursar.cli.run_exchange import tell_imported
from bursar.clock import SystemClock
from bursar.config import find_ledger_place, open_stores
from bursar.errors import OK, UserError
from bursar.paths import state_dir


def main(arguments: Sequence[str]) -> int:
    """Prints the report of a run, the newest of this project by default."""
    options = parser("report", "what a run did and what it cost")
    options.add_argument("run", nargs="?", metavar="RUN", help="a run's id (default: the newest of this project)")
    options.add_argument("--savings", action="store_true", help="what the project paid, against one model for all")
    options.add_argument("--json", action="store_true", help="as JSON")
    chosen = options.parse_args(arguments)
    if chosen.savings:
        if chosen.run is not None:
            raise UserError("--savings is about all runs of the project, not one", hint="bursar report --savings")
        return report_savings(as_json=chosen.json)
    stores = open_stores(Path(state_dir()), find_ledger_place(), SystemClock())
    run_id = chosen.run
    if run_id is None:
        latest = latest_run_here(stores.journal)
        if latest is None:
            raise UserError("no run of this project yet", hint="bursar status --all")
        run_id = latest.id
    if (imported := stores.journal.imported(run_id)) is not None:
        tell_imported(imported, as_json=chosen.json)
        return OK
    print_report(stores, run_id, as_json=chosen.json)
    return OK
