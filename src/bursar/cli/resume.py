"""`bursar resume [RUN]`: goes on with a run, with more money if asked to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bursar.budget import Limit, Unit, format_quantity, parse_limit
from bursar.cli.parsing import parser
from bursar.cli.run import add_run_flags, run_plan
from bursar.cli.run_targets import reopen
from bursar.cli.session import latest_run_here
from bursar.errors import UserError
from bursar.journal import RunRow, RunState, open_journal
from bursar.money import NANO_PER_USD
from bursar.paths import JOURNAL_FILE, state_dir
from bursar.run import RunLimit


def main(arguments: Sequence[str]) -> int:
    """Goes on with the run and prints the report; the exit code says how it went."""
    options = _options(arguments)
    run = _find(options.run)
    limit = _limit(run, options)
    return run_plan(reopen(run), limit, options, run_id=run.id)


def _options(arguments: Sequence[str]) -> Any:
    options = parser("resume", "go on with a run: only what is missing is done, what was spent stays spent")
    options.add_argument("run", nargs="?", metavar="RUN", help="a run's id (default: the newest of this project)")
    money = options.add_mutually_exclusive_group()
    money.add_argument("--add", metavar="AMOUNT", help='raise the limit by so much: "100k tokens", "5 USD"')
    money.add_argument("--budget", metavar="LIMIT", help="set the limit of the whole run anew")
    add_run_flags(options)
    return options.parse_args(arguments)


def _find(run_id: str | None) -> RunRow:
    journal = open_journal(Path(state_dir(), JOURNAL_FILE))
    run = journal.run(run_id) if run_id is not None else latest_run_here(journal)
    is_imported = run is not None and journal.imported(run.id) is not None
    journal.close()
    if run is None:
        raise UserError(
            f"there is no run `{run_id}`" if run_id else "no run of this project yet", hint="bursar status --all"
        )
    if is_imported:
        raise UserError(f"run {run.id} is of another machine, and can only go on there", hint=f"bursar report {run.id}")
    if run.state is RunState.SUCCEEDED:
        raise UserError(f"run {run.id} is done", hint=f"bursar report {run.id}")
    return run


def _limit(run: RunRow, options: Any) -> RunLimit | None:
    if options.budget is not None:
        return RunLimit(text=options.budget, limit=parse_limit(options.budget))
    if options.add is None:
        return None
    added = parse_limit(options.add)
    if run.limit is None:
        raise UserError(f"run {run.id} has no limit to add to", hint="give it one with --budget")
    old = parse_limit(run.limit)
    if old.unit is not added.unit:
        raise UserError(f"the limit of run {run.id} is {run.limit}: add an amount in the same unit")
    limit = Limit(old.quantity + added.quantity, old.unit)
    return RunLimit(text=_exact_text(limit), limit=limit)


def _exact_text(limit: Limit) -> str:
    """As a person could have typed it, with every digit: the next `--add` starts from it."""
    if limit.unit is not Unit.USD:
        return format_quantity(limit.quantity, limit.unit)
    whole, nano = divmod(limit.quantity, NANO_PER_USD)
    return f"{whole}.{f'{nano:09}'.rstrip('0').ljust(2, '0')} USD"
