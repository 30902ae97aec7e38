"""Agents are told to wrap up before a limit: what they leave is whole, and is gone on with."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import bursar
from bursar.testing.script import Step, ToolCall
from tests.integration.conftest import MakeProject
from tests.integration.jobs_kit import MakeJobs, answers, job_list
from tests.integration.kit import ARGV, VARIABLES, Command, Project, plan, script, settings, shell, task, usage
from tests.integration.test_run_sandbox import needs_bwrap, sandboxed

CALL = usage(10_000)


@pytest.fixture
def toml(tmp_path: Path) -> str:
    """A `bursar.toml` with the scripted agent in the place of Claude Code."""
    program = tmp_path / "claude"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m bursar.testing.scripted_agent "$@"\n')
    program.chmod(0o755)
    return claude_settings(str(program), env=VARIABLES)


def claude_settings(program: str, *, run: str = "", env: list[str] | None = None) -> str:
    table = f"program = {json.dumps(program)}\nenv = {json.dumps(env or [])}\n"
    return f'[run]\nagent = "claude"\n{run}[agents.claude]\n{table}[routing]\nattempts = 1\n'


def writes(path: str) -> Step:
    return Step(text="x", tools=(ToolCall("Write", {"file_path": path, "content": "hello\n"}),), usage=CALL)


def told(path: str) -> Step:
    """The agent writes a file, and works until it is told something: its home is its own."""
    waits = 'until test -e "$HOME/mailbox.json"; do sleep 0.01; done'
    return Step(tools=shell(f"{waits}; echo hello > {path}").tools, usage=CALL)


def last_words(project: Project) -> str:
    """What the last call was told last."""
    return json.dumps(project.server.request_bodies[-1]["messages"][-2:])


def test_what_is_left_is_done_after_a_top_up(make_project: MakeProject, toml: str) -> None:
    """Two of three files fit: it is told with the first one's answer, says what is left, and is gone on with."""
    first = [told("one.txt"), Step(text="I wrote one.\nLEFT: two.txt", usage=CALL)]
    project = make_project(plan(task("One")), script({1: first}), toml)
    stopped = project.run("--budget", "30k tokens")
    assert stopped.code == 4, stopped.err
    assert (stopped.metered, project.charged) == (20_000, 20_000), "nothing is unknown, and nothing past the limit"
    words = f"Wrap up now: budget run-{project.report['run']} (limit of 30,000 tokens) has room for about 2 more calls."
    assert words in last_words(project)
    assert "left to do: two.txt" in project.note("1")
    assert "it was told to wrap up at " in stopped.err
    (remark,) = project.report["tasks"][0]["attempts"][0]["remarks"]
    assert remark.startswith("it was told to wrap up at ")

    project.server.script = script({1: [writes("two.txt"), Step(text="Done.", usage=CALL)]})
    again = project.bursar("resume", "--trust", "--add", "100k tokens")
    assert again.code == 0, again.err
    assert all((project.repo / name).read_text() == "hello\n" for name in ("one.txt", "two.txt"))
    assert project.subjects == ["feat(08-02): One", "docs(08-02): Add summary"]
    prompt = next(project.state.glob("runs/*/attempts/1-2/prompt.md")).read_text()
    assert "was told to wrap up, and did" in prompt
    assert "It said that this was left: two.txt" in prompt
    project.assert_tidy()


def test_whoever_says_that_it_is_done_is_done(make_project: MakeProject, toml: str) -> None:
    project = make_project(plan(task("One")), script({1: [told("one.txt"), Step(text="DONE", usage=CALL)]}), toml)
    ended = project.run("--budget", "30k tokens")
    assert ended.code == 0, ended.err
    assert "Wrap up now" in last_words(project)
    assert "it was told to wrap up at " in ended.err
    assert project.subjects == ["feat(08-02): One", "docs(08-02): Add summary"]


@needs_bwrap
def test_in_a_sandbox_it_is_told_too(make_project: MakeProject, toml: str) -> None:
    text, answers = plan(task("One")), script({1: [told("one.txt"), Step(text="LEFT: two.txt", usage=CALL)]})
    program = [sys.prefix, sys.base_prefix, str(Path(bursar.__file__).parent)]
    project = sandboxed(make_project, text, answers, f"readable = {json.dumps(program)}", toml)
    project.more["TMPDIR"] = "/tmp"  # the sandbox's own
    stopped = project.run("--budget", "30k tokens")
    assert stopped.code == 4, stopped.err
    assert "left to do: two.txt" in project.note("1")


def test_nobody_is_told_where_that_is_not_wanted(make_project: MakeProject, toml: str) -> None:
    steps = [writes("one.txt"), Step(text="Done.", usage=CALL)]
    off = toml.replace("[agents", 'wrap_up_calls = 0\nwrap_up_window = "0"\n[agents', 1)
    project = make_project(plan(task("One")), script({1: steps}), off)
    ended = project.run("--budget", "30k tokens")
    assert ended.code == 0, ended.err
    assert "Wrap up" not in last_words(project) + ended.err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("wrap_up_calls = 101", "run.wrap_up_calls must be from 0 (never) to 100, not 101"),
        ('wrap_up_window = "half"', "run.wrap_up_window: the limit `half` is no share of a window"),
    ],
)
def test_settings_that_make_no_sense(make_project: MakeProject, line: str, words: str) -> None:
    project = make_project(plan(task("One")), script({}), f"[run]\n{line}\n")
    ended = project.run()
    assert (ended.code, words in ended.err) == (2, True), ended.err


@pytest.mark.real_agent
@pytest.mark.timeout(240)
def test_claude_wraps_up_and_goes_on_in_the_same_conversation(make_project: MakeProject, real_claude: str) -> None:
    first = [told("one.txt"), Step(text="I wrote one.\nLEFT: two.txt", usage=CALL)]
    project = make_project(plan(task("One")), script({1: first}), claude_settings(real_claude))
    stopped = project.run("--budget", "30k tokens")
    assert stopped.code == 4, stopped.err
    assert stopped.metered == project.bill == project.charged == 20_000
    assert "Wrap up now: budget run-" in last_words(project)
    project.server.script = script({1: [*first[:1], writes("two.txt"), Step(text="Done.", usage=CALL)]})
    again = project.bursar("resume", "--trust", "--add", "100k tokens")
    assert again.code == 0, again.err
    assert all((project.repo / name).read_text() == "hello\n" for name in ("one.txt", "two.txt"))
    heard = json.dumps(project.server.request_bodies[-1])
    assert "Write what is due for One" in heard, "the first prompt is remembered"
    assert "You were told to wrap up, and did" in heard
    assert again.metered == project.bill == project.charged == 40_000
    assert project.subjects == ["feat(08-02): One", "docs(08-02): Add summary"]
    project.assert_tidy()


def at_the_gate(project: Project, run: Command) -> str:
    """The agent's first call is being answered; the id of the run."""
    assert project.server.wait_until_reached("gate")
    found = re.search(r"run (\w+) ·", run.err.read_text())
    assert found
    return found[1]


def told_behind_the_gate(path: str) -> Step:
    return replace(told(path), wait_for="gate")


def test_stop_asks_for_it_and_what_is_left_is_gone_on_with(make_project: MakeProject, toml: str) -> None:
    first = [told_behind_the_gate("one.txt"), Step(text="I wrote one.\nLEFT: two.txt", usage=CALL)]
    project = make_project(plan(task("One")), script({1: first}), toml)
    run = project.start_run("--budget", "500k tokens")
    run_id = at_the_gate(project, run)
    stop = project.start("stop", run_id, "--grace", "600")
    run.wait_until_said(
        "1 attempt told to end; what was begun is kept; whoever can be told to wrap up has 600 s for that"
    )
    project.server.open_gate("gate")
    said = stop.end()
    assert said.code == 0, said.err
    assert said.err.startswith(f"agents of run {run_id} that can be told to wrap up have 600 s for that\n")
    assert (
        f"  1: it wrapped up on request; left to do: two.txt; its work is on branch bursar/{run_id}/1/1\n" in said.err
    )
    ended = run.end()
    assert ended.code == 5, ended.err
    assert (ended.metered, project.charged) == (20_000, 20_000), "nothing was cut off, so nothing is unknown"
    assert "Wrap up now: the run was asked to stop. Soon you will be stopped." in last_words(project)

    project.server.script = script({1: [writes("two.txt"), Step(text="Done.", usage=CALL)]})
    again = project.bursar("resume", "--trust")
    assert again.code == 0, again.err
    assert project.subjects == ["feat(08-02): One", "docs(08-02): Add summary"]
    assert (
        "It said that this was left: two.txt" in next(project.state.glob("runs/*/attempts/1-2/prompt.md")).read_text()
    )
    project.assert_tidy()


def test_stop_now_ends_a_grace(make_project: MakeProject, toml: str) -> None:
    """It was asked to wrap up, and nobody waits for that any longer."""
    project = make_project(plan(task("One")), script({1: [told_behind_the_gate("one.txt")]}), toml)
    run = project.start_run()
    run_id = at_the_gate(project, run)
    stop = project.start("stop", run_id, "--grace", "600")
    run.wait_until_said("told to wrap up has 600 s")
    assert project.bursar("stop", "--now", run_id).code == 0
    assert stop.end().code == 0
    ended = run.end()
    assert ended.code == 5, ended.err
    assert project.note("1").startswith("stopped on request")
    assert "it was told to wrap up at " in ended.err
    project.assert_tidy()


def test_a_grace_has_an_end(make_project: MakeProject, toml: str) -> None:
    """Its conductor was killed, and it uses no tool any more: its supervisor ends it all the same."""
    project = make_project(plan(task("One")), script({1: [told_behind_the_gate("one.txt")]}), toml)
    run = project.start_run()
    run_id = at_the_gate(project, run)
    stop = project.start("stop", run_id, "--grace", "1")
    run.wait_until_said("told to wrap up has 1 s")
    run.kill()
    assert stop.end().code == 0
    project.assert_gone()
    assert project.bursar("stop", run_id).code == 0
    assert project.note("1").startswith("stopped on request")
    project.assert_tidy()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--grace", "soon"], "error: --grace must be a number of seconds from 0 to 3,600, not 'soon'"),
        (["--grace", "3601"], "error: --grace must be a number of seconds from 0 to 3,600, not '3601'"),
        (["--grace", "5", "--now"], "error: argument --now: not allowed with argument --grace"),
    ],
)
def test_a_grace_that_makes_no_sense(make_project: MakeProject, more: list[str], words: str) -> None:
    said = make_project(plan(task("One")), script({})).bursar("stop", *more)
    assert (said.code, said.err.splitlines()[0]) == (2, words)


def test_an_instance_of_a_job_list_is_told_too(make_jobs: MakeJobs, toml: str) -> None:
    """Its prompt is word for word the list's, and in its workspace lies nothing but what it has written."""
    steps = [told("one.txt"), Step(text="I wrote one.\nLEFT: two.txt", usage=CALL)]
    jobs = make_jobs(job_list({"name": "a", "prompt": "Do job-01."}), answers(1, lambda at: steps), toml)
    stopped = jobs.run_jobs("--overall-token-budget", "30k", "--budget-enforcement-mode", "block")
    assert stopped.code == 4, stopped.err
    assert "left to do: two.txt" in jobs.note("1")
    assert "Your changes stay as you leave them." in last_words(jobs)
    assert sorted(path.name for path in jobs.repo.iterdir()) == ["bursar.toml", "jobs.json", "one.txt"]
    jobs.server.script = answers(1, lambda at: [writes("two.txt"), Step(text="Done.", usage=CALL)])
    again = jobs.run_jobs("--overall-token-budget", "300k", "--budget-enforcement-mode", "block")
    assert again.code == 0, again.err
    assert {path.read_text() for path in jobs.state.glob("runs/*/attempts/*/prompt.md")} == {"Do job-01."}
    jobs.assert_books()
    jobs.assert_gone()


def test_a_program_whose_template_names_the_mailbox_is_told_too(make_project: MakeProject, tmp_path: Path) -> None:
    hooks = tmp_path / "hooks.py"  # what somebody would write for a program of theirs
    hooks.write_text(HOOKS)
    program = [sys.executable, str(hooks), "{mailbox}", *ARGV[1:]]
    first = [told_behind_the_gate("one.txt"), Step(text="LEFT: two.txt", usage=CALL)]
    waits = 'until test -e "$MAILBOX"; do sleep 0.01; done'
    first[0] = replace(first[0], tools=shell(f"{waits}; echo hello > one.txt").tools)
    project = make_project(plan(task("One")), script({1: first}), settings(argv=program))
    run = project.start_run()
    run_id = at_the_gate(project, run)
    stop = project.start("stop", run_id, "--grace", "600")
    run.wait_until_said("told to wrap up has 600 s")
    project.server.open_gate("gate")
    assert stop.end().code == 0
    assert run.end().code == 5
    assert project.note("1").startswith("it wrapped up on request; left to do: two.txt")
    project.assert_tidy()


HOOKS = """
import json, os, shlex, sys
mailbox, heard = sys.argv[1], sys.argv[1] + ".heard"
before = '{"hookSpecificOutput":{"hookEventName":"PostToolUse","additionalContext":'
command = f"test ! -e {shlex.quote(mailbox)} || {{ mv {shlex.quote(mailbox)} {shlex.quote(heard)} && "
command += f"printf %s {shlex.quote(before)} && cat {shlex.quote(heard)} && printf '}}}}'; }}"
hook = {"hooks": {"PostToolUse": [{"hooks": [{"type": "command", "command": command}]}]}}
os.environ["MAILBOX"] = mailbox
os.execv(sys.executable, [sys.executable, *sys.argv[2:], "--settings", json.dumps(hook)])
"""
