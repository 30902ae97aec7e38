"""Flags of `bursar run` and `bursar resume` that put more budgets over the run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from bursar.budget import OnLimit, Unit
from bursar.cli.parsing import Parser
from bursar.cli.quantities import parse_flag_limit
from bursar.errors import UserError
from bursar.plan import Plan
from bursar.run import RunBudget, command_of, is_command


def add_budget_flags(options: Parser) -> None:
    """The flags; they warn where nobody says otherwise, and `--budget` blocks."""
    options.add_argument("--overall-token-budget", metavar="N", help="tokens of the whole run: 200000 or 200k")
    options.add_argument("--overall-cost-budget", metavar="USD", help="cost of the whole run: 5 or 0.50")
    options.add_argument(
        "--command-budget",
        action="append",
        default=[],
        metavar="/NAME=N",
        help="tokens of the tasks whose action begins with that command, e.g. '/test=5000' (repeatable)",
    )
    options.add_argument(
        "--budget-enforcement-mode",
        choices=[str(OnLimit.WARN), str(OnLimit.BLOCK)],
        help="what the three flags above do at their limits (default warn; of a run that goes on, as before)",
    )


def enforcement_mode(options: Any) -> OnLimit | None:
    """What the budgets of flags and of instances do at their limits; None where nothing was said."""
    return None if options.budget_enforcement_mode is None else OnLimit(options.budget_enforcement_mode)


def run_budgets(options: Any, *, has_others: bool = False) -> Sequence[RunBudget]:
    """The budgets that the flags mean.

    Args:
        has_others: there are more budgets that do what `--budget-enforcement-mode` says.

    Raises:
        UserError: a limit is none, or something is no command, or a command stands there twice, or nothing is there
            that could be enforced.
    """
    mode = enforcement_mode(options)
    found = []
    if options.overall_token_budget is not None:
        limit = parse_flag_limit("--overall-token-budget", options.overall_token_budget, Unit.TOKENS)
        found.append(RunBudget(name="overall-tokens", limit=limit, on_limit=mode))
    if options.overall_cost_budget is not None:
        limit = parse_flag_limit("--overall-cost-budget", options.overall_cost_budget, Unit.USD)
        found.append(RunBudget(name="overall-cost", limit=limit, on_limit=mode))
    commands = [_command_budget(text, mode) for text in options.command_budget]
    names = [each.name for each in commands]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"--command-budget stands there twice for {', '.join(twice)}")
    found += commands
    if mode is not None and not found and not has_others:
        raise UserError(
            "--budget-enforcement-mode is about the limits of other flags, and none of them is given",
            hint=f"--budget-enforcement-mode {mode} --overall-token-budget 200k",
        )
    return found


def tell_idle_budgets(budgets: Sequence[RunBudget], plan: Plan) -> None:
    """A command that no task begins with is told on stderr: what was meant as a limit would limit nothing."""
    commands = {command_of(task) for task in plan.tasks}
    for command in (each.match["command"] for each in budgets if "command" in each.match):
        if command not in commands:
            sys.stderr.write(f"warning: no task's action begins with {command}, so its budget limits nothing\n")


def _command_budget(text: str, mode: OnLimit | None) -> RunBudget:
    command, sign, limit = (part.strip() for part in text.partition("="))
    if not sign or not is_command(command):
        raise UserError(f"--command-budget takes /NAME=N, not {text!r}", hint="--command-budget '/test=5000'")
    return RunBudget(
        name=f"command{command}",
        limit=parse_flag_limit("--command-budget", limit, Unit.TOKENS),
        match={"command": command},
        on_limit=mode,
    )
