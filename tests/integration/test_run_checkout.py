"""The user's checkout: untouched while agents run, fast-forwarded at the end, or left alone with a word."""

from __future__ import annotations

import re

import pytest

from tests.integration.conftest import MakeProject
from tests.integration.kit import PLAN, SUMMARY, Command, Project, parallel, plan, script, task, write


def at_the_gate(make_project: MakeProject, *arguments: str) -> tuple[Project, Command]:
    """Task 1 is merged and task 2 stands at the gate."""
    steps = {1: [write("one.txt")], 2: [write("two.txt", wait_for="gate")]}
    project = make_project(plan(task("One"), task("Two")), script(steps))
    run = project.start_run(*arguments)
    assert project.server.wait_until_reached("gate")
    return project, run


def test_nothing_moves_while_agents_run(make_project: MakeProject) -> None:
    steps = {1: [write("one.txt")], 2: [write("two.txt", wait_for="gate")]}
    project = make_project(plan(task("One"), task("Two")), script(steps))
    (project.repo / "mine.txt").write_text("not committed\n")
    before = _picture(project)
    run = project.start_run()
    assert project.server.wait_until_reached("gate")
    assert _picture(project) == before
    project.server.open_gate("gate")
    assert run.end().code == 0
    assert project.git("status", "--porcelain") == "?? mine.txt"
    assert (project.repo / "mine.txt").read_text() == "not committed\n"
    assert project.git("branch", "--format=%(refname:short)") == "main"


def _picture(project: Project) -> tuple[str, ...]:
    """HEAD, branch, index, files and branches as they are now."""
    questions = (
        ["rev-parse", "HEAD"],
        ["symbolic-ref", "HEAD"],
        ["ls-files", "--stage"],
        ["status", "--porcelain"],
        ["branch"],
    )
    files = sorted(str(path.relative_to(project.repo)) for path in project.repo.iterdir())
    return (*(project.git(*question) for question in questions), *files)


def test_user_commits_on_the_branch_meanwhile(make_project: MakeProject) -> None:
    """The branch is the user's and stays; the work is on a branch of the run, ready to be merged."""
    project, run = at_the_gate(make_project)
    mine = project.commit({"mine.txt": "mine\n"}, "my own work")
    project.server.open_gate("gate")
    ended = run.end()
    assert ended.code == 0
    assert project.head == mine
    name = project.report["run"]
    assert "  main was not moved: new commits were made on it meanwhile\n" in ended.err
    assert f"  the merged work is on branch bursar/{name}/merged: git merge bursar/{name}/merged\n" in ended.err
    project.git("merge", "--quiet", "-m", "both", f"bursar/{name}/merged")
    assert {"one.txt", "two.txt", "mine.txt"} <= {path.name for path in project.repo.iterdir()}
    assert (project.repo / SUMMARY).exists()
    assert project.run().err.startswith("nothing to do: ")


def test_user_switches_to_another_branch(make_project: MakeProject) -> None:
    """The branch that the run started from moves all the same; what is checked out does not."""
    project, run = at_the_gate(make_project)
    start = project.head
    project.git("switch", "--quiet", "-c", "other")
    project.server.open_gate("gate")
    ended = run.end()
    assert ended.code == 0, ended.err
    assert project.head == start
    assert project.git("symbolic-ref", "--short", "HEAD") == "other"
    assert re.search(r"main: 3 new commits, now at \w{9}\n", ended.err)
    assert project.git("rev-list", "--count", f"{start}..main") == "3"
    assert project.git("status", "--porcelain") == ""


def test_user_switches_to_a_detached_head(make_project: MakeProject) -> None:
    project, run = at_the_gate(make_project)
    project.git("switch", "--quiet", "--detach")
    project.server.open_gate("gate")
    assert run.end().code == 0
    assert project.git("rev-list", "--count", "HEAD..main") == "3"


def test_run_from_a_detached_head(make_project: MakeProject) -> None:
    project = make_project(plan(task("One")), script({1: [write("one.txt")]}))
    main = project.head
    project.git("switch", "--quiet", "--detach")
    ended = project.run()
    assert ended.code == 0
    assert "  the detached HEAD: 2 new commits" in ended.err
    assert project.subjects == ["feat(08-02): One", "docs(08-02): Add summary"]
    assert project.git("rev-parse", "main") == main
    project.assert_tidy()


def test_untracked_file_in_the_way(make_project: MakeProject) -> None:
    """It is the user's: not overwritten, and the work is on a branch of the run."""
    project, run = at_the_gate(make_project)
    start = project.head
    (project.repo / "two.txt").write_text("mine\n")
    project.server.open_gate("gate")
    ended = run.end()
    assert ended.code == 0
    assert (project.head, (project.repo / "two.txt").read_text()) == (start, "mine\n")
    assert "main was not moved: files in the checkout are in the way" in ended.err
    assert "two.txt" in ended.err
    name = project.report["run"]
    (project.repo / "two.txt").unlink()
    project.git("merge", "--quiet", "--ff-only", f"bursar/{name}/merged")
    assert (project.repo / SUMMARY).exists()


def test_untracked_summary_in_the_way(make_project: MakeProject) -> None:
    """A summary that somebody writes meanwhile is not overwritten."""
    project, run = at_the_gate(make_project)
    (project.repo / SUMMARY).write_text("mine\n")
    project.server.open_gate("gate")
    ended = run.end()
    assert ended.code == 0
    assert (project.repo / SUMMARY).read_text() == "mine\n"
    assert "main was not moved: files in the checkout are in the way" in ended.err
    name = project.report["run"]
    assert "total_subagent_tokens" in project.git("show", f"bursar/{name}/merged:{SUMMARY}")


def test_user_changes_a_file_that_a_task_changed(make_project: MakeProject) -> None:
    project = make_project(
        plan(task("One")), script({1: [write("README.md", "theirs\n", wait_for="gate"), write("one.txt")]})
    )
    run = project.start_run()
    assert project.server.wait_until_reached("gate")
    (project.repo / "README.md").write_text("mine\n")
    project.server.open_gate("gate")
    ended = run.end()
    assert ended.code == 0
    assert (project.repo / "README.md").read_text() == "mine\n"
    assert "main was not moved: files in the checkout are in the way" in ended.err
    assert project.git("status", "--porcelain") == "M README.md"


def test_plan_that_git_does_not_know(make_project: MakeProject) -> None:
    """Where the plan is not under version control its summary is only written, not committed."""
    project = make_project(plan(task("One")), script({1: [write("one.txt")]}))
    project.git("rm", "--quiet", "--cached", PLAN)
    project.git("commit", "--quiet", "-m", "plans are mine alone")
    assert project.run().code == 0
    assert project.subjects[-1] == "feat(08-02): One"
    assert (project.repo / SUMMARY).exists()
    assert SUMMARY in project.git("status", "--porcelain", "--untracked-files=all")


def test_stopped_run_still_brings_home_what_was_merged(make_project: MakeProject) -> None:
    project = make_project(plan(parallel("One"), task("Two", 'depends-on="1"')), script({1: [write("one.txt")]}))
    ended = project.run()
    assert ended.code == 1
    assert "main: 1 new commit, now at " in ended.err
    assert project.subjects == ["feat(08-02): One"]
    project.assert_tidy()


@pytest.mark.parametrize("hook", ["pre-commit", "post-checkout", "post-merge", "reference-transaction"])
def test_no_hook_runs(make_project: MakeProject, hook: str) -> None:
    project = make_project(plan(task("One")), script({1: [write("one.txt")]}))
    path = project.repo / ".git" / "hooks" / hook
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\ntouch {project.folder}/hooked\nexit 1\n")
    path.chmod(0o755)
    assert project.run().code == 0
    assert not (project.folder / "hooked").exists()
