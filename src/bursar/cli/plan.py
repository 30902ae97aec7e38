"""`bursar plan ACTION`: what bursar reads in plans, and what it writes into them; nothing is run."""

from __future__ import annotations

import sys
from importlib import import_module

from bursar.errors import OK, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ACTIONS = {
    "annotate": ("bursar.cli.plan_annotate", "write into a plan how its tasks are run, or could be"),
    "show": ("bursar.cli.plan_show", "tasks and their order"),
    "check": ("bursar.cli.plan_show", "problems, and the commands that would verify"),
    "index": ("bursar.cli.plan_index", "the plans of a phase: their waves, and which may start"),
    "graph": ("bursar.cli.plan_graph", "the order of tasks, plans or phases, as text or for drawing"),
}


def main(arguments: Sequence[str]) -> int:
    """Runs one action; its exit code."""
    if not arguments:
        raise UserError("say what to do with a plan", hint="bursar plan --help")
    name = arguments[0]
    if name in ("-h", "--help"):
        sys.stdout.write(_help())
        return OK
    if name not in ACTIONS:
        raise UserError(f"there is no `bursar plan {name}`", hint="bursar plan --help")
    code: int = import_module(ACTIONS[name][0]).main(arguments)
    return code


def _help() -> str:
    width = max(map(len, ACTIONS)) + 2
    actions = "\n".join(f"  {name:<{width}}{text}" for name, (_, text) in ACTIONS.items())
    return f"usage: bursar plan ACTION [...]      bursar plan ACTION --help tells more\n\n{actions}\n"
