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
    for agent in (ClaudeAgent(), CodexAgent(), GeminiAgent(), OpencodeAgent(), CommandAgent(("x",))):
        assert agent.examine({}).certainty in Certainty


@pytest.mark.parametrize(("name", "kind"), [("codex", CodexAgent), ("opencode", OpencodeAgent)])
def test_sub_agents_are_counted_too(name: str, kind: type[CodexAgent] | type[OpencodeAgent], tmp_path: Path) -> None:
    """From their own logs, or the database: a limit is as sure with them as without."""
    nested, alone = (kind(nested=each).examine({"HOME": str(tmp_path)}) for each in (True, False))
    assert nested.certainty is Certainty.BOUNDED
    assert nested == alone
