"""`bursar doctor`: what is found, what is left alone, and that cleaning loses nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.integration.conftest import MakeProject
from tests.integration.kit import Project, plan, script, task, write


@pytest.fixture
def project(make_project: MakeProject) -> Project:
    """One run of one task, which is done."""
    made = make_project(plan(task("One")), script({1: [write("one.txt")]}))
    assert made.run().code == 0
    return made


def left_worktree(project: Project, run: str = "") -> Path:
    """As it is where a conductor was killed after the attempt's end and before its worktree was removed."""
    run = run or str(project.report["run"])
    path = project.state / "runs" / run / "worktrees" / f"{run}-1-1"
    path.parent.mkdir(parents=True, exist_ok=True)
    project.git("worktree", "add", "--quiet", "--detach", str(path), "HEAD")
    return path


def test_nothing_is_left(project: Project) -> None:
    said = project.bursar("doctor")
    assert (said.code, said.out) == (0, "nothing is left of any run\n")
    assert json.loads(project.bursar("doctor", "--json").out) == []


def test_without_any_run_nothing_is_made(make_project: MakeProject) -> None:
    project = make_project(plan(task("One")), script({}))
    assert project.bursar("doctor").code == 0
    assert not project.state.exists()


def test_a_worktree_of_an_attempt_that_has_ended(project: Project) -> None:
    path = left_worktree(project)
    said = project.bursar("doctor")
    assert said.code == 1
    assert said.out.startswith(f"✗ {path}: of attempt {project.report['run']}/1/1, which has ended\n")
    assert "  fix: bursar doctor --clean\n" in said.out
    assert path.exists()
    assert project.bursar("doctor", "--clean").code == 0
    assert not path.exists()
    project.assert_tidy()


@pytest.mark.parametrize("run", ["", "a-lost-run"])
def test_work_in_it_is_put_on_a_branch(project: Project, run: str) -> None:
    path = left_worktree(project, run)
    (path / "unseen.txt").write_text("not merged\n")
    cleaned = project.bursar("doctor", "--clean")
    assert cleaned.code == 0
    branch = f"bursar/left/{path.name}"
    assert f"removed; its work is on branch {branch}" in cleaned.out
    assert project.git("show", f"{branch}:unseen.txt") == "not merged"
    project.assert_tidy()


def test_a_worktree_that_is_listed_and_gone(project: Project) -> None:
    path = left_worktree(project)
    shutil.rmtree(path)
    assert project.bursar("doctor").out.startswith(f"✗ {path}: listed by git, and gone\n")
    assert project.bursar("doctor", "--clean").code == 0
    project.assert_tidy()


def test_a_worktree_of_the_users_is_none_of_ours(project: Project, tmp_path: Path) -> None:
    project.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "mine"), "HEAD")
    assert project.bursar("doctor", "--clean").out == "nothing is left of any run\n"
    assert (tmp_path / "mine" / "one.txt").exists()


def test_a_draft_of_a_worktree(project: Project) -> None:
    draft = project.repo / ".git/bursar-worktree-x-1-1"
    draft.mkdir()
    assert "1 worktree in the making, by processes that were killed" in project.bursar("doctor").out
    assert project.bursar("doctor", "--clean").code == 0
    assert not draft.exists()


def test_what_a_run_needs_is_left_alone(make_project: MakeProject) -> None:
    """While it runs, and while it waits for a resume."""
    project = make_project(plan(task("One")), script({1: [write("one.txt", wait_for="gate")]}))
    run = project.start_run()
    assert project.server.wait_until_reached("gate")
    (project.repo / ".git/bursar-worktree-x-1-1").mkdir()
    assert project.bursar("doctor", "--clean").out == "nothing is left of any run\n"
    run.kill()
    (project.repo / ".git/bursar-worktree-x-1-1").rmdir()
    assert project.bursar("doctor", "--clean").out == "nothing is left of any run\n"
    project.server.open_gate("gate")
    assert project.bursar("resume", "--trust").code == 0
    project.assert_tidy()


def test_merged_work_of_a_run_that_nobody_knows(project: Project) -> None:
    """It is commits: nobody removes them but a person."""
    project.git("update-ref", "refs/bursar/a-lost-run", "HEAD")
    for arguments in ((), ("--clean",)):
        said = project.bursar("doctor", *arguments)
        assert said.code == 1
        assert said.out.startswith("✗ merged work of run a-lost-run, which the journal does not know: commit ")
    fix = said.out.splitlines()[1].removeprefix("  fix: ")
    for command in fix.split(" && "):
        project.git(*command.split()[1:])
    assert project.bursar("doctor").code == 0
    assert project.git("rev-parse", "bursar/a-lost-run/merged") == project.head


def test_worktrees_that_were_kept_to_be_used_again(project: Project) -> None:
    """A conductor was killed while it kept some; those of another project, or of an unknown run, are not ours."""
    spares = [project.state / "runs" / run / "spares" for run in (str(project.report["run"]), "another")]
    for folder in spares:
        (folder / "1" / "locked").mkdir(parents=True)
        (folder / "1" / "locked" / "file").write_text("x")
        (folder / "1" / "locked").chmod(0o500)
    said = project.bursar("doctor")
    assert (said.code, said.out.count("\n")) == (1, 2)
    assert "worktrees that were kept to be used again" in said.out
    assert project.bursar("doctor", "--clean").code == 0
    assert [folder.exists() for folder in spares] == [False, True]
    assert project.bursar("doctor").code == 0
