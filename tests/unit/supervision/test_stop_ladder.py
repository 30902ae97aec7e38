"""Rungs in their order, each in its time."""

from __future__ import annotations

import signal

from bursar.supervision import StopRung
from bursar.supervision.stop_ladder import StopLadder

FIRST = StopRung(signal=signal.SIGINT, to_group=False, grace_seconds=2.0)
SECOND = StopRung(signal=signal.SIGTERM, to_group=True, grace_seconds=1.5)


def test_nothing_is_due_before_it_begins() -> None:
    ladder = StopLadder([FIRST, SECOND])
    assert (ladder.is_begun, ladder.due(1e9), ladder.seconds_left(1e9)) == (False, None, None)
    assert not ladder.is_exhausted(1e9)


def test_each_rung_comes_once_after_the_grace_of_the_one_before() -> None:
    ladder = StopLadder([FIRST, SECOND])
    ladder.begin(10.0)
    assert ladder.due(10.0) is FIRST
    assert ladder.due(11.9) is None
    assert ladder.seconds_left(11.0) == 1.0
    assert ladder.due(12.0) is SECOND
    assert not ladder.is_exhausted(13.4)
    assert ladder.is_exhausted(13.5)
    assert ladder.due(99.0) is None


def test_beginning_again_gives_no_new_grace() -> None:
    ladder = StopLadder([FIRST])
    ladder.begin(10.0)
    ladder.begin(20.0)
    assert ladder.due(20.0) is FIRST
    ladder.begin(30.0)
    assert ladder.is_exhausted(22.0)


def test_a_late_look_still_gives_each_rung_its_grace() -> None:
    ladder = StopLadder([FIRST, SECOND])
    ladder.begin(0.0)
    assert ladder.due(100.0) is FIRST
    assert ladder.due(100.0) is None
    assert ladder.seconds_left(100.0) == 2.0


def test_a_ladder_without_rungs_is_exhausted_at_once() -> None:
    ladder = StopLadder([])
    ladder.begin(5.0)
    assert ladder.is_exhausted(5.0)
    assert ladder.seconds_left(6.0) == 0.0
