"""`bursar roadmap ACTION`: what bursar reads in a roadmap; nothing is run or written."""

from __future__ import annotations

import difflib
import sys
from importlib import import_module

from bursar.errors import OK, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ACTIONS = {
    "show": ("bursar.cli.roadmap_show", "phases, what they wait for and how far they are"),
    "next": ("bursar.cli.roadmap_next", "the phases that can start now, and which first"),
    "check": ("bursar.cli.roadmap_show", "everything that is wrong or unclear, cycles drawn"),
    "status": ("bursar.cli.roadmap_status", "one phase: its plans, and what it waits for"),
    "estimate-phase": ("bursar.cli.roadmap_estimate", "the tokens that a phase will probably take"),
}


def main(arguments: Sequence[str]) -> int:
    """Runs one action; its exit code."""
    if not arguments:
        raise UserError("say what to do with a roadmap", hint="bursar roadmap --help")
    name = arguments[0]
    if name in ("-h", "--help"):
        sys.stdout.write(_help())
        return OK
    if name not in ACTIONS:
        near = difflib.get_close_matches(name, ACTIONS, n=1)
        hint = f"did you mean `bursar roadmap {near[0]}`?" if near else "bursar roadmap --help"
        raise UserError(f"there is no `bursar roadmap {name}`", hint=hint)
    code: int = import_module(ACTIONS[name][0]).main(arguments)
    return code


def _help() -> str:
    width = max(map(len, ACTIONS)) + 2
    actions = "\n".join(f"  {name:<{width}}{text}" for name, (_, text) in ACTIONS.items())
    return (
        "usage: bursar roadmap ACTION [...]      bursar roadmap ACTION --help tells more\n\n"
        f"{actions}\n\nwithout a PATH: .planning/ROADMAP.md of the project around the current folder\n"
    )
