"""`bursar plan ACTION`: what bursar reads in plans, and what it writes into them; nothing is run."""

from __future__ import annotations

from bursar.cli.actions import run_action

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
    return run_action("plan", "a plan", ACTIONS, arguments)
