"""What the real CLIs are given of the user's and of the repository's: their login, and nothing else unless allowed.

As test_real_agents.py, which tells how the CLIs are had.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from bursar.testing.script import Step
from bursar.usage import NOTHING
from tests.conformance.conftest import Cell
from tests.conformance.hostile_repository import LEAK, LISTED, WORDS, Counter, set_up
from tests.conformance.real_agents import NO_SLASH_TMP, RealBench
from tests.conformance.test_real_agents import assert_exact, bench, shell, write
from tests.conformance.token_server import TokenServer, tokens

__all__ = ["bench"]  # a fixture

OTHER = "/other"
ALLOWED: Mapping[str, set[str]] = {
    "claude": {
        *("address", "hook-SessionStart", "hook-PreToolUse", "hook-Stop", "key-helper", "mcp", "otel-helper"),
        *(".claude/output-styles/other.md", ".claude/skills/of-claude/SKILL.md"),
    },
    "codex": {"mcp", ".agents/skills/of-agents/SKILL.md", ".codex/skills/of-codex/SKILL.md"},
    "gemini": {"discovery", "hook-SessionStart", "hook-BeforeModel", "hook-AfterTool", "mcp", ".gemini/system.md"},
    "opencode": {
        *("address", "formatter", "lsp", "mcp", "plugin", "plugin-in-folder", "plugins"),
        *(".opencode/agent/build.md", ".opencode/skills/of-opencode/SKILL.md", ".opencode/tools/other.ts"),
    },
}
"""What of it takes effect where it may: hooks of Codex's have to be trusted one by one."""

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(240)]


def listed(bench: RealBench) -> set[str]:
    """Files whose words reached the model beside the instructions: skills, agents, commands, ways to talk."""
    return set(re.findall(rf"{LISTED}:([\w./-]+)", str(bench.server.request_bodies)))


@dataclass
class Hostile:
    """A bench whose repository tries; what it achieved. What it brings leads to `other`, or to a path of the server."""

    bench: RealBench
    traces: Path
    other: Counter

    @property
    def achieved(self) -> set[str]:
        is_led_away = self.other.hits or any(OTHER in call.path for call in self.bench.server.calls)
        return {path.name for path in self.traces.iterdir()} | ({"address"} if is_led_away else set())


@pytest.fixture
def hostile(bench: RealBench) -> Iterator[Hostile]:
    traces = bench.folder / "traces"
    traces.mkdir()
    other = Counter()
    yield Hostile(bench, traces, other)
    other.close()


def test_repository_settings_take_no_effect(hostile: Hostile, cell: Cell) -> None:
    """No hook, no key helper, no server of tools, no other address; its instructions are read all the same."""
    bench = hostile.bench
    set_up(bench.name, bench.worktree, hostile.traces, hostile.other.url)
    steps = (shell("env > work.txt"), write(bench), Step(text="Done."))
    run = bench.run(*steps, environment={"SOMEBODY_S_TOKEN": "x"})
    seen = (bench.worktree / "work.txt").read_text()
    assert f"{LEAK}=1" not in seen
    assert "OTEL_" not in seen  # our receiver's address is the agent's, not its tools'
    assert "SOMEBODY_S_TOKEN" not in seen
    assert hostile.achieved == set()
    assert run.exit_code == 0
    assert WORDS in str(bench.server.request_bodies[0])
    assert listed(bench) == set()
    assert_exact(run, bench)
    cell("a repository's hooks, servers, addresses, skills", "without effect; its instructions are read")


def test_repository_settings_that_are_allowed(hostile: Hostile) -> None:
    """The same repository, when its settings may take effect: the test above tests something."""
    bench = hostile.bench
    set_up(bench.name, bench.worktree, hostile.traces, bench.server.url + OTHER)
    run = bench.start(
        shell("echo work > work.txt"), write(bench), Step(text="Done."), repository_settings=True,
        environment={"CLAUDE_CODE_MAX_RETRIES": "0"},
    )  # fmt: skip
    run.end_within(60)
    assert not ALLOWED[bench.name] - hostile.achieved - listed(bench)


LOGINS = {
    "claude": (
        ".claude/.credentials.json",
        {"claudeAiOauth": {"accessToken": "t", "refreshToken": "r", "expiresAt": 4_000_000_000_000,
                           "scopes": ["user:inference"], "subscriptionType": "max"}},
    ),
    "codex": (".codex/auth.json", {"auth_mode": "apikey", "OPENAI_API_KEY": "dummy"}),
    "opencode": (".local/share/opencode/auth.json", {"anthropic": {"type": "api", "key": "dummy"}}),
}  # fmt: skip


@pytest.mark.parametrize("bench", LOGINS, indirect=True)
def test_a_login_in_a_file_lets_it_in(bench: RealBench, cell: Cell) -> None:
    """Without any key in the environment; nothing of the user's habits comes along."""
    place, login = LOGINS[bench.name]
    habits = dict.fromkeys((".claude/CLAUDE.md", ".codex/AGENTS.md", ".config/opencode/AGENTS.md"), "HABITS")
    for path, content in {place: json.dumps(login), **habits}.items():
        (bench.home / path).parent.mkdir(parents=True, exist_ok=True)
        (bench.home / path).write_text(content)
    keys = dict.fromkeys(("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL"), "")
    arguments = {"extra_arguments": logged_in(bench.server.url)} if bench.name == "codex" else {}
    run = bench.run(Step(text="Done."), environment=keys, **arguments)
    assert (run.exit_code, run.statement.is_error) == (0, False)
    assert len(bench.server.calls) == 1
    assert "HABITS" not in str(bench.server.request_bodies)
    assert json.loads((bench.home / place).read_text()) == login
    cell("a login in a file", "lets it in")


def test_without_a_login(bench: RealBench, cell: Cell) -> None:
    """It ends by itself, and nothing is taken to have been asked: what is held is given back."""
    keys = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY")
    run = bench.run(Step(text="Never."), environment=dict.fromkeys(keys, ""))
    assert (run.exit_code != 0, bench.server.requests) == (True, 0)
    assert run.meter.total == NOTHING
    assert run.meter.session_id is None or run.meter.unknown_call() is None
    cell("without a key or a login", "asks no model, nothing charged")


@pytest.mark.parametrize("bench", ["codex"], indirect=True)  # only it can be told where to renew its tokens
def test_renewed_tokens_reach_the_user(bench: RealBench, cell: Cell) -> None:
    """Two attempts, one after the other: the second is let in with the token that the first was given."""
    own = bench.home / ".codex/auth.json"
    own.parent.mkdir()
    own.write_text(_codex_login(1))
    renewing = TokenServer()
    arguments = logged_in(bench.server.url)
    environment = {"OPENAI_BASE_URL": "", "OPENAI_API_KEY": "", "CODEX_REFRESH_TOKEN_URL_OVERRIDE": renewing.url}
    for number in (2, 3):
        run = bench.run(Step(text="Done."), environment=environment, extra_arguments=arguments)
        assert (run.exit_code, renewing.latest) == (0, number)
        assert json.loads(own.read_text())["tokens"]["refresh_token"] == f"refresh-{number}"
        assert (bench.private_home / ".codex/auth.json").resolve() == own
        own.write_text(_codex_login(number))  # it has expired again
    renewing.close()
    cell("tokens that it renews", "reach the user's file")


def logged_in(url: str) -> tuple[str, ...]:
    """What makes Codex ask that server with its login instead of a key."""
    address = f'{{name="mine",base_url="{url}/v1",wire_api="responses",requires_openai_auth=true}}'
    provider = ("-c", 'model_provider="mine"', "-c", f"model_providers.mine={address}")
    return (*provider, "-c", f'chatgpt_base_url="{url}"', *NO_SLASH_TMP)


def _codex_login(number: int) -> str:
    said = tokens(number, expires_in=-100) | {"account_id": "account"}
    return json.dumps({"auth_mode": "chatgpt", "tokens": said, "last_refresh": "2026-01-01T00:00:00Z"})
