"""`bursar answer RUN TASK TEXT`: what was decided at a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence

from bursar.cli.answering import pass_checkpoint
from bursar.cli.parsing import parser


def main(arguments: Sequence[str]) -> int:
    """The checkpoint is passed with this answer; what waits for it is told of it."""
    options = parser("answer", "answer a checkpoint that asks for a decision; what depends on it is told the answer")
    options.add_argument("run", metavar="RUN", help="a run's id (see `bursar status`)")
    options.add_argument("task", metavar="TASK", help="the checkpoint's number")
    options.add_argument(
        "answer",
        metavar="ANSWER",
        nargs="*",
        default=[],
        help="an option's id, name or position; words, where the plan offers no options (without: what it takes)",
    )
    chosen = options.parse_args(arguments)
    return pass_checkpoint(chosen.run, chosen.task, " ".join(chosen.answer))
