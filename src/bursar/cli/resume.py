"""`bursar resume [RUN]`: goes on with a run, with more money if asked to."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bursar.budget import Limit, Unit, format_quantity, parse_limit
from bursar.cli.finding import find_run
from bursar.cli.parsing import parser
from bursar.cli.run import run_plan
from bursar.cli.run_flags import add_run_flags
from bursar.cli.run_targets import reopen
from bursar.clock import SystemClock
from bursar.errors import UserError
from bursar.ids import RandomIds
from bursar.journal import Journal, RequestKind, RunRow, RunState, TopUp, open_journal
from bursar.money import NANO_PER_USD
from bursar.paths import JOURNAL_FILE, state_dir
from bursar.run import RunLimit, ask_of_us, user_name


def main(arguments: Sequence[str]) -> int:
    """Goes on with the run and prints the report; the exit code says how it went."""
    options = _options(arguments)
    journal = open_journal(Path(state_dir(), JOURNAL_FILE))
    try:
        run = find_run(journal, options.run)
        _check_resumable(journal, run)
        if options.key is not None and _was_added(journal, run, options):
            options.add = None
        limit = _limit(run, options)
    finally:
        journal.close()
    return run_plan(reopen(run), limit, options, run_id=run.id)


def end_run(run: RunRow, kind: RequestKind, grace_seconds: float) -> None:
    """Agents of the run that were left alone have ended, and what they did is settled and kept; nothing was started."""
    run_plan(
        reopen(run),
        None,
        _options([run.id]),
        run_id=run.id,
        request=partial(ask_of_us, kind=kind, grace_seconds=grace_seconds),
    )


def _options(arguments: Sequence[str]) -> Any:
    options = parser("resume", "go on with a run: only what is missing is done, what was spent stays spent")
    options.add_argument("run", nargs="?", metavar="RUN", help="a run's id (default: the newest of this project)")
    money = options.add_mutually_exclusive_group()
    money.add_argument("--add", metavar="AMOUNT", help='raise the limit by so much: "100k tokens", "5 USD"')
    money.add_argument("--budget", metavar="LIMIT", help="set the limit of the whole run anew")
    options.add_argument("--key", metavar="TEXT", help="of --add: the same key adds once, however often it is said")
    add_run_flags(options)
    return options.parse_args(arguments)


def _check_resumable(journal: Journal, run: RunRow) -> None:
    """The run can go on, here.

    Raises:
        UserError: the run has ended for good, or is of another machine.
    """
    if journal.imported(run.id) is not None:
        raise UserError(f"run {run.id} is of another machine, and can only go on there", hint=f"bursar report {run.id}")
    if run.state is RunState.SUCCEEDED:
        raise UserError(f"run {run.id} is done", hint=f"bursar report {run.id}")
    cancelled = journal.controls.cancellation(run.id)
    if cancelled is not None:
        raise UserError(
            f"run {run.id} was cancelled by {cancelled.by_user} at {cancelled.at[:19]}Z, and that is for good",
            hint=f"begin a new one: bursar run {run.plan_path}",
        )


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
        raise UserError(
            f"the limit of run {run.id} is {run.limit}: add an amount in the same unit",
            hint=f'bursar resume {run.id} --add "{"5 USD" if old.unit is Unit.USD else "100k tokens"}"',
        )
    return _top_up(run, old, added, getattr(options, "key", None) or RandomIds().new_id())


def _was_added(journal: Journal, run: RunRow, options: Any) -> bool:
    """Whether that key was said before, which is told.

    Raises:
        UserError: it was said with another amount, or there is no amount.
    """
    if options.add is None:
        raise UserError("--key is about --add, which is not given", hint='bursar resume --add "5 USD" --key monday')
    known = next((each for each in journal.controls.top_ups(run.id) if each.key == options.key), None)
    if known is None:
        return False
    if parse_limit(known.amount) != parse_limit(options.add):
        raise UserError(
            f"key {options.key!r} has added {known.amount} to run {run.id}: another amount needs another key"
        )
    sys.stderr.write(f"{known.amount} were added with this key at {known.at[:19]}Z already: nothing is added\n")
    return True


def _top_up(run: RunRow, old: Limit, added: Limit, key: str) -> RunLimit:
    limit = Limit(old.quantity + added.quantity, old.unit)
    top_up = TopUp(
        run_id=run.id,
        key=key,
        amount=_exact_text(added),
        new_limit=_exact_text(limit),
        by_user=user_name(),
        at=SystemClock().now().isoformat(timespec="milliseconds"),
    )
    return RunLimit(text=top_up.new_limit, limit=limit, top_up=top_up)


def _exact_text(limit: Limit) -> str:
    """As a person could have typed it, with every digit: the next `--add` starts from it."""
    if limit.unit is not Unit.USD:
        return format_quantity(limit.quantity, limit.unit)
    whole, nano = divmod(limit.quantity, NANO_PER_USD)
    return f"{whole}.{f'{nano:09}'.rstrip('0').ljust(2, '0')} USD"
