"""ctrl-C and TERM: agents end, what they used is settled, and the same command again does only what is missing."""

from __future__ import annotations

import os
import shutil
import signal

import pytest

from bursar.testing.script import Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import (
    CALL_TOKENS,
    PLAN,
    SUMMARY,
    Command,
    Project,
    parallel,
    plan,
    script,
    shell,
    slug,
    task,
    trouble,
    write,
)

NAMES = ("One", "Two", "Three", "Four")


def two_at_the_gate(make_project: MakeProject, *arguments: str) -> tuple[Project, Command]:
    """One is merged; Two and Three stand at the gate in their first call; Four waits for them."""
    text = plan(task("One"), parallel_after_one("Two"), parallel_after_one("Three"), task("Four", 'depends-on="2,3"'))
    steps = {
        n: [write(f"{slug(name)}.txt", wait_for="gate" if n in (2, 3) else None)] for n, name in enumerate(NAMES, 1)
    }
    project = make_project(text, script(steps))
    run = project.start_run("--budget", "500k tokens", *arguments)
    assert all(project.server.wait_until_reached("gate") for _ in range(2))
    return project, run


def parallel_after_one(name: str) -> str:
    return task(name, 'parallel="can-parallelize" depends-on="1"')


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 5), pytest.param(signal.SIGHUP, 5, marks=pytest.mark.faults)],
)
def test_stopped_from_outside_then_again(make_project: MakeProject, number: signal.Signals, code: int) -> None:
    project, run = two_at_the_gate(make_project)
    agents = [each.pid for each in project.agents]
    assert len(agents) == 2
    run.send(number)
    ended = run.end()
    assert ended.code == code
    assert "stopping: agents get up to 5 s to end; what they used is settled\n" in ended.err
    assert not set(agents) & {each.pid for each in project.processes()}
    assert project.states == {"1": "merged", "2": "pending", "3": "pending", "4": "pending"}
    assert project.subjects == ["feat(08-02): One"]
    assert ended.metered <= project.bill <= project.charged
    assert not (project.repo / SUMMARY).exists()
    project.assert_tidy()

    project.server.open_gate("gate")
    before = project.bill
    again = project.run("--budget", "500k tokens")
    assert again.code == 0, again.err
    assert "4 tasks, 1 done before" in again.err
    assert [project.calls_of(n) for n in range(1, 5)] == [2, 3, 3, 2]
    assert project.bill == before + 3 * 2 * CALL_TOKENS
    assert again.metered <= project.bill <= project.charged
    assert sorted(project.subjects) == sorted([*(f"feat(08-02): {name}" for name in NAMES), "docs(08-02): Add summary"])
    project.assert_tidy()


def test_interrupt_between_calls_leaves_nothing_unknown(make_project: MakeProject) -> None:
    """A tool runs and no call is in flight: what was metered is the bill."""
    begun = shell('touch "$HOME/begun"; echo > "$HOME/fifo"; exec sleep 600')
    project = make_project(plan(task("One")), script({1: [begun, write("one.txt")]}))
    run = start_and_meet(project)
    run.send(signal.SIGINT)
    ended = run.end()
    assert ended.code == 130
    assert ended.metered == project.bill == project.charged == CALL_TOKENS
    project.assert_tidy()


def start_and_meet(project: Project) -> Command:
    """The run has come to the point where something writes into `$HOME/fifo`."""
    import os

    fifo = project.folder / "home" / "fifo"
    os.mkfifo(fifo)
    run = project.start_run()
    fifo.read_bytes()
    fifo.unlink()
    return run


def test_agent_that_ignores_every_signal_but_kill(make_project: MakeProject) -> None:
    steps = [trouble("ignore-int,ignore-term"), Step(text="never heard", wait_for="gate")]
    project = make_project(plan(task("One")), script({1: steps}))
    run = project.start_run()
    assert project.server.wait_until_reached("gate")
    run.send(signal.SIGINT)
    ended = run.end(timeout=20)
    assert ended.code == 130
    assert ended.metered <= project.bill <= project.charged
    project.assert_tidy()


def test_interrupt_twice_is_the_same(make_project: MakeProject) -> None:
    project, run = two_at_the_gate(make_project)
    run.send(signal.SIGINT)
    run.send(signal.SIGINT)
    ended = run.end()
    assert ended.code == 130
    assert ended.err.count("stopping:") == 1
    assert ended.metered <= project.bill <= project.charged
    project.assert_tidy()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_during_verification_keeps_the_work(make_project: MakeProject, number: signal.Signals) -> None:
    """The agent's work is done and paid for: afterwards it is only verified again."""
    check = 'echo check >> "$HOME/checks"; if [ -p "$HOME/fifo" ]; then echo > "$HOME/fifo"; exec sleep 600; fi'
    text = plan(task("One", verify="sh check.sh"), task("Two"))
    project = make_project(text, script({1: [write("one.txt")], 2: [write("two.txt")]}))
    project.commit({"check.sh": check}, "a check")
    run = start_and_meet(project)
    run.send(number)
    ended = run.end()
    assert ended.code == (130 if number is signal.SIGINT else 5)
    assert (project.bill, ended.metered) == (2 * CALL_TOKENS, 2 * CALL_TOKENS)
    assert project.states["1"] != "merged"
    project.assert_gone()
    project.assert_books()
    again = project.run()
    assert again.code == 0, again.err
    assert (project.calls_of(1), project.calls_of(2)) == (2, 2)
    assert (project.folder / "home" / "checks").read_text() == "check\ncheck\n"
    assert again.metered == project.bill
    assert project.subjects[1:] == ["feat(08-02): One", "feat(08-02): Two", "docs(08-02): Add summary"]
    project.assert_tidy()


def test_work_that_waits_for_verification_survives_a_changed_plan(make_project: MakeProject) -> None:
    """Interrupted while its work was verified, then the plan's text of the task changes: that work counts no more."""
    check = 'if [ -p "$HOME/fifo" ]; then echo > "$HOME/fifo"; exec sleep 600; fi'
    project = make_project(plan(task("One", verify="sh check.sh")), script({1: [write("one.txt")]}))
    project.commit({"check.sh": check}, "a check")
    run = start_and_meet(project)
    run.send(signal.SIGINT)
    assert run.end().code == 130
    project.commit({PLAN: plan(task("One", verify="sh check.sh", files="two.txt"))}, "two, not one")
    project.server.script = script({1: [write("two.txt")]})
    again = project.run()
    assert again.code == 0, again.err
    assert project.calls_of(1) == 4
    assert (project.repo / "two.txt").exists()
    assert not (project.repo / "one.txt").exists()
    assert again.metered == project.bill
    project.assert_tidy()


def test_no_agent_is_started_after_the_interrupt(make_project: MakeProject) -> None:
    """Two slots for four tasks: those that had no slot yet are never started."""
    steps = {n: [write(f"{slug(name)}.txt", wait_for="gate")] for n, name in enumerate(NAMES, 1)}
    project = make_project(plan(*map(parallel, NAMES)), script(steps))
    run = project.start_run("--max-parallel", "2")
    assert all(project.server.wait_until_reached("gate") for _ in range(2))
    run.send(signal.SIGINT)
    assert run.end().code == 130
    assert len(project.calls) == 2
    assert list(project.states.values()) == ["pending"] * 4
    project.assert_tidy()


SLOW_GIT = """\
#!/bin/sh
case " $* " in *" read-tree -u --reset "*) echo > "$HOME/asked"; read -r _ < "$HOME/answer";; esac
exec {git} "$@"
"""


def test_no_agent_is_started_for_an_attempt_whose_worktree_was_being_made(make_project: MakeProject) -> None:
    """It was, nobody told it to stop, and a second ctrl-C changed nothing: it worked on to its end."""
    project = make_project(plan(task("One")), script({1: [write("one.txt", wait_for="gate")]}))
    programs, home = project.folder / "bin", project.folder / "home"
    programs.mkdir()
    (programs / "git").write_text(SLOW_GIT.format(git=shutil.which("git")))
    (programs / "git").chmod(0o755)
    os.mkfifo(home / "asked")
    os.mkfifo(home / "answer")
    project.more["PATH"] = f"{programs}:{os.environ['PATH']}"
    run = project.start_run()
    (home / "asked").read_bytes()
    run.send(signal.SIGINT)
    run.wait_until_said("stopping: ")
    (home / "answer").write_bytes(b"\n")
    ended = run.end()
    assert ended.code == 130
    assert "interrupted: it was stopped before it was started" in ended.err
    assert (len(project.calls), project.charged) == (0, 0)
    del project.more["PATH"]
    project.assert_tidy()
