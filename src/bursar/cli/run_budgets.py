"""Flags of `bursar run` and `bursar resume` that put more budgets over the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bursar.budget import OnLimit, Unit
from bursar.cli.parsing import Parser
from bursar.cli.quantities import parse_flag_limit
from bursar.errors import UserError
from bursar.run import RunBudget, is_command


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
        default=str(OnLimit.WARN),
        help="what the three flags above do at their limits (default warn)",
    )


def run_budgets(options: Any) -> Sequence[RunBudget]:
    """The budgets that the flags mean.

    Raises:
        UserError: a limit is none, or something is no command, or a command stands there twice.
    """
    mode = OnLimit(options.budget_enforcement_mode)
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
    return [*found, *commands]


def _command_budget(text: str, mode: OnLimit) -> RunBudget:
    command, sign, limit = (part.strip() for part in text.partition("="))
    if not sign or not is_command(command):
        raise UserError(f"--command-budget takes /NAME=N, not {text!r}", hint="--command-budget '/test=5000'")
    return RunBudget(
        name=f"command{command}",
        limit=parse_flag_limit("--command-budget", limit, Unit.TOKENS),
        match={"command": command},
        on_limit=mode,
    )
