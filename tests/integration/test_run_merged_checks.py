"""Work that passes where it was done and not beside what was merged meanwhile; and what comes after."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from pathlib import Path

from bursar.testing.script import Script, Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import Command, Project, parallel, plan, script, settings, shell, task, write

CHECK = "test ! -e a.txt || test ! -e b.txt || grep -q both a.txt"


def pair(first: str, second: str, *, more: str = "") -> str:
    """Two tasks that run side by side, each with its verify command."""
    return plan(parallel("A", files="a.txt", verify=first), parallel("B", files="b.txt", verify=second)) + more


def start_side_by_side(project: Project) -> Command:
    """Both begin from the same commit; task 1 is merged, and task 2 waits at its gate."""
    run = project.start_run()
    assert project.server.wait_until_reached("first")
    assert project.server.wait_until_reached("second")
    project.server.open_gate("first")
    run.wait_until_said("✓ 1")
    return run


def side_by_side(project: Project) -> tuple[int, str]:
    """Task 1 is merged before task 2 has ended; the exit code, and what was said."""
    run = start_side_by_side(project)
    project.server.open_gate("second")
    ended = run.end()
    return ended.code, ended.err


def steps(second: list[Step] | None = None) -> Script:
    return script({1: [write("a.txt", wait_for="first")], 2: second or [write("b.txt", wait_for="second")]})


def test_work_that_breaks_what_was_merged_is_done_afresh(make_project: MakeProject) -> None:
    """B breaks A's check; the fresh attempt is told so, sees A's file, and changes it so that both pass."""
    project = make_project(pair(CHECK, "test -e b.txt"), steps())
    run = start_side_by_side(project)
    project.server.script = script({2: [shell("echo both > a.txt; echo b > b.txt")]})
    project.server.open_gate("second")
    ended = run.end()
    assert ended.code == 0, ended.err
    assert "starts afresh from what is merged now" in ended.err
    assert project.states == {"1": "merged", "2": "merged"}
    assert (project.repo / "a.txt").read_text() == "both\n"
    told = "".join(json.dumps(body) for body in project.server.request_bodies[-2:])
    assert "verify command of task 1 failed (exit code 1)" in told
    assert "+++ b/a.txt" in told, "what was merged meanwhile"
    assert "+++ b/b.txt" in told, "what the attempt before had changed"
    assert project.subjects == ["feat(08-02): A", "feat(08-02): B", "docs(08-02): Add summary"]
    assert ended.metered == project.bill
    branch = f"bursar/{project.report['run']}/2/1"
    assert project.git("show", f"{branch}:b.txt") == "done"
    assert project.git("diff", "--name-only", f"{branch}~1", branch) == "b.txt"
    project.assert_tidy()


def test_a_person_is_asked_when_the_fresh_attempt_fails_too(make_project: MakeProject) -> None:
    text = plan(
        parallel("A", files="a.txt", verify=CHECK), parallel("B", files="b.txt", verify="test -e b.txt"),
        task("C", 'depends-on="2"', files="c.txt"),
    )  # fmt: skip
    project = make_project(text, steps())
    run = start_side_by_side(project)
    project.server.script = script({2: [write("b.txt")], 3: [write("c.txt")]})  # A's check fails again
    project.server.open_gate("second")
    ended = run.end()
    assert ended.code == 5, ended.err
    run_id = project.report["run"]
    assert project.states == {"1": "merged", "2": "waiting", "3": "pending"}
    note = project.note("2")
    assert note.endswith(f"then: bursar approve {run_id} 2")
    assert f"bursar/{run_id}/2/1" in note
    assert project.git("show", f"bursar/{run_id}/2/1:b.txt") == "done"
    project.assert_tidy()

    project.git("merge", "--quiet", "--no-edit", f"bursar/{run_id}/2/1")
    assert project.bursar("approve", run_id, "2").code == 0
    again = project.bursar("resume", run_id)
    assert again.code == 0, again.err
    assert project.states == {"1": "merged", "2": "merged", "3": "merged"}
    assert sorted(path.name for path in project.repo.glob("?.txt")) == ["a.txt", "b.txt", "c.txt"]
    project.assert_tidy()


def test_what_a_fresh_attempt_must_pass_survives(make_project: MakeProject) -> None:
    """The run pauses before it: under the next conductor, too, A's check has a say in what begins beside A."""
    project = make_project(pair(CHECK, "test -e b.txt"), steps())
    run = start_side_by_side(project)
    assert project.bursar("pause").code == 0
    project.server.open_gate("second")
    assert run.end().code == 5
    project.server.script = script({2: [write("b.txt")]})  # as before, and A's check fails again
    again = project.bursar("resume", "--trust")
    assert (again.code, project.states) == (5, {"1": "merged", "2": "waiting"}), again.err
    told = "".join(json.dumps(body) for body in project.server.request_bodies[-2:])
    assert "verify command of task 1 failed (exit code 1)" in told
    assert f"bursar/{project.report['run']}/2/2" in project.note("2")
    project.assert_tidy()


def test_a_conflict_is_done_afresh(make_project: MakeProject) -> None:
    text = plan(parallel("A", files="a.txt"), parallel("B", files="b.txt"))
    project = make_project(text, steps([write("b.txt"), write("a.txt", "mine\n", wait_for="second")]))
    run = start_side_by_side(project)
    project.server.script = script({2: [shell("echo mine >> a.txt; echo b > b.txt")]})
    project.server.open_gate("second")
    ended = run.end()
    assert ended.code == 0, ended.err
    assert "merge conflict in a.txt" in ended.err
    assert (project.repo / "a.txt").read_text() == "done\nmine\n"
    project.assert_tidy()


def test_what_failed_before_is_not_held_against_a_task(make_project: MakeProject) -> None:
    """A breaks the plan's common check where nobody runs it; B, whose check it is, is merged all the same, and it is
    said."""
    text = pair("true", "test ! -e a.txt")
    project = make_project(text, steps())
    code, said = side_by_side(project)
    assert code == 0, said
    assert project.states == {"1": "merged", "2": "merged"}
    attempts = (
        [each for each in project.report["attempts"] if each["task"] == "2"] if "attempts" in project.report else []
    )
    note = attempts[0]["note"] if attempts else project.note("2")
    assert note == "merged; without it, too, this fails: test ! -e a.txt"
    project.assert_tidy()


def test_a_command_that_needs_the_work_itself_is_held_against_it(make_project: MakeProject) -> None:
    """B's own check fails where B is missing; it fails beside A, too, and that is not excused by the former."""
    project = make_project(
        pair("true", "test -e b.txt; test ! -e a.txt -a -e b.txt"), steps(), settings(run="fresh_attempts = 0\n")
    )
    code, said = side_by_side(project)
    assert code == 1, said
    assert project.states == {"1": "merged", "2": "failed"}
    assert "with what was merged meanwhile: verify command failed" in project.note("2")
    project.assert_tidy()


def test_what_git_ignores_is_there_when_merged_work_is_verified(make_project: MakeProject) -> None:
    """B's agent has installed something; its check needs it, also where A was merged."""
    install = shell("mkdir -p node_modules && echo x > node_modules/tool && echo b > b.txt", wait_for="second")
    project = make_project(pair("true", "test -e node_modules/tool -a -e b.txt"), steps([install]))
    project.commit({".gitignore": "node_modules/\n"}, "ignore")
    code, said = side_by_side(project)
    assert code == 0, said
    assert project.states == {"1": "merged", "2": "merged"}
    project.assert_tidy()


def test_a_stop_while_merged_work_is_verified_loses_nothing(make_project: MakeProject, tmp_path: Path) -> None:
    """The worktree stands at merged work when everything stops; a resume takes the task's own work from it."""
    flag = tmp_path / "slow"
    second = f"test -e b.txt; if test -e a.txt -a -e {flag}; then echo > {flag}.reached; sleep 60; fi"
    project = make_project(pair("true", second), steps())
    flag.touch()
    run = start_side_by_side(project)
    project.server.open_gate("second")
    while not Path(f"{flag}.reached").exists():
        with suppress(subprocess.TimeoutExpired):
            run.process.wait(timeout=0.02)
            raise AssertionError("it ended before it was verified")
    run.kill()
    flag.unlink()
    again = project.run()
    assert again.code == 0, again.err
    assert project.states == {"1": "merged", "2": "merged"}
    assert project.git("show", "--format=", "--name-only", "HEAD~1") == "b.txt"
    assert project.calls_of(2) == 2, "nothing was paid twice"
    project.assert_tidy()
