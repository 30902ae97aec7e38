"""`bursar approve RUN TASK`: a person has done their part of a checkpoint."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bursar.cli.parsing import parser
from bursar.errors import OK, UserError
from bursar.journal import TaskState, open_journal
from bursar.paths import JOURNAL_FILE, state_dir


def main(arguments: Sequence[str]) -> int:
    """The checkpoint is passed; what waits for it runs with the next resume."""
    options = parser("approve", "pass a checkpoint that waits for a person")
    options.add_argument("run", metavar="RUN")
    options.add_argument("task", metavar="TASK", help="the checkpoint's number")
    chosen = options.parse_args(arguments)
    journal = open_journal(Path(state_dir(), JOURNAL_FILE))
    tasks = {task.number: task for task in journal.tasks(chosen.run)}
    task = tasks.get(chosen.task)
    if task is None or task.state is not TaskState.WAITING:
        waiting = [f"{number} ({task.name})" for number, task in tasks.items() if task.state is TaskState.WAITING]
        raise UserError(
            f"task {chosen.task} of run {chosen.run} does not wait for a person",
            hint=f"waiting: {', '.join(waiting)}" if waiting else "bursar status --all",
        )
    journal.set_task(chosen.run, chosen.task, TaskState.MERGED, note="approved by a person")
    sys.stderr.write(f"task {task.number} ({task.name}) is passed; go on with: bursar resume {chosen.run}\n")
    return OK
