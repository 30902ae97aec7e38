"""`bursar roadmap ACTION`: what bursar reads in a roadmap; nothing is run or written."""

from __future__ import annotations

from bursar.cli.actions import run_action

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
_FOOTER = "without a PATH: .planning/ROADMAP.md of the project around the current folder"


def main(arguments: Sequence[str]) -> int:
    """Runs one action; its exit code."""
    return run_action("roadmap", "a roadmap", ACTIONS, arguments, footer=_FOOTER)
