"""What is asked of a run, by flags and settings: read whole, so that each mistake is told before anything happens."""

from __future__ import annotations

import sys
from argparse import BooleanOptionalAction
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bursar.agents import Agent
from bursar.budget import Budget
from bursar.cli.parsing import Parser
from bursar.cli.run_budgets import add_budget_flags, enforcement_mode, run_budgets
from bursar.cli.run_jobs import check_instances, instance_budgets
from bursar.cli.run_times import add_time_flags, start_of, startup_delay_of, status_seconds, timeout_of
from bursar.cli.run_tools import Flags, choose_agent, read_settings
from bursar.cli.run_watch import Showing
from bursar.cli.run_windows import add_window_flags, window_limits_of
from bursar.cli.terminal import wants_colour, width_of
from bursar.config import Settings, build_notifier, configured_budgets
from bursar.errors import UserError
from bursar.notify import Notifier
from bursar.paths import state_dir
from bursar.run import CHECKPOINT_TYPES, PlanToRun, RunBudget, kind_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What flags and settings say of one run.

    `configured`: the budgets of settings. `budgets`: those of this run alone, beside its limit.
    """

    settings: Settings
    flags: Flags
    agent: Agent
    notifier: Notifier
    configured: Sequence[Budget]
    budgets: Sequence[RunBudget]
    showing: Showing
    start_at: datetime | None
    as_json: bool


def read_asked(opened: PlanToRun, options: Any) -> Asked:
    """Everything of it is in order, and the agent is installed; nothing has been done yet.

    Raises:
        UserError: a flag or a setting cannot be had; the message names it.
        SetupError: the agent is not installed, or alerts cannot be sent.
    """
    flags, start_at = flags_of(options), start_of(options)
    _check_types(flags.auto_approved, opened)
    status_every = status_seconds(options, opened)
    settings, root = read_settings(opened), opened.origin.project
    own = instance_budgets(opened, enforcement_mode(options))
    configured, more = configured_budgets(root), [*run_budgets(options, has_others=bool(own)), *own]
    agent = choose_agent(settings, flags)
    check_instances(opened, agent)
    notifier = build_notifier(settings, Path(state_dir()), root.name)
    notifier.check()
    with_bars, in_colour = not options.disable_budget_visuals, wants_colour(sys.stderr)
    return Asked(
        settings=settings,
        flags=flags,
        agent=agent,
        notifier=notifier,
        configured=configured,
        budgets=more,
        showing=Showing(
            status_seconds=status_every,
            with_bars=with_bars,
            in_colour=in_colour,
            width=lambda: width_of(sys.stderr),
        ),
        start_at=start_at,
        as_json=options.json,
    )


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
        auto_approved=tuple(map(_checkpoint_type, options.auto_approve)),
        timeout_seconds=timeout_of(options),
        startup_delay_seconds=startup_delay_of(options),
        sandbox=options.sandbox,
        windows=window_limits_of(options),
        waits=options.wait,
    )


def _checkpoint_type(given: str) -> str:
    """What a plan says behind `checkpoint:`; empty for a bare `checkpoint`."""
    return "" if given == "checkpoint" else given.removeprefix("checkpoint:")


def _check_types(approved: Sequence[str], opened: PlanToRun) -> None:
    """Every type is known, or one of the plan's own.

    Raises:
        UserError: a type is neither known nor the plan's, so whoever gave it would find the run waiting in the morning.
    """
    known = {"", *CHECKPOINT_TYPES, *(kind_of(task) for task in opened.plan.tasks if task.is_checkpoint)}
    for kind in approved:
        if kind not in known:
            names = ", ".join(sorted(name or "checkpoint" for name in known))
            raise UserError(f"--auto-approve: no checkpoint is of type {kind!r}", hint=f"one of {names}")
