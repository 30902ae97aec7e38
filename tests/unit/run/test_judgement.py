"""What an attempt ended as, case by case."""

from __future__ import annotations

import pytest

from bursar.journal import AttemptState
from bursar.plan import Task
from bursar.run.judgement import Judgement, judge
from bursar.supervision import STOP_ASKED, Ending
from tests.unit.supervision.test_spec import outcome

DUE = Task(number="1", name="x", files=("a.py", "b.py", "c.py", "d.py"))
NOTHING_DUE = Task(number="1", name="x")
FAILED, STOPPED, INTERRUPTED = AttemptState.FAILED, AttemptState.STOPPED, AttemptState.INTERRUPTED


def test_a_good_end_with_a_change_is_worth_verifying() -> None:
    assert judge(DUE, outcome(), 1) == Judgement(AttemptState.SUCCEEDED)
    assert judge(NOTHING_DUE, outcome(), 0) == Judgement(AttemptState.SUCCEEDED)


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({"is_error": True, "message": "\n  no more ideas\nmore"}, FAILED, "reported an error: no more ideas"),
        ({"is_error": True, "message": " \n "}, FAILED, "reported an error: no message"),
        ({"is_error": True, "exit_code": 0, "denied_permissions": ["Bash"]}, FAILED, "reported an error"),
        ({"exit_code": 3}, FAILED, "exit code 3"),
        ({"exit_code": -9}, FAILED, "signal 9"),
        ({"exit_code": None}, FAILED, "exit code None"),
        ({"is_error": None}, FAILED, "without saying how it went"),
        ({"denied_permissions": ["Write", "Bash", "Write"]}, FAILED, "denied permission to use Bash, Write"),
        ({"ending": Ending.LIMIT, "limit": "budget x reached"}, STOPPED, "budget x reached"),
        ({"ending": Ending.LIMIT, "is_error": True, "exit_code": 1, "limit": "L"}, STOPPED, "L"),
        ({"ending": Ending.TIMEOUT, "wall_seconds": 61.7}, FAILED, "longer than allowed (62 s)"),
        ({"ending": Ending.LEDGER_FAILED, "limit": "disk"}, INTERRUPTED, "could not be written: disk"),
        ({"ending": Ending.NOT_STARTED, "message": "no such file"}, FAILED, "no such file"),
        ({"ending": Ending.INTERRUPTED, "exit_code": -2}, INTERRUPTED, "stopped on request"),
    ],
)
def test_every_other_end_says_why(changes: dict[str, object], state: AttemptState, words: str) -> None:
    judgement = judge(DUE, outcome(**changes), 1)
    assert judgement.state is state
    assert words in judgement.reason


def test_who_wraps_up_on_request_was_not_stopped_by_a_limit() -> None:
    told = {"has_heard": True, "told_why": STOP_ASKED, "message": "LEFT: two.txt"}
    assert judge(DUE, outcome(**told), 1) == Judgement(
        INTERRUPTED, "it wrapped up on request; left to do: two.txt", "two.txt"
    )
    assert judge(DUE, outcome(**{**told, "message": "DONE"}), 1).state is AttemptState.SUCCEEDED


def test_no_change_where_files_were_due_is_a_failure() -> None:
    judgement = judge(DUE, outcome(), 0)
    assert judgement == Judgement(FAILED, "the agent changed nothing, but a.py, b.py, c.py was due")


def test_nobody_knows_how_it_went() -> None:
    judgement = judge(DUE, None, 5)
    assert judgement.state is INTERRUPTED
    assert "what was held is charged" in judgement.reason


def test_an_agents_long_word_is_cut() -> None:
    assert len(judge(DUE, outcome(is_error=True, message="x" * 5000), 0).reason) < 400
