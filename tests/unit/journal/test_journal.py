"""The journal's methods, each on a real file: what it says afterwards, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bursar.errors import StoreError
from bursar.journal import AttemptRow, AttemptState, Journal, RunRow, RunState, TaskRow, TaskState, open_journal

AT = "2026-03-01T10:00:00.000+00:00"
LATER = "2026-03-01T11:00:00.000+00:00"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(tmp_path / "journal.db")
    yield opened
    opened.close()


def run_row(run_id: str = "r", *, plan: str = "/p/PLAN.md", started_at: str = AT, project: str = "/p") -> RunRow:
    return RunRow(
        id=run_id,
        project=project,
        plan_path=plan,
        plan_id="08-02",
        plan_digest="d",
        branch="main",
        base_commit="c0",
        limit="200k tokens",
        state=RunState.RUNNING,
        conductor="1/2/boot",
        started_at=started_at,
    )


def task_row(number: str, run_id: str = "r") -> TaskRow:
    return TaskRow(run_id=run_id, number=number, name=f"Task {number}", digest=f"d{number}")


def attempt_row(task: str, number: int = 1, run_id: str = "r", started_at: str = AT) -> AttemptRow:
    return AttemptRow(
        key=f"{run_id}/{task}/{number}",
        run_id=run_id,
        task=task,
        number=number,
        model="sonnet",
        directory="/d",
        base_commit="c0",
        session_id="s",
        worktree="/w",
        state=AttemptState.PLANNED,
        started_at=started_at,
    )


def begin(journal: Journal, *numbers: str) -> None:
    journal.begin_run(run_row(), [task_row(number) for number in numbers])


def states(journal: Journal) -> dict[str, TaskState]:
    return {task.number: task.state for task in journal.tasks("r")}


def overview(journal: Journal) -> tuple[int, ...]:
    (row,) = journal._database.query("SELECT tasks, merged, running, not_done FROM run_overview")
    return tuple(row)


def test_a_run_begins_with_all_of_its_tasks_in_the_plans_order(journal: Journal) -> None:
    begin(journal, "2", "10", "1")
    assert journal.run("r") == run_row()
    assert list(journal.tasks("r")) == [task_row("2"), task_row("10"), task_row("1")]
    assert journal.attempts("r") == []


def test_what_is_not_there_is_none(journal: Journal) -> None:
    assert journal.run("r") is None
    assert journal.latest_run("/p") is None
    assert list(journal.tasks("r")) == []


def test_a_run_that_cannot_begin_leaves_nothing(journal: Journal) -> None:
    begin(journal, "1")
    with pytest.raises(StoreError):
        journal.begin_run(replace(run_row(), plan_id="other"), [task_row("2")])
    assert journal.run("r") == run_row()
    assert states(journal) == {"1": TaskState.PENDING}
    with pytest.raises(StoreError):
        journal.begin_run(run_row("r2"), [task_row("1", "no such run")])
    assert journal.run("r2") is None


def test_the_newest_run_of_a_plan_or_of_the_project(journal: Journal) -> None:
    journal.begin_run(run_row("old"), [])
    journal.begin_run(run_row("new", started_at=LATER), [])
    journal.begin_run(run_row("other", plan="/p/OTHER.md", started_at="2026-03-02T00:00:00+00:00"), [])
    journal.begin_run(run_row("elsewhere", project="/q", started_at="2026-03-03T00:00:00+00:00"), [])
    newest = [journal.latest_run("/p", "/p/PLAN.md"), journal.latest_run("/p"), journal.latest_run("/nowhere")]
    assert [run and run.id for run in newest] == ["new", "other", None]


def test_an_attempt_makes_its_task_run(journal: Journal) -> None:
    begin(journal, "1", "2")
    journal.set_task("r", "1", TaskState.FAILED, note="why")
    journal.begin_attempt(attempt_row("1"))
    assert states(journal) == {"1": TaskState.RUNNING, "2": TaskState.PENDING}
    assert journal.tasks("r")[0].note == ""
    assert list(journal.attempts("r")) == [attempt_row("1")]


@pytest.mark.parametrize("attempt", [attempt_row("9"), attempt_row("1", run_id="other")])
def test_an_attempt_at_nothing_is_refused(journal: Journal, attempt: AttemptRow) -> None:
    begin(journal, "1")
    with pytest.raises(StoreError):
        journal.begin_attempt(attempt)
    assert journal.attempts(attempt.run_id) == []
    assert states(journal) == {"1": TaskState.PENDING}


def test_one_attempt_is_begun_once(journal: Journal) -> None:
    begin(journal, "1")
    journal.begin_attempt(attempt_row("1"))
    for again in (attempt_row("1"), replace(attempt_row("1"), key="another")):
        with pytest.raises(StoreError):
            journal.begin_attempt(again)
    assert list(journal.attempts("r")) == [attempt_row("1")]


def test_the_way_of_an_attempt_to_its_merge(journal: Journal) -> None:
    begin(journal, "1")
    row = attempt_row("1")
    journal.begin_attempt(row)
    journal.begin_merge(row.key, "c1")
    assert journal.attempts("r")[0] == replace(row, state=AttemptState.MERGING, commit="c1")
    assert states(journal) == {"1": TaskState.RUNNING}
    journal.end_attempt(row, AttemptState.SUCCEEDED, LATER, task=TaskState.MERGED, commit="c1", note="")
    ended = journal.attempts("r")[0]
    assert (ended.state, ended.commit, ended.ended_at) == (AttemptState.SUCCEEDED, "c1", LATER)
    assert (journal.tasks("r")[0].state, journal.tasks("r")[0].commit) == (TaskState.MERGED, "c1")


def test_an_attempt_that_failed_says_why_and_its_task_has_no_commit(journal: Journal) -> None:
    begin(journal, "1")
    row = attempt_row("1")
    journal.begin_attempt(row)
    journal.begin_merge(row.key, "c1")
    journal.end_attempt(row, AttemptState.INTERRUPTED, LATER, task=TaskState.PENDING, note="lost")
    ended, task = journal.attempts("r")[0], journal.tasks("r")[0]
    assert (ended.state, ended.commit, ended.note) == (AttemptState.INTERRUPTED, "c1", "lost")
    assert (task.state, task.commit, task.note) == (TaskState.PENDING, None, "lost")


def test_attempts_come_oldest_first(journal: Journal) -> None:
    begin(journal, "1", "2")
    for row in (attempt_row("2", started_at=LATER), attempt_row("1", 2, started_at=LATER), attempt_row("1")):
        journal.begin_attempt(row)
    assert [row.key for row in journal.attempts("r")] == ["r/1/1", "r/1/2", "r/2/1"]


def test_a_run_ends_and_is_conducted_again(journal: Journal) -> None:
    begin(journal, "1")
    journal.end_run("r", RunState.STOPPED, LATER)
    assert journal.run("r") == replace(run_row(), state=RunState.STOPPED, conductor=None, ended_at=LATER)
    journal.conduct("r", "3/4/boot", "300k tokens")
    assert journal.run("r") == replace(run_row(), conductor="3/4/boot", limit="300k tokens")


def test_a_changed_plan_keeps_what_is_known_and_has_its_own_order(journal: Journal) -> None:
    begin(journal, "1", "2")
    journal.set_task("r", "2", TaskState.MERGED)
    journal.change_plan("r", "d2", [task_row("0"), task_row("2"), task_row("1"), task_row("3")])
    run = journal.run("r")
    assert run is not None
    assert run.plan_digest == "d2"
    assert [task.number for task in journal.tasks("r")] == ["0", "2", "1", "3"]
    assert states(journal)["2"] is TaskState.MERGED


def test_a_task_starts_afresh_with_its_new_text(journal: Journal) -> None:
    begin(journal, "1")
    row = attempt_row("1")
    journal.begin_attempt(row)
    journal.end_attempt(row, AttemptState.SUCCEEDED, LATER, task=TaskState.MERGED, commit="c1", note="x")
    fresh = replace(task_row("1"), name="New", digest="new")
    journal.reset_task(fresh)
    assert list(journal.tasks("r")) == [fresh]


def test_approval_is_remembered_by_content(journal: Journal) -> None:
    assert not journal.is_approved("d")
    journal.approve("d", "/p/PLAN.md", AT)
    journal.approve("d", "/q/PLAN.md", LATER)
    assert journal.is_approved("d")
    assert not journal.is_approved("e")


def test_the_overview_counts_tasks_by_state(journal: Journal) -> None:
    numbers = {str(number): state for number, state in enumerate(TaskState)}
    begin(journal, *numbers)
    assert overview(journal) == (7, 0, 0, 0)
    for number, state in numbers.items():
        journal.set_task("r", number, state)
    assert overview(journal) == (7, 1, 1, 3)


def test_the_overview_of_a_run_without_tasks(journal: Journal) -> None:
    journal.begin_run(run_row(), [])
    assert overview(journal) == (0, 0, 0, 0)


def test_what_was_written_is_there_for_the_next_process(tmp_path: Path) -> None:
    first = open_journal(tmp_path / "journal.db")
    first.begin_run(run_row(), [task_row("1")])
    first.close()
    second = open_journal(tmp_path / "journal.db")
    assert second.run("r") == run_row()
    second.close()


def test_another_programs_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_text("not a database at all, but long enough to look at")
    with pytest.raises(StoreError):
        open_journal(tmp_path / "journal.db")
