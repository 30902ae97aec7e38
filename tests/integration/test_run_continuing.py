"""What was cut off is gone on with: the changes of the last attempt, and with Claude Code its conversation too."""

from __future__ import annotations

import json
import os
import signal
from contextlib import closing

import pytest

from bursar.history import open_history
from bursar.paths import HISTORY_FILE
from bursar.testing.script import Step, ToolCall
from tests.conformance.real_agents import KINDS, settings_for
from tests.integration.conftest import MakeProject
from tests.integration.kit import CALL_TOKENS, Project, plan, script, shell, task, usage, write


def last_prompt(project: Project) -> str:
    (path, *_) = sorted(project.state.glob("runs/*/attempts/1-2/prompt.md"))
    return path.read_text()


def test_the_next_attempt_finds_what_was_begun(make_project: MakeProject) -> None:
    """An agent that cannot remember begins anew, in the worktree as it was left; one commit comes of both."""
    begun = [write("one.txt"), Step(text="Going on.", wait_for="gate")]
    project = make_project(plan(task("One")), script({1: begun}))
    run = project.start_run("--budget", "500k tokens")
    assert project.server.wait_until_reached("gate")
    assert project.bursar("stop").code == 0
    assert run.end().code == 5
    project.server.script = script({1: [shell("git status --porcelain > seen.txt; mv seen.txt two.txt")]})
    again = project.bursar("resume", "--trust")
    assert again.code == 0, again.err
    assert "(attempt 2)" in again.err
    assert (project.repo / "one.txt").read_text() == "done\n"
    assert "one.txt" in (project.repo / "two.txt").read_text()
    assert project.subjects == ["feat(08-02): One", "docs(08-02): Add summary"]
    assert "## What is there already\nAn earlier attempt" in last_prompt(project)
    assert_is_one_observation(project)
    assert again.metered <= project.bill <= project.charged
    project.assert_tidy()


def assert_is_one_observation(project: Project) -> None:
    """What was learned of the attempt that went on is of the whole piece of work: its tokens, calls and seconds."""
    outcomes = [json.loads(path.read_text()) for path in sorted(project.state.glob("runs/*/attempts/1-*/outcome.json"))]
    with closing(open_history(project.state / HISTORY_FILE)) as history:
        cut_off, whole = history.observations()
    assert (cut_off.calls, whole.calls) == (outcomes[0]["calls"], sum(each["calls"] for each in outcomes))
    assert whole.wall_seconds == pytest.approx(sum(each["wall_seconds"] for each in outcomes))
    assert whole.tokens >= sum(each["metered_tokens"] for each in outcomes)
    assert whole.nano_usd == sum(each["metered_nano_usd"] for each in outcomes)


def test_what_is_done_need_not_be_held_again(make_project: MakeProject) -> None:
    """60k were expected and 30k used at the limit: with 45k more it goes on, though 60k would not fit."""
    expected = "<estimated-tokens>50000-60000</estimated-tokens>"
    first = [write("one.txt", usage=usage(30_000)), Step(text="x", wait_for="gate")]
    project = make_project(plan(task("One", metrics=expected)), script({1: first}))
    run = project.start_run("--budget", "60k tokens")
    assert project.server.wait_until_reached("gate")
    assert project.bursar("stop").code == 0
    assert run.end().code == 5
    charged = project.charged
    project.server.script = script({1: [Step(text="Done.", usage=usage(2_000))]})
    needed = charged + 45_000 - 60_000
    again = project.bursar("resume", "--trust", "--add", f"{needed} tokens")
    assert again.code == 0, again.err
    assert "holds 28,769 tokens" in again.err, "60,000 without the 30,000 and the 1,231 of the call that was cut off"
    project.assert_tidy()


def test_a_key_adds_once(make_project: MakeProject) -> None:
    project = make_project(plan(task("One")), script({1: [write("one.txt", usage=usage(10_000))] * 9}))
    assert project.run("--budget", "9k tokens").code == 4
    first = project.bursar("resume", "--trust", "--add", "1k tokens", "--key", "monday")
    assert (first.code, "budget 10,000 tokens" in first.err) == (4, True)
    second = project.bursar("resume", "--trust", "--add", "1k tokens", "--key", "monday")
    assert second.code == 4
    assert "1,000 tokens were added with this key at " in second.err
    assert "budget 10,000 tokens" in second.err
    other = project.bursar("resume", "--trust", "--add", "2k tokens", "--key", "monday")
    assert (other.code, "another amount needs another key" in other.err) == (2, True)
    without = project.bursar("resume", "--trust", "--key", "monday")
    assert (without.code, "--key is about --add" in without.err) == (2, True)
    assert "budget 11,000 tokens" in project.bursar("resume", "--trust", "--add", "1k tokens").err
    wrong = project.bursar("resume", "--trust", "--add", "1 USD")
    assert (wrong.code, "add an amount in the same unit" in wrong.err) == (2, True)


@pytest.fixture(scope="session")
def toml(real_claude: str) -> str:
    """A `bursar.toml` that names the pinned CLI."""
    return f'[run]\nagent = "claude"\n[agents.claude]\nprogram = {json.dumps(real_claude)}\n'


def writes(path: str, **rest: object) -> Step:
    return Step(text="Writing.", tools=(ToolCall("Write", {"file_path": path, "content": "hello\n"}),), **rest)  # type: ignore[arg-type]


@pytest.mark.real_agent
@pytest.mark.timeout(240)
def test_claude_remembers_what_it_was_stopped_in(make_project: MakeProject, toml: str) -> None:
    """Stopped at its limit, topped up: the same conversation in the same place, and no call is counted twice."""
    first = [writes("one.txt", usage=usage(10_000)), Step(tools=shell("sleep 600").tools, usage=usage(20_000))]
    project = make_project(plan(task("One")), script({1: first}), toml)
    stopped = project.run("--budget", "25k tokens")
    assert stopped.code == 4, stopped.err
    assert stopped.metered == project.bill == project.charged == 30_000
    run_id = project.report["run"]
    assert project.git("show", f"bursar/{run_id}/1/1:one.txt") == "hello"
    more = [*first, writes("two.txt", usage=usage(1_000)), Step(text="Done.", usage=usage(500))]
    project.server.script = script({1: more})
    again = project.bursar("resume", "--trust", "--add", "75k tokens")
    assert again.code == 0, again.err
    assert project.subjects == ["feat(08-02): One", "docs(08-02): Add summary"]
    assert all((project.repo / name).read_text() == "hello\n" for name in ("one.txt", "two.txt"))
    told = json.dumps(project.server.request_bodies[-1])
    assert "Write what is due for One" in told, "the first prompt is remembered"
    assert "You were stopped in the middle of this task" in told
    assert again.metered == project.bill == project.charged
    assert project.server.billed().total_tokens == 30_000 + 1_500
    project.assert_tidy()


@pytest.mark.real_agent
@pytest.mark.timeout(240)
def test_claude_is_gone_on_with_after_its_supervisor_was_killed(make_project: MakeProject, toml: str) -> None:
    """The hold is charged, and the conversation is not lost with it."""

    begun = [writes("one.txt"), Step(text="x", wait_for="gate")]
    project = make_project(plan(task("One")), script({1: begun}), toml)
    run = project.start_run("--budget", "500k tokens")
    assert project.server.wait_until_reached("gate")
    project.server.script = script({1: [begun[0], writes("two.txt")]})
    project.server.open_gate("gate")
    os.kill(project.supervisor_of("1"), signal.SIGKILL)
    ended = run.end()
    assert ended.code == 5, ended.err
    again = project.bursar("resume", "--trust")
    assert again.code == 0, again.err
    assert "You were stopped in the middle of this task" in json.dumps(project.server.request_bodies[-1])
    assert (project.repo / "one.txt").read_text() == "hello\n"
    assert again.metered <= project.bill <= project.charged
    assert project.bill > CALL_TOKENS
    project.assert_tidy()


@pytest.mark.real_agent
@pytest.mark.timeout(280)
@pytest.mark.parametrize(
    "agent", ["codex", *(pytest.param(name, marks=pytest.mark.faults) for name in ("gemini", "opencode"))]
)  # half a minute
def test_other_agents_remember_too(make_project: MakeProject, agent: str) -> None:
    """As with Claude Code; each tells its usage in its own way, and none of it is counted again."""
    first = [write("one.txt", usage=usage(10_000)), shell("sleep 600", usage=usage(20_000))]
    project = make_project(plan(task("One")), script({1: first}), settings_for(agent))
    project.more.update(KINDS[agent].address(project.server.url))
    if not KINDS[agent].is_live_in_a_tool:
        first[1] = Step(text="x", usage=usage(20_000), wait_for="gate")
        project.server.script = script({1: first})
    run = project.start_run("--budget", "25k tokens")
    if not KINDS[agent].is_live_in_a_tool:
        assert project.server.wait_until_reached("gate", 200)
        assert project.bursar("stop", "--now").code == 0
    assert run.end(200).code == (4 if KINDS[agent].is_live_in_a_tool else 5)
    before = project.charged
    again_from = project.bill
    remembered = first[:1] if agent == "gemini" else first  # a call whose tool was ended it does not remember
    project.server.script = script(
        {1: [*remembered, write("two.txt", usage=usage(1_000)), Step(text="Y", usage=usage(500))]}
    )
    project.server.open_gate("gate")
    again = project.start("resume", "--trust", "--add", "75k tokens").end(200)
    assert again.code == 0, again.err
    assert (project.repo / "one.txt").read_text() == "done\n"
    told = json.dumps(project.server.request_bodies[-1])
    assert "You were stopped in the middle of this task" in told
    assert "Write what is due for One" in told, "the first prompt is remembered"
    assert project.charged - before == project.bill - again_from
    assert project.subjects == ["feat(08-02): One", "docs(08-02): Add summary"]
    project.assert_tidy()
