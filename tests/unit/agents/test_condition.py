"""How agents are let in and what is in their way: told from the environment and from which files are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.agents import Agent, Certainty, ClaudeAgent, CodexAgent, CommandAgent, GeminiAgent, OpencodeAgent

SECRET = "sk-very-secret"
GEMINI_QUIET = (
    '{"privacy": {"usageStatisticsEnabled": false}, "security": {"auth": {"selectedType": "gemini-api-key"}}}'
)


def put(path: Path, content: str = SECRET) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


@pytest.mark.parametrize(
    ("agent", "variable", "more"),
    [
        (ClaudeAgent(), "ANTHROPIC_API_KEY", {}),
        (ClaudeAgent(), "CLAUDE_CODE_OAUTH_TOKEN", {}),
        (CodexAgent(), "CODEX_API_KEY", {}),
        (CodexAgent(), "OPENAI_API_KEY", {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}),
        (GeminiAgent(), "GEMINI_API_KEY", {}),
        (OpencodeAgent(), "OPENAI_API_KEY", {}),
    ],
)
def test_a_key_is_found_and_never_told(agent: Agent, variable: str, more: dict[str, str], tmp_path: Path) -> None:
    condition = agent.examine({"HOME": str(tmp_path), variable: SECRET, **more})
    assert condition.login == f"key in {variable}"
    assert SECRET not in repr(condition)
    assert not any("no key" in problem.what for problem in condition.problems)
    without = agent.examine({"HOME": str(tmp_path), variable: "", **more})
    assert without.login is None
    assert any("no key" in problem.what for problem in without.problems)


@pytest.mark.parametrize(
    ("agent", "place", "variable", "moved"),
    [
        (ClaudeAgent(), ".claude/.credentials.json", "CLAUDE_CONFIG_DIR", ".credentials.json"),
        (CodexAgent(), ".codex/auth.json", "CODEX_HOME", "auth.json"),
        (GeminiAgent(), ".gemini/oauth_creds.json", "GEMINI_CLI_HOME", ".gemini/oauth_creds.json"),
        (OpencodeAgent(), ".local/share/opencode/auth.json", "XDG_DATA_HOME", "opencode/auth.json"),
    ],
)
def test_a_login_is_found_and_never_told(agent: Agent, place: str, variable: str, moved: str, tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    path = put(home / place)
    condition = agent.examine({"HOME": str(home)})
    assert condition.login == f"login in {path}"
    assert SECRET not in repr(condition)
    assert agent.examine({"HOME": str(home), variable: str(other)}).login is None
    put(other / moved)
    assert agent.examine({variable: str(other)}).login == f"login in {other / moved}"


def test_openai_s_key_alone_does_not_let_codex_in(tmp_path: Path) -> None:
    assert CodexAgent().examine({"HOME": str(tmp_path), "OPENAI_API_KEY": SECRET}).login is None


def test_codex_without_its_log_is_only_observed(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert CodexAgent().examine(home).certainty is Certainty.BOUNDED
    blind = CodexAgent(extra_arguments=("--ephemeral",)).examine(home)
    assert blind.certainty is CodexAgent(private_home=False).examine({}).certainty is Certainty.OBSERVED
    assert CodexAgent().examine({}).certainty is Certainty.BOUNDED
    assert blind.problems[-1].fix == "take --ephemeral out of agents.codex.arguments"


@pytest.mark.parametrize(
    ("settings", "address", "problems"),
    [
        (None, "", ["maker"]),
        (GEMINI_QUIET, "http://127.0.0.1:1", []),
        ('{"privacy": {"usageStatisticsEnabled": false}}', "http://127.0.0.1:1", ["refuses to start"]),
        ("{}", "http://127.0.0.1:1", ["refuses to start", "maker"]),
        ("not json", "", ["maker"]),
        ('{"privacy": 5}', "", ["maker"]),
    ],
)
def test_gemini_s_settings(settings: str | None, address: str, problems: list[str], tmp_path: Path) -> None:
    if settings is not None:
        put(tmp_path / ".gemini/settings.json", settings)
    environment = {"HOME": str(tmp_path), "GEMINI_API_KEY": SECRET, "GOOGLE_GEMINI_BASE_URL": address}
    assert GeminiAgent().examine(environment).problems == ()  # in its private home bursar writes them
    found = [problem.what for problem in GeminiAgent(private_home=False).examine(environment).problems]
    assert len(found) == len(problems)
    assert all(word in what for word, what in zip(problems, found, strict=True))


def test_no_home_is_no_crash() -> None:
    for agent in (ClaudeAgent(), CodexAgent(), GeminiAgent(), OpencodeAgent()):
        assert agent.examine({}).login is None
    assert CommandAgent(("x",)).examine({}).login == "a login is not looked for"


@pytest.mark.parametrize("kind", [CodexAgent, OpencodeAgent])
def test_sub_agents_are_counted_too(kind: type[CodexAgent] | type[OpencodeAgent], tmp_path: Path) -> None:
    """From their own logs, or the database: a limit is as sure with them as without."""
    nested, alone = (kind(nested=each).examine({"HOME": str(tmp_path)}) for each in (True, False))
    assert nested.certainty is Certainty.BOUNDED
    assert nested == alone


@pytest.mark.parametrize(
    ("agent", "place"),
    [
        (ClaudeAgent(), ".claude/.credentials.json"),
        (CodexAgent(), ".codex/auth.json"),
        (GeminiAgent(), ".gemini/oauth_creds.json"),
        (OpencodeAgent(), ".local/share/opencode/auth.json"),
    ],
)
@pytest.mark.parametrize("content", ["", "{}", " { }\n", "null"])
def test_what_a_logout_leaves_is_no_login(agent: Agent, place: str, content: str, tmp_path: Path) -> None:
    put(tmp_path / place, content)
    assert agent.examine({"HOME": str(tmp_path)}).login is None


def test_a_folder_in_the_place_of_a_login_is_none(tmp_path: Path) -> None:
    (tmp_path / ".codex/auth.json").mkdir(parents=True)
    assert CodexAgent().examine({"HOME": str(tmp_path)}).login is None


def test_claude_s_other_ways_in(tmp_path: Path) -> None:
    """What its private home is given: a key of the console's, a program that gets one, credentials elsewhere."""
    home = {"HOME": str(tmp_path)}
    elsewhere = put(tmp_path / "safe/.credentials.json")
    moved = home | {"CLAUDE_SECURESTORAGE_CONFIG_DIR": str(elsewhere.parent)}
    assert ClaudeAgent().examine(moved).login == f"login in {elsewhere}"
    settings = put(tmp_path / ".claude/settings.json", '{"apiKeyHelper": "pass sk-very-secret"}')
    assert ClaudeAgent().examine(home).login == f"apiKeyHelper in {settings}"
    account = put(tmp_path / ".claude.json", f'{{"primaryApiKey": "{SECRET}"}}')
    assert ClaudeAgent().examine(home).login == f"key in {account}"
    assert SECRET not in repr(ClaudeAgent().examine(home))


def test_gemini_s_other_login(tmp_path: Path) -> None:
    path = put(tmp_path / ".gemini/gemini-credentials.json")
    assert GeminiAgent().examine({"HOME": str(tmp_path)}).login == f"login in {path}"


def test_opencode_s_key_of_another_provider_does_not_let_it_in(tmp_path: Path) -> None:
    """Only what belongs to the provider of a model passes to it."""
    home = {"HOME": str(tmp_path), "OPENAI_API_KEY": SECRET}
    (problem,) = OpencodeAgent().examine(home).problems
    assert problem.what == "nothing lets it in at `anthropic`, whose model anthropic/claude-haiku-4-5 it would ask"
    assert problem.fix == 'opencode auth login; or in bursar.toml: [agents.opencode.models] small = "openai/…"'
    own = dict.fromkeys(("small", "medium", "large"), "openai/gpt-6-luna")
    assert OpencodeAgent(models=own).examine(home).problems == ()
    assert OpencodeAgent().examine(home | {"ANTHROPIC_API_KEY": SECRET}).problems == ()
    put(tmp_path / ".local/share/opencode/auth.json", f'{{"anthropic": {{"type": "api", "key": "{SECRET}"}}}}')
    assert OpencodeAgent().examine(home).problems == ()
