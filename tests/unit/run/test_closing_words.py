"""The last line of an agent that was told to wrap up."""

from __future__ import annotations

import pytest

from bursar.journal import AttemptState
from bursar.run.closing_words import SAID_NOTHING, read_left
from bursar.run.judgement import judge
from bursar.run.prompt import WRAP_UP
from tests.unit.run.test_judgement import DUE
from tests.unit.supervision.test_spec import outcome

LONG = "LEFT: " + "x" * 1000


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("I wrote it.\nDONE", None),
        ("DONE", None),
        ("**DONE.**\n\n", None),
        ("It is:\n```\nDONE\n```", None),
        ("- `DONE`", None),
        ("One file.\nLEFT: the tests of b.py", "the tests of b.py"),
        ("**LEFT: the tests**", "the tests"),
        ("LEFT:", SAID_NOTHING),
        ("I am done, but for the tests.", SAID_NOTHING),
        ("DONE with a.py, b.py follows", SAID_NOTHING),
        ("DONE\nAnd one more thing.", SAID_NOTHING),
        ("UNDONE", SAID_NOTHING),
        ("", SAID_NOTHING),
        (LONG, "x" * 300),
    ],
)
def test_only_who_says_so_is_done(message: str, left: str | None) -> None:
    assert read_left(message) == left


def test_the_words_say_what_is_asked_for() -> None:
    assert "`DONE`" in WRAP_UP
    assert "`LEFT:`" in WRAP_UP
    assert "{why}" in WRAP_UP


def test_half_a_task_is_stopped_and_not_done() -> None:
    told = outcome(has_heard=True, told_why="budget b has room for about 1 more call", message="x\nLEFT: b.py")
    judgement = judge(DUE, told, 1)
    assert (judgement.state, judgement.left) == (AttemptState.STOPPED, "b.py")
    assert judgement.reason == (
        "it wrapped up before a limit: budget b has room for about 1 more call; left to do: b.py"
    )
    assert judge(DUE, told, 0).state is AttemptState.STOPPED, "nothing changed yet is no failure either"


def test_a_whole_one_is_judged_as_ever() -> None:
    done = outcome(has_heard=True, told_why="x", message="DONE")
    assert judge(DUE, done, 1).state is AttemptState.SUCCEEDED
    assert judge(DUE, done, 0).state is AttemptState.FAILED


def test_what_was_not_heard_changes_nothing() -> None:
    assert judge(DUE, outcome(told_why="x", message="All is well."), 1).state is AttemptState.SUCCEEDED


def test_before_the_end_of_a_window_it_is_interrupted() -> None:
    told = outcome(has_heard=True, told_why="the window is used to 98 %", message="LEFT: b.py", resets_at=1_900_000_000)
    judgement = judge(DUE, told, 1)
    assert judgement.state is AttemptState.INTERRUPTED
    assert "(--wait waits for that)" in judgement.reason
