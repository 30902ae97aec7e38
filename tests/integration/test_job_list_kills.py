"""Job lists that are killed, interrupted or called off: nothing is lost and nothing is paid twice."""

from __future__ import annotations

import os
import signal
from datetime import datetime, timedelta
from pathlib import Path

from bursar.testing.script import Script, Step
from tests.faults.job_kills import kill_until
from tests.integration.jobs_kit import MakeJobs, answers, job_list, numbered
from tests.integration.kit import CALL_TOKENS, write

SEED = int(os.environ.get("BURSAR_SEED", "20260301"))


def says() -> Script:
    """One instance that is done at once."""
    return answers(1, lambda at: [Step(text="done")])


def test_killed_conductor(make_jobs: MakeJobs) -> None:
    """kill −9 while three agents work: they go on, the next conductor takes what they did; nothing is paid twice."""
    jobs = make_jobs(numbered(3), answers(3, lambda at: [write(f"{at}.txt", wait_for=f"g{at}")]))
    run = jobs.start_jobs("--overall-token-budget", "200k", "--max-parallel", "2")
    assert jobs.server.wait_until_reached("g1")
    assert jobs.server.wait_until_reached("g2")
    run.kill()
    jobs.server.open_gate("g3")
    again = jobs.start_jobs("--max-parallel", "2")
    again.wait_until_said("goes on by itself")
    for gate in ("g1", "g2"):
        jobs.server.open_gate(gate)
    ended = again.end()
    assert ended.code == 0, ended.err
    assert ended.metered == jobs.bill == 6 * CALL_TOKENS
    assert [(jobs.repo / f"{at}.txt").exists() for at in (1, 2, 3)] == [True] * 3
    jobs.assert_books()
    jobs.assert_gone()


def test_killed_with_its_supervisors(make_jobs: MakeJobs) -> None:
    """Everything of a run is killed: what was held is charged, and `bursar resume` does the instance again."""
    jobs = make_jobs(numbered(1), answers(1, lambda at: [write("1.txt", wait_for="gate")]))
    run = jobs.start_jobs("--budget", "200k tokens")
    assert jobs.server.wait_until_reached("gate")
    run.kill()
    for each in [*jobs.supervisors, jobs.spawner]:
        os.kill(each.pid, signal.SIGKILL)
    jobs.assert_gone()
    jobs.server.open_gate("gate")
    ended = jobs.bursar("resume", "--trust")
    assert ended.code == 0, ended.err
    assert ended.metered <= jobs.bill <= jobs.charged
    assert (jobs.repo / "1.txt").exists()
    jobs.assert_books()


def test_interrupted_and_resumed(make_jobs: MakeJobs) -> None:
    jobs = make_jobs(numbered(2), answers(2, lambda at: [write(f"{at}.txt", wait_for=f"g{at}")]))
    run = jobs.start_jobs()
    assert jobs.server.wait_until_reached("g1")
    assert jobs.server.wait_until_reached("g2")
    jobs.server.open_gate("g1")
    run.wait_until_said("✓ 1")
    run.send(signal.SIGINT)
    ended = run.end()
    assert ended.code == 130
    assert jobs.states == {"1": "merged", "2": "pending"}
    jobs.server.open_gate("g2")
    again = jobs.bursar("resume")
    assert again.code == 0, again.err
    assert {call.task for call in jobs.calls[3:]} == {"job-02"}
    jobs.assert_books()


def test_two_conductors_of_one_list(make_jobs: MakeJobs) -> None:
    jobs = make_jobs(numbered(1), answers(1, lambda at: [Step(text="done", wait_for="gate")]))
    run = jobs.start_jobs()
    assert jobs.server.wait_until_reached("gate")
    second = jobs.run_jobs()
    assert second.code == 2
    assert second.err == "error: this job list is being run by another process\n\nhint: bursar status\n"
    jobs.server.open_gate("gate")
    assert run.end().code == 0


def test_ctrl_c_while_a_pre_command_runs(make_jobs: MakeJobs) -> None:
    text = job_list({"name": "a", "prompt": "job-01", "pre_commands": ["touch begun; exec sleep 600"]})
    jobs = make_jobs(text, says())
    run = jobs.start_jobs("--budget", "100k tokens")
    run.wait_until_said("▸ 1")
    run.send(signal.SIGINT)
    assert run.end().code == 130
    assert jobs.states == {"1": "pending"}
    assert jobs.charged == jobs.bill == 0
    jobs.assert_gone()
    jobs.assert_books()


def test_killed_while_a_pre_command_runs(make_jobs: MakeJobs) -> None:
    """The command that was left is ended by the next conductor, before it runs it again."""
    fifo = "mkfifo told 2>/dev/null; echo x > told; exec sleep 600"
    jobs = make_jobs(job_list({"name": "a", "prompt": "job-01", "pre_commands": [fifo]}), says())
    os.mkfifo(jobs.repo / "told")
    run = jobs.start_jobs("--budget", "100k tokens")
    assert (jobs.repo / "told").read_text() == "x\n"
    run.kill()
    (left,) = [each.pid for each in jobs.agents]
    again = jobs.start_jobs()
    assert (jobs.repo / "told").read_text() == "x\n"
    assert left not in [each.pid for each in jobs.agents]
    again.send(signal.SIGINT)
    assert again.end().code == 130
    jobs.assert_gone()
    jobs.assert_books()


def test_startup_delay_and_interrupt(make_jobs: MakeJobs) -> None:
    """With a long pause between two starts the second never comes before ctrl-C, which need not wait for it."""
    jobs = make_jobs(numbered(2), answers(2, lambda at: [Step(text="done")]))
    run = jobs.start_jobs("--startup-delay", "3600")
    run.wait_until_said("✓ 1")
    run.send(signal.SIGINT)
    assert run.end().code == 130
    assert jobs.states == {"1": "merged", "2": "pending"}


def test_start_at_can_be_called_off(make_jobs: MakeJobs) -> None:
    jobs = make_jobs(numbered(1), says())
    run = jobs.start_jobs("--start-at", "2099-01-01 00:00")
    assert run.end().code == 2
    wait = jobs.start_jobs("--start-at", _in_an_hour())
    wait.wait_until_said("ctrl-C calls it off")
    wait.send(signal.SIGINT)
    assert wait.end().code == 130
    assert jobs.calls == ()
    assert jobs.bursar("status").out == ""


def _in_an_hour() -> str:
    return f"{datetime.now() + timedelta(hours=1):%H:%M}"


def test_a_kill_loses_and_invents_nothing(tmp_path: Path) -> None:
    """At any moment; sixty of them are in tests/faults."""
    print(f"seed {SEED}")
    kill_until(tmp_path, 1, SEED)
