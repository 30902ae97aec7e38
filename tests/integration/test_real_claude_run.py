"""Whole runs with the real Claude Code CLI against the fake model server: files, commits, and the ledger to the token.

Installed by `bursar.testing.agent_install` into `.cache/claude`; skipped with the reason where Node is missing.
"""

from __future__ import annotations

import json
import signal

import pytest

from bursar.testing.script import Step, ToolCall
from bursar.usage import Usage
from tests.integration.conftest import MakeProject
from tests.integration.kit import PLAN, SUMMARY, Project, parallel, plan, script, shell, task, usage, why_no_sandbox

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(240)]


@pytest.fixture(scope="session")
def toml(real_claude: str) -> str:
    """A `bursar.toml` that names the pinned CLI."""
    return f"[agents.claude]\nprogram = {json.dumps(real_claude)}\n"


def writes(path: str) -> tuple[ToolCall, ...]:
    return (ToolCall("Write", {"file_path": path, "content": "hello\n"}),)


def run_claude(project: Project, *arguments: str) -> list[str]:
    return ["run", PLAN, "--trust", "--agent", "claude", *arguments]


def test_plan_to_commits(make_project: MakeProject, toml: str) -> None:
    """Two tasks at once and one after them, each with a tool call and two model calls of different sizes."""
    last = Usage(input_tokens=7, cache_read_tokens=1200, cache_write_1h_tokens=5, output_tokens=777)
    text = plan(parallel("One"), parallel("Two"), task("Three", 'depends-on="1,2"', verify="grep -q hello one.txt"))
    steps = {n: [Step(text="Writing.", tools=writes(f"{name}.txt")), Step(text="Done.", usage=last)]
             for n, name in enumerate(("one", "two", "three"), 1)}  # fmt: skip
    project = make_project(text, script(steps), toml)
    ended = project.bursar(*run_claude(project, "--budget", "1M tokens"))
    assert ended.code == 0, ended.err
    assert all((project.repo / f"{name}.txt").read_text() == "hello\n" for name in ("one", "two", "three"))
    assert sorted(project.subjects) == [
        "docs(08-02): Add summary",
        *(f"feat(08-02): {n}" for n in ("One", "Three", "Two")),
    ]
    assert len(project.calls) == 6
    assert ended.metered == project.bill == project.charged
    billed = project.server.billed()
    models = project.report["usage_by_model"].values()
    for bucket in (
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_5m_tokens",
        "cache_write_1h_tokens",
    ):
        assert sum(model[bucket] for model in models) == getattr(billed, bucket)
    assert f"total_subagent_tokens: {project.bill}" in (project.repo / SUMMARY).read_text()
    project.assert_tidy()


def test_budget_stops_it(make_project: MakeProject, toml: str) -> None:
    """The first call passes the limit while its tool would run for ever: stopped, with everything charged.

    A call that the CLI has begun before the signal reaches it is charged, too: one may be in flight. On a busy machine
    the CLI also ends without its closing statement, once it has said that the tool was rejected: nobody knows then
    whether it had begun another call, and one is charged.
    """
    project = make_project(plan(task("One")), script({1: [shell("sleep 600", usage=usage(10_000))]}), toml)
    ended = project.bursar(*run_claude(project, "--budget", "9k tokens"))
    assert ended.code == 4, ended.err
    assert project.bill <= project.charged <= 20_000
    assert ended.metered == 10_000 or project.bill == 20_000
    assert project.charged in (10_000, 20_000)
    assert f"was passed by {project.charged - 9_000:,} tokens" in ended.out
    assert not (project.repo / SUMMARY).exists()
    project.assert_tidy()


def test_interrupt_and_again(make_project: MakeProject, toml: str) -> None:
    """ctrl-C while a reply streams: what is unknown is charged at its bound; the same command again finishes."""
    project = make_project(plan(task("One")), script({1: [Step(text="Never heard.", wait_for="gate")]}), toml)
    run = project.start(*run_claude(project, "--budget", "1M tokens"))
    assert project.server.wait_until_reached("gate")
    run.send(signal.SIGINT)
    ended = run.end()
    assert ended.code == 130
    assert ended.metered <= project.bill <= project.charged
    project.assert_tidy()
    project.server.script = script({1: [Step(tools=writes("one.txt"))]})
    again = project.bursar(*run_claude(project))
    assert again.code == 0, again.err
    assert (project.repo / "one.txt").read_text() == "hello\n"
    assert again.metered <= project.bill <= project.charged
    project.assert_tidy()


def test_in_a_sandbox(make_project: MakeProject, toml: str) -> None:
    """The real CLI in real bubblewrap: it works, its telemetry and its stream are heard, and the bill is met."""
    if reason := why_no_sandbox():
        pytest.skip(f"no sandbox here: {reason}")
    steps = [
        Step(
            text="Looking.",
            tools=(ToolCall("Bash", {"command": "cat $HOME/../../../../home/secret > seen.txt; true"}),),
        ),
        Step(text="Writing.", tools=writes("one.txt")),
        Step(text="Done."),
    ]
    project = make_project(plan(task("One", verify="grep -q hello one.txt")), script({1: steps}), toml)
    (project.folder / "home" / "secret").write_text("hunter2\n")
    ended = project.bursar(*run_claude(project, "--budget", "1M tokens", "--sandbox"))
    assert ended.code == 0, ended.err
    assert (project.repo / "one.txt").read_text() == "hello\n"
    assert "unsandboxed" not in ended.out
    assert ended.metered == project.bill == project.charged
    (outcome,) = project.state.glob("runs/*/attempts/*/outcome.json")
    assert json.loads(outcome.read_text())["differences"] == []
    project.assert_gone()


def test_a_login_that_is_replaced_in_a_sandbox_is_the_users(make_project: MakeProject, toml: str) -> None:
    """As the CLI does it when it renews a token: a file beside it, under a lock, which takes its place."""
    if reason := why_no_sandbox():
        pytest.skip(f"no sandbox here: {reason}")
    renews = (
        'cd "$CLAUDE_SECURESTORAGE_CONFIG_DIR" && mkdir ../login.lock .oauth_refresh.lock && sed s/first/second/'
        " .credentials.json > draft && mv draft .credentials.json && rmdir ../login.lock .oauth_refresh.lock"
    )
    steps = [Step(text="Renewing.", tools=(ToolCall("Bash", {"command": renews}),)), Step(text="Done.")]
    project = make_project(plan(task("One", files="")), script({1: steps}), toml)
    project.more["ANTHROPIC_API_KEY"] = ""
    own = project.folder / "home" / ".claude" / ".credentials.json"
    own.parent.mkdir()
    own.write_text(
        '{"claudeAiOauth": {"accessToken": "first", "refreshToken": "r", "expiresAt": 4000000000000,'
        ' "scopes": ["user:inference"], "subscriptionType": "max"}}'
    )
    ended = project.bursar(*run_claude(project, "--budget", "1M tokens", "--sandbox"))
    assert len(project.calls) == 2, ended.err
    assert json.loads(own.read_text())["claudeAiOauth"]["accessToken"] == "second"
    assert list(own.parent.iterdir()) == [own]
    assert not list(project.state.glob("runs/*/logins")), "no copy is left"


@pytest.mark.parametrize("how", ["arguments", "environment"])
def test_a_model_without_a_price_is_refused_before_its_first_call(
    make_project: MakeProject, toml: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The route says `sonnet`, which has a price; what the CLI would ask has none, and that is known beforehand."""
    if how == "arguments":
        toml += 'arguments = ["--model", "my-own-model"]\n'
    else:
        usual = vars(Project)["environment"].fget
        named = {"ANTHROPIC_DEFAULT_SONNET_MODEL": "my-own-model"}
        monkeypatch.setattr(Project, "environment", property(lambda project: {**usual(project), **named}))
    project = make_project(plan(task("One")), script({1: [shell("true"), Step(tools=writes("one.txt"))]}), toml)
    refused = project.bursar(*run_claude(project, "--budget", "5 USD"))
    assert (refused.code, project.bill) == (2, 0)
    assert refused.err.startswith("error: no price is known for model my-own-model")
    ended = project.bursar(*run_claude(project, "--budget", "100k tokens"))
    assert ended.code == 0, ended.err
    assert {call.model for call in project.calls} == {"my-own-model"} == set(project.report["usage_by_model"])
    project.assert_tidy()
