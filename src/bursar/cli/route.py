"""`bursar route`: which model a task should be given; answers other programs line by line, or explains itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bursar.cli.parsing import parser
from bursar.errors import UserError

_POLICIES = ("learned", "rules")


def main(arguments: Sequence[str]) -> int:
    """Answers requests until stdin closes, or explains the routes of a plan's tasks."""
    options = parser("route", "which model a task should be given, with what cap, and when to stop; nothing is run")
    options.add_argument("action", nargs="?", choices=("explain",), help="candidates, numbers and why, for each task")
    options.add_argument("path", nargs="?", metavar="PLAN", help="the plan whose tasks are meant")
    options.add_argument("--task", action="append", metavar="N", help="only this task; may be repeated")
    options.add_argument("--stdio", action="store_true", help="answer JSON objects, one a line, until stdin closes")
    options.add_argument("--policy", choices=_POLICIES, help="who chooses; the learned policy by default")
    options.add_argument("--value", metavar="AMOUNT", help="what a finished task is worth, for example `2 USD`")
    options.add_argument("--json", action="store_true", help="explain for other programs")
    chosen = options.parse_between(arguments)
    if chosen.stdio:
        if chosen.action is not None:
            raise UserError("--stdio answers requests and explains no plan", hint="bursar route --stdio")
        _refuse_idle(chosen, ("task", "value", "json"), "is for explaining a plan", "bursar route --stdio")
        from bursar.cli.route_stdio import serve

        return serve(chosen.policy or "learned")
    if chosen.action is None or chosen.path is None:
        raise UserError("there is nothing to explain", hint="bursar route explain PLAN, or bursar route --stdio")
    _refuse_idle(chosen, ("policy",), "is for --stdio; both policies are explained", "bursar route explain PLAN")
    from bursar.cli.route_explain import explain

    return explain(chosen)


def _refuse_idle(chosen: Any, names: Sequence[str], why: str, hint: str) -> None:
    """None of these was given.

    Raises:
        UserError: one of these was given, and would do nothing.
    """
    for name in names:
        if getattr(chosen, name):
            raise UserError(f"--{name} {why}", hint=hint)
