"""How Codex, Gemini CLI and OpenCode are called: arguments, environment, tiers, what is withheld, how they end."""

from __future__ import annotations

import json
import signal
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bursar.agents import Agent, ClaudeAgent, CodexAgent, GeminiAgent, Launch, LaunchRequest, OpencodeAgent
from bursar.errors import SetupError
from bursar.pricing import load_prices
from bursar.usage import Usage

PROMPT = 'Do "it"; $(rm -rf /) -c x=1'
MAKERS: dict[str, Callable[..., Agent]] = {"codex": CodexAgent, "gemini": GeminiAgent, "opencode": OpencodeAgent}


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "agent"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def launch(agent: Agent, **environment: str) -> Launch:
    request = LaunchRequest(prompt=PROMPT, worktree=Path("/w"), model="some/model", session_id="s-1")
    return agent.launch(request, environment)


def settings_of(argv: tuple[str, ...]) -> dict[str, object]:
    """What Codex's `-c` flags say, each read as TOML as the CLI does it."""
    pairs = [argv[place + 1] for place, word in enumerate(argv) if word == "-c"]
    read: dict[str, object] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        read[key] = tomllib.loads(f"x = {value}")["x"]
    return read


@pytest.mark.parametrize("name", MAKERS)
def test_what_all_have_in_common(name: str, program: str) -> None:
    agent = MAKERS[name](program, extra_arguments=("--more", "x"))
    started = launch(agent, PATH="/bin", HOME="/h")
    assert (agent.name, started.argv[0], started.stdin) == (name, program, PROMPT.encode())
    assert PROMPT not in started.argv
    assert started.argv[started.argv.index("--model") + 1] == "some/model"
    assert {"PATH": "/bin", "HOME": "/h"}.items() <= dict(started.environment).items()
    place = started.argv.index("--more")
    assert [word for word in started.argv[place:] if word != "-"] == ["--more", "x"]
    assert agent.reader(started.environment).feed_line(b"") == ()
    assert sum(step.grace_seconds for step in agent.stop_ladder) <= 4
    assert [step.signal for step in agent.stop_ladder] == [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("name", MAKERS)
def test_tiers_have_prices(name: str) -> None:
    """Else a budget in USD would refuse to start with the built-in tiers."""
    agent = MAKERS[name](models={"large": "my/model"})
    assert agent.model_for("large") == "my/model"
    assert agent.model_for("gpt-9") == "gpt-9"
    built_in = [MAKERS[name]().model_for(tier) for tier in ("small", "medium", "large")]
    assert len(set(built_in)) == 3
    table = load_prices(datetime(2026, 11, 21, tzinfo=UTC)).table(built_in)
    costs = [table.cost_nano_usd(model, Usage(input_tokens=1000, output_tokens=100)) for model in built_in]
    assert None not in costs
    assert costs == sorted(cost for cost in costs if cost is not None)


@pytest.mark.parametrize(("name", "package"), [("codex", "@openai/codex"), ("gemini", "@google/gemini-cli"),
                                               ("opencode", "opencode-ai")])  # fmt: skip
def test_not_installed(name: str, package: str) -> None:
    with pytest.raises(SetupError, match="is not installed") as raised:
        MAKERS[name]("/no/such/program").find()
    assert raised.value.hint == f"npm install -g {package}"


def test_codex_calls_nobody_and_asks_nobody(program: str) -> None:
    started = launch(CodexAgent(program), CODEX_SANDBOX="seatbelt", CODEX_THREAD_ID="t", CODEX_HOME="/c")
    assert started.argv[1:4] == ("exec", "--json", "--skip-git-repo-check")
    assert started.argv[-1] == "-"
    settings = settings_of(started.argv)
    assert settings["analytics.enabled"] is settings["features.plugins"] is settings["agents.enabled"] is False
    assert (settings["approval_policy"], settings["sandbox_mode"]) == ("never", "workspace-write")
    assert "model_provider" not in settings
    assert started.environment == {"CODEX_HOME": "/c"}
    assert "agents.enabled" not in settings_of(launch(CodexAgent(program, nested=True)).argv)


@pytest.mark.parametrize(
    ("keys", "env_key"),
    [({}, "OPENAI_API_KEY"), ({"CODEX_API_KEY": "k"}, "CODEX_API_KEY"),
     ({"CODEX_API_KEY": "k", "OPENAI_API_KEY": "k"}, "OPENAI_API_KEY")],
)  # fmt: skip
def test_codex_goes_where_the_base_url_says(program: str, keys: dict[str, str], env_key: str) -> None:
    address = 'http://127.0.0.1:1/t/"x"/v1'
    settings = settings_of(launch(CodexAgent(program), OPENAI_BASE_URL=address, **keys).argv)
    assert settings["model_provider"] == "bursar"
    provider = settings["model_providers.bursar"]
    assert provider == {"name": "bursar", "base_url": address, "env_key": env_key, "wire_api": "responses"}


def test_gemini_is_not_relaunched_and_withholds_by_policy(program: str) -> None:
    started = launch(GeminiAgent(program), GEMINI_CLI_NO_RELAUNCH="false")
    assert started.environment["GEMINI_CLI_NO_RELAUNCH"] == "true"
    assert started.argv[started.argv.index("--approval-mode") + 1] == "yolo"
    policy = tomllib.loads(Path(started.argv[started.argv.index("--policy") + 1]).read_text())
    assert {"invoke_agent"} <= set(policy["rule"][0]["toolName"])
    assert policy["rule"][0]["decision"] == "deny"
    assert "--policy" not in launch(GeminiAgent(program, nested=True)).argv


@pytest.mark.parametrize(
    ("own", "permissions"),
    [(None, {"task": "deny"}), ('{"bash":"ask","task":"allow"}', {"bash": "ask", "task": "deny"}),
     ("not json", {"task": "deny"}), ("[1]", {"task": "deny"})],
)  # fmt: skip
def test_opencode_keeps_what_the_user_permits(program: str, own: str | None, permissions: dict[str, str]) -> None:
    environment = {} if own is None else {"OPENCODE_PERMISSION": own}
    started = launch(OpencodeAgent(program), **environment)
    assert json.loads(started.environment["OPENCODE_PERMISSION"]) == permissions
    assert {"--auto", "--title"} <= set(started.argv)
    nested = launch(OpencodeAgent(program, nested=True), **environment)
    assert nested.environment.get("OPENCODE_PERMISSION") == own


@pytest.mark.parametrize(("given", "cap"), [({}, 32_000), ({"OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX": "64000"}, 64_000),
                                            ({"OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX": "many"}, 32_000)])  # fmt: skip
def test_the_most_output_of_a_call(program: str, given: dict[str, str], cap: int) -> None:
    assert launch(OpencodeAgent(program), **given).output_cap == cap
    assert launch(CodexAgent(program)).output_cap == 128_000
    assert launch(GeminiAgent(program)).output_cap == 65_536


@pytest.mark.parametrize(
    ("make", "arguments", "told"),
    [
        (GeminiAgent, ("--debug", "-o", "json"), "-o json"),
        (GeminiAgent, ("--outputFormat=text",), "--outputFormat text"),
        (OpencodeAgent, ("--format",), "--format"),
        (ClaudeAgent, ("--output-format", "text"), "--output-format text"),
    ],
)
def test_an_output_that_cannot_be_metered_is_refused(
    make: Callable[..., Agent], arguments: tuple[str, ...], told: str, program: str
) -> None:
    agent = make(program, extra_arguments=arguments)
    with pytest.raises(SetupError, match=f"^`{told}` in agents.{agent.name}.arguments chooses an output that cannot"):
        agent.find()


def test_an_output_that_can_be_metered_is_the_user_s_choice(program: str) -> None:
    """Claude Code refuses partial messages with it, however it is written."""
    for arguments in (("--output-format", "json"), ("--output-format=json",)):
        argv = launch(ClaudeAgent(program, extra_arguments=arguments)).argv
        assert argv[-len(arguments) :] == arguments
        assert "--include-partial-messages" not in argv
    assert launch(OpencodeAgent(program, extra_arguments=("--format", "json"))).argv[-1] == "json"
