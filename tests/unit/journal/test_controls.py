"""What people say to runs, and what goes on where: each on a real file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bursar.journal import (
    AttemptState,
    Journal,
    RefusalRow,
    Remainder,
    Request,
    RequestKind,
    RunState,
    TopUp,
    open_journal,
)
from tests.unit.journal.test_journal import AT, LATER, attempt_row, run_row, task_row


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(tmp_path / "journal.db")
    opened.begin_run(run_row(), [task_row("1")])
    yield opened
    opened.close()


def test_requests_are_for_one_conductor(journal: Journal) -> None:
    for conductor, kind in (("1/2/boot", RequestKind.PAUSE), ("1/2/boot", RequestKind.STOP), ("9/9/boot", "cancel")):
        journal.controls.ask(Request(run_id="r", conductor=conductor, kind=RequestKind(kind), by_user="ada", at=AT))
    asked = journal.controls.requests("r", "1/2/boot")
    assert [(each.kind, each.by_user) for each in asked] == [(RequestKind.PAUSE, "ada"), (RequestKind.STOP, "ada")]
    assert journal.controls.requests("r", "1/3/boot") == []


def test_a_run_is_cancelled_once_and_for_good(journal: Journal) -> None:
    assert journal.controls.cancellation("r") is None
    journal.controls.cancel("r", "ada", AT)
    journal.controls.cancel("r", "bob", LATER)
    run = journal.run("r")
    assert run is not None
    assert (run.state, run.conductor) == (RunState.CANCELLED, None)
    latest = journal.latest_run("/p")
    assert latest is not None
    assert latest.state is RunState.CANCELLED
    cancelled = journal.controls.cancellation("r")
    assert cancelled is not None
    assert (cancelled.by_user, cancelled.at) == ("ada", AT)


def test_a_key_adds_once(journal: Journal) -> None:
    first = TopUp(run_id="r", key="k", amount="1k tokens", new_limit="201k tokens", by_user="ada", at=AT)
    journal.controls.add_to_limit(first)
    journal.controls.add_to_limit(replace(first, new_limit="202k tokens", at=LATER))
    run = journal.run("r")
    assert run is not None
    assert run.limit == "201k tokens"
    assert journal.controls.top_ups("r") == [first]


def test_what_an_attempt_leaves_is_known_to_who_goes_on(journal: Journal) -> None:
    for number in (1, 2):
        journal.begin_attempt(replace(attempt_row("1", number), state=AttemptState.PLANNED))
    left = Remainder(attempt="r/1/1", agent="claude", session_id="s", home="/h", work_commit="c1", said_left="the rest")
    journal.controls.leave(replace(left, work_commit=None))
    journal.controls.leave(left)
    assert journal.controls.remainder("r/1/1") == left
    assert journal.controls.remainder("r/1/2") is None
    assert journal.controls.continues("r/1/2") is None
    journal.controls.go_on("r/1/2", "r/1/1")
    assert journal.controls.continues("r/1/2") == "r/1/1"


def test_why_work_was_not_merged_is_known_to_later_conductors(journal: Journal) -> None:
    for number in (1, 2):
        journal.begin_attempt(replace(attempt_row("1", number), state=AttemptState.PLANNED))
    conflict = RefusalRow(attempt="r/1/1", tip="t1", files=("a b.txt", 'q"ä.txt'))
    red = RefusalRow(attempt="r/1/2", tip="t2", reason="a command fails", log="line\nline")
    assert journal.controls.refusals("r") == {}
    for each in (replace(conflict, tip="t0"), conflict, red):
        journal.controls.refuse(each)
    assert journal.controls.refusals("r") == {"r/1/1": conflict, "r/1/2": red}
    assert journal.controls.refusals("other") == {}


def test_a_request_says_how_long_it_waits(journal: Journal) -> None:
    asked = Request(run_id="r", conductor="c", kind=RequestKind.STOP, by_user="ada", at=AT, grace_seconds=0.5)
    journal.controls.ask(asked)
    assert journal.controls.requests("r", "c") == [asked]
