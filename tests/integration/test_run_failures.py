"""Tasks that fail, one way each: the work is kept, what depends on it is skipped, everything else goes on."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bursar.testing.script import Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import (
    CALL_TOKENS,
    SUMMARY,
    Ended,
    Project,
    parallel,
    plan,
    script,
    settings,
    shell,
    task,
    trouble,
    write,
)

WRITES = write("bad.txt")


def with_siblings(
    make_project: MakeProject, steps: Sequence[Step], *, verify: str = "", files: str = "bad.txt"
) -> Project:
    """Task 1 goes wrong; 2 waits for it, 3 waits for 2, and 4 for nothing."""
    text = plan(
        task("Bad", files=files, verify=verify),
        task("Waits", 'depends-on="1"'),
        task("Waits too", 'depends-on="2"'),
        parallel("Sibling"),
    )
    return make_project(text, script({1: steps, 4: [write("sibling.txt")]}))


def assert_failed(project: Project, ended: Ended, note: str, *, calls: int, kept: bool) -> None:
    """Exit 1 with the reason; the sibling is merged, the others were never started, the bill is right."""
    assert ended.code == 1, ended.err
    assert project.states == {"1": "failed", "2": "skipped", "3": "skipped", "4": "merged"}
    run = project.report["run"]
    branch = f"bursar/{run}/1/1"
    assert project.note("1") == note + (f"; its work is on branch {branch}" if kept else "")
    assert note in ended.err
    assert (project.note("2"), project.note("3")) == ("it depends on task 1", "it depends on task 2")
    assert project.subjects == ["feat(08-02): Sibling"]
    assert not (project.repo / SUMMARY).exists()
    assert (branch in project.git("branch", "--format=%(refname:short)").splitlines()) == kept
    assert project.bill == ended.metered
    assert (project.calls_of(1), project.calls_of(2), project.calls_of(3), project.calls_of(4)) == (calls, 0, 0, 2)
    project.assert_tidy()


def test_verify_fails(make_project: MakeProject) -> None:
    """Its work is on a branch, as one commit; a second run tries only what is missing."""
    project = with_siblings(make_project, [WRITES], verify="test -f nowhere.txt")
    ended = project.run()
    assert_failed(project, ended, "verify command failed (exit code 1): test -f nowhere.txt", calls=2, kept=True)
    branch = f"bursar/{project.report['run']}/1/1"
    assert project.git("show", f"{branch}:bad.txt") == "done"
    assert project.git("log", "--format=%s", f"main~1..{branch}") == "feat(08-02): Bad"
    project.server.script = script({1: [write("nowhere.txt")], 2: [write("waits.txt")], 3: [write("waits-too.txt")]})
    again = project.run()
    assert again.code == 0, again.err
    assert project.calls_of(4) == 2
    assert project.calls_of(1) == 4
    assert again.metered == project.bill
    project.assert_tidy()


FAILURES = {
    "exit code": ([trouble("exit=3"), WRITES], "the agent ended with exit code 3", 3, True),
    "error with exit code 0": (
        [trouble("exit=0"), WRITES, Step(status=402, text="no money")],
        "the agent reported an error: API Error: 402 no money",
        2,
        True,
    ),
    "permission denied": (
        [trouble("deny=Write"), WRITES, shell("echo other > other.txt")],
        "the agent was denied permission to use Write",
        4,
        True,
    ),
    "no change": ([Step(text="I did it.")], "the agent changed nothing, but bad.txt was due", 1, False),
    "killed": ([WRITES, shell("kill -9 $PPID; exec sleep 600")], "the agent was killed by signal 9", 2, True),
    "no result": ([trouble("no-result"), WRITES], "the agent ended without saying how it went", 3, True),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_failure(make_project: MakeProject, kind: str) -> None:
    steps, note, calls, kept = FAILURES[kind]
    project = with_siblings(make_project, steps)
    assert_failed(project, project.run(), note, calls=calls, kept=kept)


@pytest.mark.parametrize("words", ["garbage", "huge-line=5000000", "true-counts", "orphan=600"])
def test_trouble_that_is_no_failure(make_project: MakeProject, words: str) -> None:
    """Strange output changes no number, and what an agent leaves running is gone."""
    project = make_project(plan(task("One")), script({1: [write("one.txt")]}))
    project.more["BURSAR_TROUBLE"] = words
    ended = project.run("--budget", "1M tokens")
    assert ended.code == 0, ended.err
    assert ended.metered == project.bill == project.charged == 2 * CALL_TOKENS
    project.assert_tidy()


def test_orphan_of_an_orphan_is_gone_while_the_run_goes_on(make_project: MakeProject) -> None:
    """Not only at the end of the run: with the attempt itself."""
    text = plan(task("One"), task("Two"))
    hide = shell("(setsid sh -c 'setsid sleep 600 & sleep 600' >/dev/null 2>&1 &) ; echo > one.txt")
    project = make_project(text, script({1: [hide], 2: [write("two.txt", wait_for="gate")]}))
    run = project.start_run()
    assert project.server.wait_until_reached("gate")
    assert [each.attempt.split("/")[1] for each in project.agents] == ["2"]
    project.server.open_gate("gate")
    assert run.end().code == 0
    project.assert_tidy()


def test_agent_that_cannot_be_started(make_project: MakeProject) -> None:
    """The program is there and may be executed, but the kernel will not: nothing was spent, the task failed."""
    project = make_project(plan(task("One")), script({}))
    program = project.folder / "agent"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)
    project.commit({"bursar.toml": settings(argv=[str(program)])}, "another agent")
    ended = project.run("--budget", "10k tokens")
    assert ended.code == 1
    assert project.note("1") == "the agent could not be started: Exec format error"
    assert (project.bill, project.charged) == (0, 0)
    project.assert_tidy()


def test_files_that_the_agent_committed_itself_count(make_project: MakeProject) -> None:
    """It was told not to; its commits are folded into the one of its task."""
    commit = shell("echo x > one.txt && git add one.txt && git commit -q -m mine && echo y > two.txt")
    project = make_project(plan(task("One")), script({1: [commit]}))
    assert project.run().code == 0
    assert project.subjects == ["feat(08-02): One", "docs(08-02): Add summary"]
    assert sorted(project.git("show", "--format=", "--name-only", "HEAD~1").split()) == ["one.txt", "two.txt"]
    project.assert_tidy()


def test_verify_sees_the_work_and_leaves_no_trace(make_project: MakeProject) -> None:
    """What verify commands write is not part of the commit."""
    check = task("One", verify="grep -q done one.txt &amp;&amp; echo x > trace.txt")
    project = make_project(plan(check), script({1: [write("one.txt")]}))
    assert project.run().code == 0
    assert project.git("show", "--format=", "--name-only", "HEAD~1").split() == ["one.txt"]
    project.assert_tidy()


def test_an_agent_deletes_what_it_was_not_asked_to_touch(make_project: MakeProject) -> None:
    """The work is held back on a branch, whole; nothing is deleted."""
    project = with_siblings(make_project, [shell("rm README.md; echo done > bad.txt")])
    ended = project.run()
    assert_failed(project, ended, "it deletes what it was not asked to touch: README.md", calls=2, kept=True)
    assert (project.repo / "README.md").exists()
    kept = f"bursar/{project.report['run']}/1/1"
    assert project.git("diff", "--name-status", "HEAD~1", kept).split() == ["D", "README.md", "A", "bad.txt"]
