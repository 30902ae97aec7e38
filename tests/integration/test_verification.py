"""Verify commands as real processes: judged by their exit codes, bounded in time, gone afterwards."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bursar.clock import SystemClock
from bursar.verification import Verdict, Verification

PATIENCE = 30.0


@pytest.fixture
def verification(tmp_path: Path) -> Callable[..., Verification]:
    def make(*commands: str, limit_seconds: float = PATIENCE, worktree: Path = tmp_path) -> Verification:
        environment = {"PATH": os.environ["PATH"], "GIVEN": "yes"}
        return Verification(
            commands, worktree, environment=environment, limit_seconds=limit_seconds, clock=SystemClock()
        )

    return make


Make = Callable[..., Verification]


def codes(verdict: Verdict) -> list[int | None]:
    return [result.exit_code for result in verdict.results]


def test_without_commands_everything_passes(verification: Make) -> None:
    verdict = verification().run()
    assert (verdict.passed, verdict.reason, verdict.results) == (True, "", ())


def test_every_command_must_pass(verification: Make) -> None:
    verdict = verification("true", "test -z ''", "exit 0").run()
    assert (verdict.passed, codes(verdict)) == (True, [0, 0, 0])


@pytest.mark.parametrize(
    ("command", "code"), [("exit 3", 3), ("false", 1), ("no-such-program-at-all", 127), ("kill -9 $$", -9), ("(", 2)]
)
def test_the_first_failure_ends_it(verification: Make, tmp_path: Path, command: str, code: int) -> None:
    verdict = verification("true", command, f"touch {tmp_path}/after").run()
    assert (verdict.passed, codes(verdict)) == (False, [0, code])
    assert verdict.reason == f"verify command failed (exit code {code}): {command}"
    assert not (tmp_path / "after").exists()


def test_a_pipe_fails_with_its_first_part(verification: Make) -> None:
    assert codes(verification("false | cat").run()) == [1]


def test_a_reader_that_has_heard_enough_is_no_failure(verification: Make) -> None:
    assert verification("yes | head -n 1").run().passed


def test_a_command_runs_in_the_worktree_with_the_given_environment_alone(verification: Make, tmp_path: Path) -> None:
    assert verification(f'test "$PWD" = {tmp_path} && test "$GIVEN" = yes && test -z "$HOME"').run().passed


def test_nothing_can_be_read_from_standard_input(verification: Make) -> None:
    assert verification("! read line").run().passed


def test_output_is_kept_to_its_tail_whatever_it_is(verification: Make) -> None:
    verdict = verification(
        "head -c 1000000 /dev/zero | tr '\\0' x; printf 'last \\377 words'; echo err >&2; exit 1"
    ).run()
    tail = verdict.results[0].output_tail
    assert len(tail) <= 4000
    assert tail.endswith("last \ufffd wordserr\n")


def test_a_command_that_takes_too_long_is_killed(verification: Make) -> None:
    verdict = verification("sleep 600", limit_seconds=0.2).run()
    assert codes(verdict) == [None]
    assert verdict.reason == "verify command failed (took too long): sleep 600"


def listen(path: Path) -> int:
    os.mkfifo(path)
    return os.open(path, os.O_RDWR)


def hear_pid(fifo: int) -> int:
    """A pidfd of the process whose number is said."""
    assert select.select([fifo], [], [], PATIENCE)[0]
    return os.pidfd_open(int(os.read(fifo, 100)))


@pytest.mark.parametrize("end", ["exit 0", "exit 1", "sleep 600"])
def test_a_background_child_is_gone_afterwards(verification: Make, tmp_path: Path, end: str) -> None:
    """Also one that holds on to the command's output; without a word on how the command itself ended."""
    fifo, heard = listen(tmp_path / "fifo"), listen(tmp_path / "heard")
    command = f"sleep 600 & echo $! > {tmp_path}/fifo; read go < {tmp_path}/heard; {end}"
    judged: list[Verdict] = []
    running = verification(command)
    thread = threading.Thread(target=lambda: judged.append(running.run()))
    thread.start()
    child = hear_pid(fifo)
    os.write(heard, b"go\n")
    if end == "sleep 600":
        running.stop()
    thread.join(PATIENCE)
    assert len(judged) == 1
    assert select.select([child], [], [], PATIENCE)[0]
    for descriptor in (child, fifo, heard):
        os.close(descriptor)


def test_stopping_from_another_thread_kills_the_command_and_starts_no_other(verification: Make, tmp_path: Path) -> None:
    fifo = listen(tmp_path / "fifo")
    running = verification(f"echo $$ > {tmp_path}/fifo; sleep 600", f"touch {tmp_path}/after")
    judged: list[Verdict] = []
    thread = threading.Thread(target=lambda: judged.append(running.run()))
    thread.start()
    child = hear_pid(fifo)
    running.stop()
    thread.join(PATIENCE)
    assert running.is_stopped
    assert codes(judged[0]) == [-9]
    assert not (tmp_path / "after").exists()
    os.close(child)
    os.close(fifo)


def test_what_was_stopped_before_it_began_runs_nothing(verification: Make, tmp_path: Path) -> None:
    stopped = verification(f"touch {tmp_path}/begun")
    stopped.stop()
    assert stopped.run() == Verdict(())
    assert not (tmp_path / "begun").exists()
    stopped.stop()


@pytest.mark.parametrize("kind", ["no worktree", "too long"])
def test_a_command_that_cannot_be_started_fails(verification: Make, tmp_path: Path, kind: str) -> None:
    worktree = tmp_path / "missing" if kind == "no worktree" else tmp_path
    verdict = verification("true " + "x" * (3_000_000 if kind == "too long" else 1), worktree=worktree).run()
    assert codes(verdict) == [126]
    assert "could not be started" in verdict.results[0].output_tail
