"""Two tasks and one file: a conflict that nobody declared, and one that the plan names."""

from __future__ import annotations

import os
import signal

from tests.integration.conftest import MakeProject
from tests.integration.kit import parallel, plan, script, settings, shell, task, write


def test_undeclared_conflict_fails_the_second(make_project: MakeProject) -> None:
    text = plan(parallel("One"), parallel("Two"), task("Three", 'depends-on="1,2"'))
    steps = {n: [write("shared.txt", f"by {n}\n", wait_for="both")] for n in (1, 2)}
    project = make_project(text, script(steps), settings(run="fresh_attempts = 0\n"))
    run = project.start_run()
    assert all(project.server.wait_until_reached("both") for _ in range(2))
    project.server.open_gate("both")
    ended = run.end()
    assert ended.code == 1
    states = project.states
    (merged,) = [number for number in ("1", "2") if states[number] == "merged"]
    (failed,) = {"1", "2"} - {merged}
    assert (states[failed], states["3"]) == ("failed", "skipped")
    branch = f"bursar/{project.report['run']}/{failed}/1"
    assert project.note(failed) == f"merge conflict in shared.txt; its work is on branch {branch}"
    assert project.git("show", f"{branch}:shared.txt") == f"by {failed}"
    assert (project.repo / "shared.txt").read_text() == f"by {merged}\n"
    assert ended.metered == project.bill
    project.assert_tidy()

    project.server.script = script({int(failed): [shell("echo more >> shared.txt")], 3: [write("three.txt")]})
    again = project.run()
    assert again.code == 0, again.err
    assert (project.repo / "shared.txt").read_text() == f"by {merged}\nmore\n"
    assert project.calls_of(int(merged)) == 2
    project.assert_tidy()


def test_declared_conflict_is_never_at_once(make_project: MakeProject) -> None:
    """Both write one file, and neither waits for the other by name: the second starts from the first one's work."""
    text = plan(parallel("One", files="shared.txt"), parallel("Two", files="./shared.txt"), parallel("Three"))
    steps = {
        1: [shell("echo 1 >> shared.txt", wait_for="g1")],
        2: [shell("echo 2 >> shared.txt", wait_for="g2")],
        3: [write("three.txt", wait_for="g3")],
    }
    project = make_project(text, script(steps))
    run = project.start_run()
    assert project.server.wait_until_reached("g1")
    assert project.server.wait_until_reached("g3")
    project.server.open_gate("g3")
    project.server.open_gate("g1")
    assert project.server.wait_until_reached("g2")
    assert {each.attempt.split("/")[1] for each in project.agents} == {"2"}
    project.server.open_gate("g2")
    ended = run.end()
    assert ended.code == 0, ended.err
    lines = ended.err.splitlines()
    assert [line[:6] for line in lines if " 1  One" in line or " 2  Two" in line] == [
        "  ▸ 1 ",
        "  ✓ 1 ",
        "  ▸ 2 ",
        "  ✓ 2 ",
    ]
    assert (project.repo / "shared.txt").read_text() == "1\n2\n"
    project.assert_tidy()


def test_different_parts_of_one_file_merge(make_project: MakeProject) -> None:
    text = plan(parallel("One"), parallel("Two"))
    steps = {
        1: [shell("sed -i '1s/.*/first/' long.txt", wait_for="both")],
        2: [shell("sed -i '$s/.*/last/' long.txt", wait_for="both")],
    }
    project = make_project(text, script(steps))
    project.commit({"long.txt": "".join(f"line {n}\n" for n in range(40))}, "a long file")
    run = project.start_run()
    assert all(project.server.wait_until_reached("both") for _ in range(2))
    project.server.open_gate("both")
    assert run.end().code == 0
    lines = (project.repo / "long.txt").read_text().splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("first", "last", 40)
    project.assert_tidy()


def test_what_a_fresh_attempt_is_owed_survives(make_project: MakeProject) -> None:
    """Asked to pause while both worked, then killed with all that ran: a later conductor still tells both diffs."""
    text = plan(parallel("One"), parallel("Two"))
    steps = {n: [write("shared.txt", f"by {n}\n", wait_for="both")] for n in (1, 2)}
    project = make_project(text, script(steps))
    run = project.start_run()
    assert all(project.server.wait_until_reached("both") for _ in range(2))
    assert project.bursar("pause").code == 0
    project.server.open_gate("both")
    assert run.end().code == 5
    (number,) = [number for number, state in project.states.items() if state != "merged"]
    merged = "21"[int(number) - 1]

    def assert_owed(attempt: int) -> None:
        (path,) = project.state.glob(f"runs/*/attempts/{number}-{attempt}/prompt.md")
        prompt = path.read_text()
        assert "has done this task before you, from an earlier state of the repository" in prompt
        assert "merge conflict in shared.txt" in prompt
        assert f"+by {merged}" in prompt.partition("What was merged meanwhile")[2].partition("What the attempt")[0]
        assert f"+by {number}" in prompt.partition("What the attempt before you had changed")[2]

    begun = [shell("echo begun > begun.txt"), shell("true", wait_for="begun")]
    project.server.script = script({int(number): begun})
    second = project.start("resume", "--trust")
    assert project.server.wait_until_reached("begun")
    assert_owed(2)
    second.kill()
    for each in project.processes():
        os.kill(each.pid, signal.SIGKILL)
    project.assert_gone()
    project.server.script = script({int(number): [shell("echo more >> shared.txt")]})
    assert project.bursar("resume", "--trust").code == 0
    assert_owed(3)
    assert (project.repo / "shared.txt").read_text() == f"by {merged}\nmore\n"
    assert (project.repo / "begun.txt").read_text() == "begun\n", "what the killed one had begun is there, too"
    project.assert_tidy()


def test_how_often_a_task_was_refused_survives(make_project: MakeProject) -> None:
    """The fresh attempt was made before the pause: the next one that cannot be merged is a person's."""
    text = plan(parallel("One"), parallel("Two"), parallel("Three", files=""))
    steps = {n: [write("shared.txt", f"by {n}\n", wait_for="all")] for n in (1, 2)}
    project = make_project(text, script(steps), settings(run="fresh_attempts = 1\n"))
    run = project.start_run("--max-parallel", "2")
    assert all(project.server.wait_until_reached("all") for _ in range(2))
    assert project.bursar("pause").code == 0
    project.server.open_gate("all")
    assert run.end().code == 5
    (number,) = [number for number, state in project.states.items() if state != "merged" and number != "3"]
    conflicting = [write("shared.txt", f"again {number}\n", wait_for="again")]
    moving = [write("shared.txt", "by 3\n", wait_for="first")]
    project.server.script = script({int(number): conflicting, 3: moving})
    again = project.start("resume", "--trust")
    assert project.server.wait_until_reached("again")
    assert project.server.wait_until_reached("first")
    project.server.open_gate("first")
    again.wait_until_said("✓ 3 ")
    project.server.open_gate("again")
    ended = again.end()
    assert (ended.code, project.states[number]) == (5, "waiting"), ended.err
    assert project.note(number).startswith("a person must merge it: merge conflict in shared.txt")
