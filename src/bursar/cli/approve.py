"""`bursar approve RUN TASK`: a person has done their part of a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence

from bursar.cli.answering import pass_checkpoint
from bursar.cli.parsing import parser


def main(arguments: Sequence[str]) -> int:
    """The checkpoint is passed; what waits for it runs now, or with the next resume."""
    options = parser(
        "approve", "pass what waits for a person: a checkpoint, or a task whose work you have merged by hand"
    )
    options.add_argument("run", metavar="RUN", help="a run's id (see `bursar status`)")
    options.add_argument("task", metavar="TASK", help="the number of the task that waits")
    chosen = options.parse_args(arguments)
    return pass_checkpoint(chosen.run, chosen.task, None)
