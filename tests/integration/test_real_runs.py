"""Whole runs with each real agent CLI against the fake model server: files, commits, and the ledger to the token.

Claude Code has more of them in test_real_claude_run.py. The CLIs are those of the conformance suite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bursar.paths import attempt_homes
from bursar.testing.script import Script, Step
from bursar.usage import Usage
from tests.conformance.conftest import Cell, cell
from tests.conformance.real_agents import KINDS, ProxyTrap, settings_for
from tests.integration.conftest import MakeProject
from tests.integration.jobs_kit import MakeJobs, answers, job_list
from tests.integration.kit import SUMMARY, Project, plan, script, shell, task, usage, write

__all__ = ["cell"]  # a fixture

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(280)]

LEAVE_A_CHILD = "(setsid sleep 600 >/dev/null 2>&1 &)"
PATIENCE = 200.0  # OpenCode needs half a minute to its first request on a busy machine
MakeRun = Callable[[str, Script], Project]


@pytest.fixture(params=KINDS)
def agent(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_run(agent: str, make_project: MakeProject) -> Iterator[MakeRun]:
    """Make a project whose agent is the real CLI, with nothing but loopback to talk to."""
    trap = ProxyTrap()

    def make(text: str, answers: Script) -> Project:
        project = make_project(text, answers, settings_for(agent))
        project.more.update({**KINDS[agent].address(project.server.url), **trap.environment})
        return project

    yield make
    trap.close()
    assert trap.hosts <= KINDS[agent].asks


def test_plan_to_commits(agent: str, make_run: MakeRun, cell: Cell) -> None:
    """A budget in money, calls of different sizes: what is charged is what was billed. A child that stays ends."""
    last = Usage(input_tokens=7, cache_read_tokens=1200, output_tokens=777)
    text = plan(task("One", verify="grep -q done one.txt"))
    project = make_run(text, script({1: [write("one.txt"), shell(LEAVE_A_CHILD), Step(text="Done.", usage=last)]}))
    ended = project.start_run("--budget", "5 USD").end(PATIENCE)
    assert ended.code == 0, ended.err
    assert project.subjects == ["feat(08-02): One", "docs(08-02): Add summary"]
    assert (project.repo / SUMMARY).exists()
    assert ended.metered == project.bill == project.charged
    project.assert_tidy()
    assert_only_logs_stay(agent, project)
    cell("a whole plan, budget in USD", "charged = billed")


def test_budget_stops_it(agent: str, make_run: MakeRun, cell: Cell) -> None:
    """The first call passes the limit. Its tool leaves a child in a session of its own: nothing is left at the end."""
    is_live = KINDS[agent].is_live_in_a_tool
    command = f"{LEAVE_A_CHILD}; " + ("sleep 600" if is_live else "true")
    steps = {1: [shell(command, usage=usage(10_000)), Step(text="Never heard.", wait_for="gate")]}
    project = make_run(plan(task("One")), script(steps))
    ended = project.start_run("--budget", "9k tokens").end(PATIENCE)
    assert ended.code == 4, ended.err
    assert ended.metered == 10_000
    assert ended.metered <= project.bill <= project.charged
    assert project.bill == 10_000 or not is_live
    project.assert_tidy()
    cell("stopped at a limit", "while the tool runs" if is_live else "when the tool has answered")
    cell("a child that outlives its parent", "ended, at a stop as at a success")


@pytest.mark.parametrize(
    "agent",
    [pytest.param(name, marks=[pytest.mark.faults] if name != "claude" else []) for name in KINDS],
    indirect=True,
)  # half a minute for the four
def test_told_to_wrap_up_by_stop(agent: str, make_jobs: MakeJobs, cell: Cell) -> None:
    """An instance of a job list, in a home of its own: it hears it in its tool, ends by itself, nothing is unknown.

    In the workspace, which is the user's, lies nothing but what it has written.
    """
    waits = 'until test -e "$HOME/mailbox.json"; do sleep 0.05; done; echo hello > one.txt'
    steps = [replace(shell(waits), wait_for="gate"), Step(text="LEFT: two.txt")]
    jobs = make_jobs(job_list({"name": "a", "prompt": "Do job-01."}), answers(1, lambda at: steps), settings_for(agent))
    trap = ProxyTrap()
    jobs.more.update({**KINDS[agent].address(jobs.server.url), **trap.environment})
    run = jobs.start_jobs()
    assert jobs.server.wait_until_reached("gate", PATIENCE)
    stop = jobs.start("stop", "--grace", "600")
    run.wait_until_said("told to wrap up has 600 s")
    jobs.server.open_gate("gate")
    assert stop.end(PATIENCE).code == 0
    ended = run.end(PATIENCE)
    trap.close()
    assert ended.code == 5, ended.err
    assert jobs.note("1") == "it wrapped up on request; left to do: two.txt"
    assert ended.metered == jobs.bill == jobs.charged
    assert sorted(path.name for path in jobs.repo.iterdir()) == ["bursar.toml", "jobs.json", "one.txt"]
    jobs.assert_books()
    jobs.assert_gone()
    cell("told to wrap up by `bursar stop`", "ends by itself, exact")


LOGS = {"claude": ".claude/projects", "codex": ".codex/sessions", "gemini": ".gemini/tmp", "opencode": ".local/share"}


def assert_only_logs_stay(agent: str, project: Project) -> None:
    """Of the attempt's private home: its session log can be found, and nothing else of it is there."""
    (home,) = map(Path, attempt_homes(str(project.state)))
    left = [str(path.relative_to(home)) for path in home.rglob("*") if not path.is_dir()]
    assert left
    assert all(path.startswith(LOGS[agent]) for path in left)
    user = project.folder / "home"
    assert not [path for path in user.rglob("*") if path.name in (".claude", ".codex", ".gemini", "opencode")]
