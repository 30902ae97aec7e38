"""`bursar pause`, `stop` and `cancel`: what runs, what is kept, what can go on; also where nobody conducts."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import sys

from bursar.testing.script import Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import (
    ARGV,
    CALL_TOKENS,
    PLAN,
    Command,
    Project,
    parallel,
    plan,
    script,
    settings,
    task,
    write,
)

BEGUN = [write("one.txt", "begun\n"), Step(text="Going on.", wait_for="gate"), write("one.txt", "done\n")]


def at_the_gate(make_project: MakeProject, *arguments: str) -> tuple[Project, Command, str]:
    """One has written a file and stands at the gate in its second call; Two waits for it."""
    project = make_project(plan(task("One"), task("Two")), script({1: BEGUN[:2], 2: [write("two.txt")]}))
    run = project.start_run("--budget", "500k tokens", *arguments)
    assert project.server.wait_until_reached("gate")
    found = re.search(r"run (\w+) ·", run.err.read_text())
    assert found
    return project, run, found[1]


def test_pause_lets_what_runs_finish(make_project: MakeProject) -> None:
    project, run, run_id = at_the_gate(make_project)
    said = project.bursar("pause", run_id)
    assert (said.code, said.err) == (0, f"run {run_id} starts nothing new; go on with: bursar resume {run_id}\n")
    run.wait_until_said("nothing new starts; 1 attempt may finish")
    project.server.open_gate("gate")
    ended = run.end()
    assert ended.code == 5, ended.err
    assert project.states == {"1": "merged", "2": "pending"}
    assert project.calls_of(2) == 0
    project.assert_tidy()
    assert project.bursar("resume", run_id, "--trust").code == 0
    assert project.states == {"1": "merged", "2": "merged"}
    assert project.bill == project.charged


def test_stop_keeps_what_was_begun_on_a_branch(make_project: MakeProject) -> None:
    project, run, run_id = at_the_gate(make_project)
    said = project.bursar("stop", run_id)
    assert said.code == 0
    assert said.err.endswith(f"go on with: bursar resume {run_id}\n")
    assert f"its work is on branch bursar/{run_id}/1/1\n" in said.err
    ended = run.end()
    assert ended.code == 5, ended.err
    assert project.git("show", f"bursar/{run_id}/1/1:one.txt") == "begun"
    assert ended.metered <= project.bill <= project.charged
    project.assert_tidy()


def test_cancel_is_for_good(make_project: MakeProject) -> None:
    project, run, run_id = at_the_gate(make_project)
    said = project.bursar("cancel", run_id)
    assert said.code == 0
    assert said.err.startswith(f"run {run_id} is cancelled\n")
    ended = run.end()
    assert ended.code == 1
    assert "08-02 cancelled" in ended.out
    assert "go on with" not in ended.err
    assert project.git("show", f"bursar/{run_id}/1/1:one.txt") == "begun"
    project.assert_tidy()
    refused = project.bursar("resume", run_id, "--trust")
    assert refused.code == 2
    assert re.match(rf"error: run {run_id} was cancelled by \S+ at \S+Z, and that is for good\n", refused.err)
    assert f"bursar run {project.repo / PLAN}" in refused.err
    assert " cancelled " in project.bursar("status").out
    assert project.bursar("cancel", run_id).err == f"run {run_id} is cancelled already\n"
    assert project.bursar("pause", run_id).code == 2
    project.server.open_gate("gate")
    again = project.run()
    assert again.code == 0, again.err
    assert project.report["run"] != run_id


def test_cancel_while_work_is_verified_keeps_it(make_project: MakeProject) -> None:
    """A resume would verify it; as there will be none, it is put on a branch."""
    text = plan(task("One", verify="sh check.sh"))
    project = make_project(text, script({1: [write("one.txt")]}))
    project.commit({"check.sh": 'echo > "$HOME/begun"; exec sleep 600'}, "a check")
    fifo = project.folder / "home" / "begun"
    os.mkfifo(fifo)
    run = project.start_run()
    fifo.read_bytes()
    assert project.bursar("cancel").code == 0
    ended = run.end()
    run_id = project.report["run"]
    assert ended.code == 1
    assert "cancelled before it was verified" in project.note("1")
    assert project.git("show", f"bursar/{run_id}/1/1:one.txt") == "done"
    assert ended.metered == project.bill
    project.assert_tidy()


def test_agents_that_were_left_alone_are_ended_too(make_project: MakeProject) -> None:
    """The conductor was killed, its supervisor goes on: stop and cancel end it, and start nothing."""
    project, run, run_id = at_the_gate(make_project)
    run.kill()
    assert len(project.agents) == 1
    assert project.bursar("pause", run_id).err.startswith(f"nobody conducts run {run_id}, so nothing new starts")
    assert len(project.agents) == 1
    assert project.report["state"] == "interrupted"
    said = project.bursar("stop", run_id)
    assert said.code == 0, said.err
    assert said.err.count(f"go on with: bursar resume {run_id}\n") == 1
    assert project.agents == []
    assert project.states == {"1": "pending", "2": "pending"}
    assert project.git("show", f"bursar/{run_id}/1/1:one.txt") == "begun"
    assert len(project.calls) == 2
    assert project.bursar("cancel", run_id).err.startswith(f"run {run_id} is cancelled\n")
    project.assert_tidy()
    assert project.bill <= project.charged


def test_agents_that_were_left_alone_end_also_where_the_run_cannot_be_taken_up(make_project: MakeProject) -> None:
    """The user has changed something meanwhile. What was begun is not lost: a resume finds it."""
    project, run, run_id = at_the_gate(make_project)
    run.kill()
    (project.repo / "README.md").write_text("# changed\n")
    said = project.bursar("stop")
    assert project.agents == []
    assert said.code == 2
    assert said.err.startswith(f"no agent of run {run_id} works any more, and what was used is settled; ")
    assert "error: the checkout has changes that are not committed" in said.err
    project.assert_gone()
    project.assert_books()
    project.git("checkout", "--", "README.md")
    project.server.open_gate("gate")
    again = project.bursar("resume", run_id, "--trust")
    assert again.code == 0, again.err
    assert project.subjects == ["feat(08-02): One", "feat(08-02): Two", "docs(08-02): Add summary"]
    assert project.git("show", f"bursar/{run_id}/1/1:one.txt") == "begun"
    assert again.metered <= project.bill <= project.charged
    project.assert_tidy()


def test_a_stop_whose_conductor_dies_over_it_ends_the_agents_itself(make_project: MakeProject) -> None:
    """Nobody but the one who was asked can say that it has ended."""
    project, run, run_id = at_the_gate(make_project)
    run.send(signal.SIGSTOP)
    stop = project.start("stop", run_id)
    stop.wait_until_said("end them at once with")
    run.kill()
    said = stop.end()
    assert said.code == 0, said.err
    assert project.agents == []
    assert project.git("show", f"bursar/{run_id}/1/1:one.txt") == "begun"
    assert said.err.endswith(f"go on with: bursar resume {run_id}\n")
    project.assert_tidy()


def test_agents_end_though_somebody_has_the_lock_and_conducts_nothing(make_project: MakeProject) -> None:
    """As a resume that is to start later: it has no agents to end."""
    project, run, run_id = at_the_gate(make_project)
    run.kill()
    (lock,) = project.state.glob("locks/*.lock")
    with lock.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        said = project.bursar("stop")
        assert project.agents == []
        assert (said.code, "this plan is being run by another process" in said.err) == (2, True)
    assert project.bursar("stop").code == 0
    assert project.git("show", f"bursar/{run_id}/1/1:one.txt") == "begun"
    project.assert_tidy()


def test_a_request_is_for_the_conductor_that_was_there(make_project: MakeProject) -> None:
    """One that died before it took it up does not stop its successor."""
    project, run, run_id = at_the_gate(make_project)
    run.send(signal.SIGSTOP)
    assert project.bursar("pause", run_id).code == 0
    run.kill()
    project.server.open_gate("gate")
    again = project.bursar("resume", run_id, "--trust")
    assert again.code == 0, again.err
    assert project.bill == 4 * CALL_TOKENS


def test_of_a_run_that_is_done_nothing_is_left_to_ask(make_project: MakeProject) -> None:
    project = make_project(plan(parallel("One")), script({1: [write("one.txt")]}))
    assert project.run().code == 0
    run_id = project.report["run"]
    for word in ("pause", "stop", "cancel"):
        said = project.bursar(word)
        assert (said.code, said.err) == (
            2,
            f"error: run {run_id} is done, there is nothing to {word}\n\nhint: bursar report {run_id}\n",
        )
    assert project.bursar("stop", "nosuchrn").err == "error: there is no run `nosuchrn`\n\nhint: bursar status --all\n"


TOGETHER = 'test ! -e one.txt || test ! -e two.txt || { echo > "$HOME/begun"; exec sleep 600; }'


def while_merged_work_is_verified(make_project: MakeProject) -> tuple[Project, Command]:
    """One is merged; Two is done and verified, and a command that is verifying both together never ends."""
    tasks = [parallel(name, verify="sh check.sh") for name in ("One", "Two")]
    project = make_project(plan(*tasks), script({1: [write("one.txt")], 2: [write("two.txt", wait_for="gate")]}))
    project.commit({"check.sh": TOGETHER}, "a check")
    fifo = project.folder / "home" / "begun"
    os.mkfifo(fifo)
    run = project.start_run()
    run.wait_until_said("✓ 1  One")
    project.server.open_gate("gate")
    fifo.read_bytes()
    return project, run


def test_cancel_while_merged_work_is_verified_keeps_it_too(make_project: MakeProject) -> None:
    project, run = while_merged_work_is_verified(make_project)
    said = project.bursar("cancel")
    assert said.code == 0
    assert run.end().code == 1
    run_id = project.report["run"]
    assert project.note("2") == f"cancelled before it was verified; its work is on branch bursar/{run_id}/2/1"
    assert project.git("show", f"bursar/{run_id}/2/1:two.txt") == "done"
    project.assert_tidy()


def test_cancel_after_a_stop_that_has_left_work_to_be_verified(make_project: MakeProject) -> None:
    """The agent that was asked to wrap up still has its time; what a resume would have verified is kept on a branch."""
    program = ["-c", 'import os, sys; os.environ["MAILBOX"] = sys.argv[1]; os.execv(sys.executable, sys.argv[2:])']
    argv = [sys.executable, *program, "{mailbox}", sys.executable, *ARGV[1:]]
    steps = {1: [write("one.txt")], 2: [Step(text="Never heard.", wait_for="gate")]}
    tasks = [parallel("One", verify="sh check.sh"), parallel("Two")]
    project = make_project(plan(*tasks), script(steps), settings(argv=argv))
    project.commit({"check.sh": 'echo > "$HOME/begun"; exec sleep 600'}, "a check")
    fifo = project.folder / "home" / "begun"
    os.mkfifo(fifo)
    run = project.start_run()
    fifo.read_bytes()
    assert project.server.wait_until_reached("gate")
    stop = project.start("stop", "--grace", "600")
    run.wait_until_said("stopped before it was verified; a resume goes on from here")
    assert project.bursar("cancel").code == 0
    assert stop.end().code == 0
    ended = run.end()
    assert ended.code == 1
    run_id = project.report["run"]
    assert project.note("1") == f"cancelled before it was verified; its work is on branch bursar/{run_id}/1/1"
    assert project.git("show", f"bursar/{run_id}/1/1:one.txt") == "done"
    project.assert_tidy()
