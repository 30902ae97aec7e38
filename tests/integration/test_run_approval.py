"""Verify commands run only after a person approved this plan's content; prose is never run."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from collections.abc import Callable

from tests.integration.conftest import MakeProject
from tests.integration.kit import BURSAR, PATIENCE, PLAN, Project, plan, script, task, write


def marked(make_project: MakeProject, verify: str | None = None) -> Project:
    """Its verify command leaves a mark outside of every worktree."""
    command = verify or 'touch "$HOME/mark"'
    return make_project(plan(task("One", verify=command)), script({1: [write("one.txt")]}))


def has_mark(project: Project) -> bool:
    return (project.folder / "home" / "mark").exists()


def test_nobody_approved_and_nobody_can_be_asked(make_project: MakeProject) -> None:
    project = marked(make_project)
    ended = project.bursar("run", PLAN)
    assert ended.code == 2
    assert ended.err.startswith(f"error: {project.repo / PLAN} contains commands that nobody has approved yet:\n")
    assert '\n  task 1: touch "$HOME/mark"\n' in ended.err
    assert ended.err.endswith("\nhint: read them, then say --trust; it is remembered until the plan changes\n")
    assert not has_mark(project)
    assert (project.bill, project.subjects, list(project.state.glob("runs/*"))) == (0, [], [])
    assert project.bursar("report").code == 2
    project.assert_gone()


def test_trust_is_remembered_until_the_plan_changes(make_project: MakeProject) -> None:
    project = marked(make_project, 'touch "$HOME/mark" &amp;&amp; false')
    assert project.run().code == 1
    assert has_mark(project)
    (project.folder / "home" / "mark").unlink()
    assert project.bursar("run", PLAN).code == 1
    assert has_mark(project)
    (project.folder / "home" / "mark").unlink()
    project.commit({PLAN: plan(task("One", verify='touch "$HOME/mark" &amp;&amp; true'))}, "another plan")
    refused = project.bursar("run", PLAN)
    assert refused.code == 2
    assert '  task 1: touch "$HOME/mark" && true\n' in refused.err
    assert not has_mark(project)
    assert project.bursar("resume").code == 2
    assert project.bursar("resume", "--trust").code == 0
    assert has_mark(project)


def test_changed_settings_ask_again(make_project: MakeProject) -> None:
    """`bursar.toml` names a program to be run; whoever can commit to the repository must not choose it unseen."""
    project = make_project(plan(task("One")), script({}))
    refused = project.bursar("run", PLAN)
    assert refused.code == 2
    assert "scripted_agent" in refused.err
    assert project.run().code == 1
    assert project.bursar("run", PLAN).code == 1
    toml = (project.repo / "bursar.toml").read_text().replace("--verbose", "--quiet")
    project.commit({"bursar.toml": toml}, "another program")
    assert project.bursar("run", PLAN).code == 2


def test_prose_is_never_run(make_project: MakeProject) -> None:
    """It goes to the agent instead."""
    prose = "touch $HOME/mark passes, imports resolve"
    text = plan(task("One").replace("  <done>", f"  <verify>{prose}</verify>\n  <done>"))
    project = make_project(text, script({1: [write("one.txt")]}))
    assert project.run().code == 0
    assert not has_mark(project)
    told = project.server.request_bodies[0]["messages"][0]["content"][0]["text"]
    assert prose in told
    assert "task 1  prose   `touch` is no program that is known here" in project.bursar("plan", "check", PLAN).out


def test_yes_at_a_terminal(make_project: MakeProject) -> None:
    project = marked(make_project)
    code, said = at_a_terminal(project, "no\n")
    assert code == 2, said
    assert 'task 1: touch "$HOME/mark"' in said
    assert "run them? [y/N]" in said
    assert not has_mark(project)
    code, said = at_a_terminal(project, "y\n")
    assert code == 0, said
    assert has_mark(project)
    project.assert_tidy()


def test_what_would_steer_the_terminal_is_shown(make_project: MakeProject) -> None:
    """A person approves what they see."""
    project = marked(make_project, "touch mark # \x1b[2K\x1b[1A\x1b[8m")
    code, said = at_a_terminal(project, "n\n")
    assert code == 2
    assert r"task 1: touch mark # \x1b[2K\x1b[1A\x1b[8m" in said
    assert "\x1b" not in said


def test_settings_that_change_while_a_person_reads_are_not_what_was_approved(make_project: MakeProject) -> None:
    project = marked(make_project)
    toml = project.repo / "bursar.toml"

    def meanwhile() -> None:
        toml.write_text(toml.read_text().replace("scripted_agent", "another_agent"))

    code, said = at_a_terminal(project, "y\n", meanwhile)
    assert code == 2
    assert "error: bursar.toml has changed while the run was prepared" in said
    assert project.calls == ()


def at_a_terminal(project: Project, answer: str, meanwhile: Callable[[], object] = int) -> tuple[int, str]:
    """`bursar run PLAN` with a terminal of its own, and this answer typed when it asks."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [BURSAR, "run", PLAN],
        cwd=project.repo,
        env=project.environment | {"NO_COLOR": "1"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    said, is_answered = b"", False
    while select.select([ours], [], [], PATIENCE)[0]:
        try:
            chunk = os.read(ours, 4096)
        except OSError:  # the other end is closed: it has ended
            break
        said += chunk
        if not is_answered and b"[y/N]" in said:
            is_answered = True
            meanwhile()
            os.write(ours, answer.encode())
    os.close(ours)
    return process.wait(PATIENCE), said.decode().replace("\r\n", "\n")
