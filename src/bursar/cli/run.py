"""`bursar run PLAN`: conducts a plan; the same command again does only what is missing."""

from __future__ import annotations

import sys
from argparse import BooleanOptionalAction
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bursar.budget import parse_limit
from bursar.cli.logged import charging_logs
from bursar.cli.parsing import Parser, parser
from bursar.cli.plan_approval import require_approval
from bursar.cli.run_budgets import add_budget_flags, enforcement_mode, run_budgets, tell_idle_budgets
from bursar.cli.run_jobs import check_instances, instance_budgets, lines_to_approve
from bursar.cli.run_roadmap import open_purse, tell_roadmap
from bursar.cli.run_targets import open_target, tell_left_out
from bursar.cli.run_times import (
    add_time_flags,
    start_of,
    startup_delay_of,
    status_seconds,
    timeout_of,
    wait_for_start,
)
from bursar.cli.run_tools import Flags, build_tools, choose_agent, read_settings, tell_missing_login
from bursar.cli.run_watch import Showing, Watch
from bursar.cli.run_windows import add_window_flags, window_limits_of
from bursar.cli.session import conduct, say, send_earlier_alerts, tell_undelivered, wants_colour
from bursar.config import build_notifier, configured_budgets, define_budgets, load_project_settings
from bursar.errors import OK, UserError
from bursar.journal import RequestKind
from bursar.ledger import is_ledger_url
from bursar.paths import state_dir
from bursar.plan import is_halted, summary_path
from bursar.run import (
    PlanToRun,
    RunLimit,
    RunLock,
    Tools,
    ask_of_us,
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
    request: RequestKind | None = None,
) -> int:
    """Takes up the plan's run and conducts it; with a `request` no longer than it takes to do that.

    Raises:
        UserError: `run_id` names another run than the one that can be gone on with.
    """
    flags, start_at = flags_of(options), start_of(options)
    watch_seconds = status_seconds(options, opened)
    settings = read_settings(opened)
    root = opened.origin.project
    own = instance_budgets(opened, enforcement_mode(options))
    configured, more = configured_budgets(root), [*run_budgets(options, has_others=bool(own)), *own]
    agent = choose_agent(settings, flags)
    check_instances(opened, agent)
    notifier = build_notifier(settings, Path(state_dir()), root.name)
    notifier.check()
    tools = build_tools(settings, flags, agent)
    if opened.origin.workspace is None and _is_done(opened, tools):
        return OK
    if opened.selection is not None:
        tell_left_out(opened.selection)
    for plan in opened.plans:
        check_no_other_job(plan)
    if limit is not None:
        check_prices(opened, tools, limit.limit)
    tell_missing_login(agent)
    own_settings, approvable = load_project_settings(root), lines_to_approve(opened)
    if request is None:  # else nothing of the plan is run
        require_approval(opened.plans, own_settings, tools.stores.journal, trust=options.trust, more=approvable)
    tools = replace(tools, purse=open_purse(opened, tools.stores.ledger))
    lock = RunLock(tools.state_dir, opened)
    try:
        run = None if getattr(options, "new", False) else unfinished_run(opened, tools)
        if run_id is not None and (run is None or run.id != run_id):
            raise UserError(f"run {run_id} is not the newest of its plan any more", hint="bursar status")
        stores = tools.stores
        changed = define_budgets(stores.ledger, root, configured, is_shared=is_ledger_url(stores.ledger_place))
        sys.stderr.writelines(f"warning: {sentence}\n" for sentence in changed)
        tell_idle_budgets(more, opened.plan)
        wait_for_start(start_at, tools.clock)
        showing = Showing(
            status_seconds=watch_seconds,
            with_bars=not options.disable_budget_visuals,
            in_colour=wants_colour(sys.stderr),
        )
        watch = Watch(notifier, showing, say)
        with charging_logs(settings, tools, configured):
            conductor, context, rows = take_up(opened, tools, run, limit, watch.hear, more=more)
            if request is not None:
                ask_of_us(context, request)
            watch.begin(context, [each.name for each in more])
            send_earlier_alerts(notifier, context)
            code = conduct(conductor, context, rows, watch, as_json=options.json)
            tell_roadmap(context)
            return code
    finally:
        lock.release()
        tell_undelivered(notifier)


def add_run_flags(options: Parser) -> None:
    """Flags that `run` and `resume` share."""
    options.add_argument(
        "--agent", metavar="NAME", help="claude (default), codex, gemini, opencode, or command: a program of yours"
    )
    options.add_argument("--max-parallel", type=int, metavar="N", help="how many attempts at once (default 5)")
    options.add_argument("--trust", action="store_true", help="approve the verify commands as they are now")
    options.add_argument(
        "--auto-approve",
        action="append",
        default=[],
        metavar="TYPE",
        help="pass checkpoints of a type, e.g. human-verify (repeatable)",
    )
    options.add_argument(
        "--sandbox", action=BooleanOptionalAction, help="agents and verify commands run in bubblewrap, or do not"
    )
    add_budget_flags(options)
    add_time_flags(options)
    add_window_flags(options)
    options.add_argument("--json", action="store_true", help="the report as JSON on stdout")


def flags_of(options: Any) -> Flags:
    """The shared flags as a value."""
    return Flags(
        agent=options.agent,
        max_parallel=options.max_parallel,
        auto_approved=tuple(options.auto_approve),
        timeout_seconds=timeout_of(options),
        startup_delay_seconds=startup_delay_of(options),
        sandbox=options.sandbox,
        windows=window_limits_of(options),
        waits=options.wait,
    )


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
