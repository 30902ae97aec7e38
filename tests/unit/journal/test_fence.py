"""Who conducts a run writes it, and nobody else who thinks so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bursar.errors import Superseded
from bursar.journal import AttemptState, Journal, Question, Remainder, RunState, TaskState, open_journal
from tests.unit.journal.test_journal import AT, attempt_row, run_row, task_row

ROW = attempt_row("1")
WRITES: dict[str, Callable[[Journal], object]] = {
    "change_plan": lambda journal: journal.change_plan("r", "other", [task_row("2")]),
    "conduct": lambda journal: journal.conduct("r", "old", None),
    "end_run": lambda journal: journal.end_run("r", RunState.SUCCEEDED, AT),
    "set_task": lambda journal: journal.set_task("r", "1", TaskState.MERGED),
    "reset_task": lambda journal: journal.reset_task(task_row("1")),
    "begin_attempt": lambda journal: journal.begin_attempt(attempt_row("1", 2)),
    "begin_merge": lambda journal: journal.begin_merge(ROW.key, "c" * 40),
    "end_attempt": lambda journal: journal.end_attempt(ROW, AttemptState.FAILED, AT, task=TaskState.FAILED, note=""),
    "cancel": lambda journal: journal.controls.cancel("r", "ada", AT),
    "put_question": lambda journal: journal.controls.put_question(
        Question(run_id="r", task="1", digest="d", kind="decision", title="", text=""), ""
    ),
    "leave": lambda journal: journal.controls.leave(
        Remainder(attempt=ROW.key, agent="claude", session_id=None, home="/h", work_commit=None)
    ),
    "go_on": lambda journal: journal.controls.go_on(ROW.key, ROW.key),
    "check_conducts": lambda journal: journal.check_conducts(),
}


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(tmp_path / "journal.db")
    opened.begin_run(run_row(), [task_row("1")])
    opened.take_over("r", "old")
    opened.as_conductor("r", "old").begin_attempt(ROW)
    yield opened
    opened.close()


def everything(journal: Journal) -> object:
    """All that these writes could change."""
    controls = journal.controls
    return (
        *(journal.run("r"), journal.tasks("r"), journal.attempts("r"), controls.cancellation("r")),
        *(controls.question("r", "1"), controls.remainder(ROW.key), controls.continues(ROW.key)),
    )


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_one_who_has_lost_the_run_writes_nothing(journal: Journal, write: Callable[[Journal], object]) -> None:
    one, other = journal.as_conductor("r", "old"), journal.as_conductor("r", "new")
    journal.take_over("r", "new")
    before = everything(journal)
    with pytest.raises(Superseded, match="run r is conducted by another process since"):
        write(one)
    assert everything(journal) == before
    write(other)


def test_one_who_has_ended_the_run_has_it_no_more(journal: Journal) -> None:
    mine = journal.as_conductor("r", "old")
    mine.end_run("r", RunState.STOPPED, AT)
    with pytest.raises(Superseded):
        mine.set_task("r", "1", TaskState.MERGED)


def test_taking_over_says_nothing_else_of_the_run(journal: Journal) -> None:
    journal.as_conductor("r", "old").end_run("r", RunState.FAILED, AT)
    journal.take_over("r", "new")
    run = journal.run("r")
    assert run is not None
    assert (run.state, run.ended_at, run.conductor) == (RunState.FAILED, AT, "new")
