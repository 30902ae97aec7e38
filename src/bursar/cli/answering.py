"""What `bursar approve` and `bursar answer` have in common: a checkpoint is passed, and whoever conducts is told."""

from __future__ import annotations

import sys
from pathlib import Path

from bursar.cli.finding import conductor_of, find_run
from bursar.clock import SystemClock
from bursar.errors import OK, UserError
from bursar.journal import Journal, TaskRow, TaskState, open_journal
from bursar.paths import JOURNAL_FILE, state_dir
from bursar.run import give_answer, ring, user_name


def pass_checkpoint(run_id: str, number: str, text: str | None) -> int:
    """The checkpoint is passed, with that answer (None: approved); a run that is on goes on at once.

    Raises:
        UserError: there is no such run or task, it asks nothing, or the text is no answer to it.
    """
    journal = open_journal(Path(state_dir(), JOURNAL_FILE))
    try:
        task = _find(journal, find_run(journal, run_id).id, number)
        said = _pass(journal, task, text)
        run = find_run(journal, run_id)  # as it stands now: a conductor may have begun meanwhile
        is_conducted = conductor_of(run) is not None
        is_checkpoint = journal.controls.question(run_id, number) is not None
        if is_conducted:
            ring(Path(state_dir(), "runs", run_id))
        then = "the run goes on" if is_conducted and is_checkpoint else f"go on with: bursar resume {run_id}"
        sys.stderr.write(f"task {task.number} ({task.name}) is passed{said}; {then}\n")
        return OK
    finally:
        journal.close()


def _find(journal: Journal, run_id: str, number: str) -> TaskRow:
    """The task, which waits for a person or has done so.

    Raises:
        UserError: it is not there, or does not wait; those that do are named.
    """
    tasks = {task.number: task for task in journal.tasks(run_id)}
    task = tasks.get(number)
    was_asked = task is not None and any(
        (each.task, each.digest) == (number, task.digest) for each in journal.controls.answers(run_id)
    )
    if task is None or not (task.state is TaskState.WAITING or was_asked):
        waiting = [f"{number} ({task.name})" for number, task in tasks.items() if task.state is TaskState.WAITING]
        raise UserError(
            f"task {number} of run {run_id} does not wait for a person",
            hint=f"waiting: {', '.join(waiting)}" if waiting else f"bursar report {run_id}",
        )
    return task


def _pass(journal: Journal, task: TaskRow, text: str | None) -> str:
    """Says with which answer, where it is more than a yes."""
    question = journal.controls.question(task.run_id, task.number)
    if question is None or question.digest != task.digest:  # no checkpoint: work that a person has merged by hand
        journal.set_task(task.run_id, task.number, TaskState.MERGED, note=f"approved by {user_name()}")
        return ""
    at = SystemClock().now().isoformat(timespec="milliseconds")
    given = give_answer(journal, question, text, user_name(), at)
    return "" if given.text == "approved" else f" with: {given.text}"
