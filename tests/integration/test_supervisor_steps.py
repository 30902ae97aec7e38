"""An attempt of two processes: what comes before the agent's work runs on the same hold, and may stand in its way."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bursar.ledger import Reservation
from bursar.supervision import Ending, Outcome
from tests.integration.supervised import AGENT, Bench, open_bench

WORK = ("init", "call", "m1", "100", "20", "result")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_bench(tmp_path) as made:
        yield made


def argv(before: Sequence[str], work: Sequence[str]) -> list[str]:
    """A program that does the one where it is told `/compact`, and else the other."""
    agent = [sys.executable, "-I", "-S", str(AGENT)]
    first, then = shlex.join([*agent, *before]), shlex.join([*agent, *work])
    return ["/bin/sh", "-c", f'if [ "$(cat)" = /compact ]; then exec {first}; fi; exec {then}']


def run(bench: Bench, before: Sequence[str], work: Sequence[str] = WORK, **changes: Any) -> tuple[Outcome, Reservation]:
    return bench.run(argv=argv(before, work), before=[b"/compact"], **changes)


def test_both_are_metered_on_one_hold(bench: Bench) -> None:
    outcome, reservation = run(bench, ("init", "call", "m1", "1000", "50", "result"))
    assert (outcome.ending, outcome.exit_code, outcome.is_error, outcome.message) == (Ending.EXITED, 0, False, "done")
    assert (outcome.metered_tokens, outcome.calls, outcome.unknown_tokens) == (1050 + 120, 2, 0)
    assert reservation.known.tokens == 1170


def test_what_fails_before_the_work_keeps_it_from_starting(bench: Bench) -> None:
    outcome, reservation = run(bench, ("init", "call", "m1", "1000", "50", "error", "no history", "exit", "1"))
    assert (outcome.is_error, outcome.message, outcome.calls) == (True, "before its work: no history", 1)
    assert reservation.known.tokens == 1050


def test_one_that_ends_without_a_word_is_charged_the_hold_and_nothing_follows(bench: Bench) -> None:
    outcome, reservation = run(bench, ("say", "hello", "exit", "3"), tokens=5000)
    assert (outcome.is_error, outcome.message) == (True, "before its work: exit code 3")
    assert reservation.unknown.tokens == 5000


def test_a_limit_that_is_reached_before_the_work_keeps_it_from_starting(bench: Bench) -> None:
    bench.reserve("r/1/1", 1000, limit=1000)
    spec = bench.spec(
        argv=argv(("init", "call", "m1", "1000", "50", "result"), WORK), before=[b"/compact"], units=["tokens"]
    )
    outcome, reservation = bench.finish(bench.start(spec))
    assert (outcome.ending, outcome.calls) == (Ending.LIMIT, 1)
    assert "reached its limit of 1,000 tokens" in outcome.limit
    assert reservation.known.tokens == 1050


def test_a_stop_before_the_work_is_one_of_the_whole_attempt(bench: Bench) -> None:
    bench.reserve("r/1/1", 5000)
    spec = bench.spec(argv=argv(("init", "call", "m1", "10", "5", "tell", "up", "wait"), WORK), before=[b"/compact"])
    attempt = bench.start(spec)
    assert bench.hear() == "up"
    attempt.signal(signal.SIGTERM)
    outcome, _ = bench.finish(attempt)
    assert (outcome.ending, outcome.calls) == (Ending.INTERRUPTED, 1)


def test_work_that_is_cut_off_before_its_first_word_is_charged_what_is_left(bench: Bench) -> None:
    outcome, reservation = run(bench, ("init", "call", "m1", "1000", "50", "result"), ("exit", "0"), tokens=5000)
    assert outcome.calls == 1
    assert (reservation.known.tokens, reservation.unknown.tokens) == (1050, 3950)
