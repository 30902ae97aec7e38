"""`bursar learn ACTION`: what was learned from finished attempts, and to share, correct or forget it."""

from __future__ import annotations

from bursar.cli.actions import run_action

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
    return run_action("learn", "what was learned", ACTIONS, arguments)
