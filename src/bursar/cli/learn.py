"""`bursar learn ACTION`: what was learned from finished attempts, and to share, correct or forget it."""

from __future__ import annotations

import difflib
import sys
from importlib import import_module

from bursar.errors import OK, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ACTIONS = {
    "report": ("bursar.cli.learn_report", "what each kind of work took, and how honest the estimates were"),
    "export": ("bursar.cli.learn_exchange", "the observations as lines of JSON, without the names of folders"),
    "import": ("bursar.cli.learn_exchange", "take in observations of another project or machine"),
    "correct": ("bursar.cli.learn_correct", "say which type of work a task of a plan is"),
    "forget": ("bursar.cli.learn_correct", "drop observations, those of a project, a model or an import"),
}


def main(arguments: Sequence[str]) -> int:
    """Runs one action; its exit code."""
    if not arguments:
        raise UserError("say what to do with what was learned", hint="bursar learn --help")
    name = arguments[0]
    if name in ("-h", "--help"):
        sys.stdout.write(_help())
        return OK
    if name not in ACTIONS:
        near = difflib.get_close_matches(name, ACTIONS, n=1)
        hint = f"did you mean `bursar learn {near[0]}`?" if near else "bursar learn --help"
        raise UserError(f"there is no `bursar learn {name}`", hint=hint)
    code: int = import_module(ACTIONS[name][0]).main(arguments)
    return code


def _help() -> str:
    width = max(map(len, ACTIONS)) + 2
    actions = "\n".join(f"  {name:<{width}}{text}" for name, (_, text) in ACTIONS.items())
    return f"usage: bursar learn ACTION [...]      bursar learn ACTION --help tells more\n\n{actions}\n"
