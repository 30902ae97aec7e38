"""`bursar run PLAN`: conducts a plan; the same command again does only what is missing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bursar.budget import parse_limit
from bursar.cli.conducting import conduct, say, send_earlier_alerts, tell_undelivered
from bursar.cli.logged import charging_logs
from bursar.cli.parsing import parser
from bursar.cli.plan_approval import require_approval
from bursar.cli.run_budgets import tell_idle_budgets
from bursar.cli.run_flags import Asked, add_run_flags, read_asked
from bursar.cli.run_jobs import lines_to_approve
from bursar.cli.run_roadmap import open_purse, tell_roadmap
from bursar.cli.run_targets import open_target, tell_left_out
from bursar.cli.run_times import wait_for_start
from bursar.cli.run_tools import build_tools, read_settings, tell_missing_login
from bursar.cli.run_watch import Watch
from bursar.config import FILE_NAME, Settings, define_budgets, load_project_settings
from bursar.errors import OK, UserError
from bursar.journal import RunRow
from bursar.ledger import is_ledger_url
from bursar.plan import is_halted, summary_path
from bursar.run import (
    PlanToRun,
    RunContext,
    RunLimit,
    RunLock,
    Tools,
    check_no_other_job,
    check_prices,
    settle_finished,
    take_up,
    unfinished_run,
)


def main(arguments: Sequence[str]) -> int:
    """Runs the plan and prints the report; the exit code says how it went."""
    if arguments and arguments[0] in ("export", "import"):
        from bursar.cli.run_exchange import export_run, import_run

        return (export_run if arguments[0] == "export" else import_run)(arguments[1:])
    options = _options(arguments)
    limit = RunLimit(text=options.budget, limit=parse_limit(options.budget)) if options.budget is not None else None
    return run_plan(open_target(options.plan, options.phases, options.workspace), limit, options)


def run_plan(
    opened: PlanToRun,
    limit: RunLimit | None,
    options: Any,
    *,
    run_id: str | None = None,
    request: Callable[[RunContext], None] | None = None,
) -> int:
    """Takes up the plan's run and conducts it; with a `request`, which is made of it first, no longer than that takes.

    Raises:
        UserError: `run_id` names another run than the one that can be gone on with.
    """
    asked = read_asked(opened, options)
    tools = build_tools(asked.settings, asked.flags, asked.agent)
    if opened.origin.workspace is None and _is_done(opened, tools):
        return OK
    _check_that_it_may_run(opened, tools, limit)
    tell_missing_login(asked.agent)
    if request is None:  # else nothing of the plan is run
        _require_approval(opened, tools, asked.settings, is_given=options.trust)
    tools = replace(tools, purse=open_purse(opened, tools.stores.ledger))
    lock = RunLock(tools.state_dir, opened)
    try:
        run = None if getattr(options, "new", False) else unfinished_run(opened, tools)
        if run_id is not None and (run is None or run.id != run_id):
            raise UserError(f"run {run_id} is not the newest of its plan any more", hint="bursar status")
        _define_budgets(opened, tools, asked)
        wait_for_start(asked.start_at, tools.clock)
        return _conduct(opened, tools, run, limit, asked, request)
    finally:
        lock.release()
        tell_undelivered(asked.notifier)


def _check_that_it_may_run(opened: PlanToRun, tools: Tools, limit: RunLimit | None) -> None:
    if opened.selection is not None:
        tell_left_out(opened.selection)
    for plan in opened.plans:
        check_no_other_job(plan)
    if limit is not None:
        check_prices(opened, tools, limit.limit)


def _require_approval(opened: PlanToRun, tools: Tools, settings: Settings, *, is_given: bool) -> None:
    """A person has approved what is to run, and the settings are what was approved.

    Raises:
        UserError: nobody has approved it, or `settings` are not what was approved: their file has changed since.
    """
    own_settings, more = load_project_settings(opened.origin.project), lines_to_approve(opened)
    require_approval(opened.plans, own_settings, tools.stores.journal, trust=is_given, more=more)
    if read_settings(opened) != settings or load_project_settings(opened.origin.project) != own_settings:
        raise UserError(f"{FILE_NAME} has changed while the run was prepared", hint="say the same command again")


def _define_budgets(opened: PlanToRun, tools: Tools, asked: Asked) -> None:
    """The budgets of settings are in the ledger; what that changes is told, and what of this run's will never count."""
    stores = tools.stores
    is_shared = is_ledger_url(stores.ledger_place)
    changed = define_budgets(stores.ledger, opened.origin.project, asked.configured, is_shared=is_shared)
    sys.stderr.writelines(f"warning: {sentence}\n" for sentence in changed)
    tell_idle_budgets(asked.budgets, opened.plan)


def _conduct(
    opened: PlanToRun,
    tools: Tools,
    run: RunRow | None,
    limit: RunLimit | None,
    asked: Asked,
    request: Callable[[RunContext], None] | None,
) -> int:
    watch = Watch(asked.notifier, asked.showing, say)
    with charging_logs(asked.settings, tools, asked.configured):
        conductor, context, rows = take_up(opened, tools, run, limit, watch.hear, more=asked.budgets)
        if request is not None:
            request(context)
        watch.begin(context, [each.name for each in asked.budgets])
        send_earlier_alerts(asked.notifier, context)
        code = conduct(conductor, context, rows, watch, as_json=asked.as_json)
        tell_roadmap(context)
        return code


def _options(arguments: Sequence[str]) -> Any:
    options = parser("run", "run plans, a roadmap or a job list under a budget; again, it does only what is missing")
    options.epilog = "to look at a run on another machine: `bursar run export RUN`, and there `bursar run import FILE`"
    options.add_argument(
        "plan", nargs="+", metavar="PLAN", help="a PLAN.md or several, a ROADMAP.md, or a job list (.json)"
    )
    options.add_argument("--phases", metavar="LIST", help="of a roadmap: which phases, 2-4 or 1,3 (default: all)")
    options.add_argument(
        "--workspace", metavar="DIR", help="of a job list: where its agents work, all at once (default: here)"
    )
    options.add_argument("--budget", metavar="LIMIT", help='the most this run may spend: "200k tokens", "5 USD"')
    options.add_argument(
        "--new", action="store_true", help="a run of its own, instead of going on with an unfinished one"
    )
    add_run_flags(options)
    return options.parse_args(arguments)


def _is_done(opened: PlanToRun, tools: Tools) -> bool:
    if opened.selection is not None:
        if opened.selection.choice.parts:
            return False
        settle_finished(opened, tools)
        sys.stderr.write("nothing to do: every plan that was asked for has a SUMMARY\n")
        return True
    target = summary_path(opened.plan.path)
    if not target.exists():
        return False
    if is_halted(target):
        raise UserError(
            f"plan {opened.plan.id} is halted: {target} says `status: halted`",
            hint=f"to run it all the same, take that file away: git mv {target.name} {target.stem}-halted.md",
        )
    settle_finished(opened, tools)
    sys.stderr.write(f"nothing to do: {target} says that {opened.plan.id} is done\n")
    return True
