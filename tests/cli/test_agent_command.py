"""`bursar agent`: what is installed, how it is let in, what to mend; on programs that only say a version."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Bursar, Said

Install = Callable[..., Path]
SECRET = "sk-very-secret"
QUIET = '{"privacy": {"usageStatisticsEnabled": false}}'
LOGIN_VARIABLES = (
    "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK", "BURSAR_AGENT",
    "CLAUDE_CODE_USE_VERTEX", "CODEX_API_KEY", "CODEX_ACCESS_TOKEN", "CODEX_HOME", "OPENAI_API_KEY", "OPENAI_BASE_URL",
    "GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_GCA", "GOOGLE_GEMINI_BASE_URL",
    "GEMINI_CLI_HOME", "OPENROUTER_API_KEY", "OPENCODE_API_KEY", "OPENCODE_AUTH_CONTENT", "XDG_DATA_HOME",
    "CLAUDE_CONFIG_DIR", "BURSAR_CLAUDE",
)  # fmt: skip


@pytest.fixture
def install(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a program on the PATH, which holds nothing else; the home is empty, and no key is set."""
    folder, home = tmp_path / "bin", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HOME", str(home))
    for name in LOGIN_VARIABLES:
        monkeypatch.delenv(name, raising=False)

    def put(name: str, says: str) -> Path:
        (folder / name).write_text(f"#!/bin/sh\n{says}\n")
        (folder / name).chmod(0o755)
        return folder / name

    return put


def test_nothing_is_installed(bursar: Bursar, install: Install) -> None:
    said = bursar("agent")
    assert (said.code, said.err) == (6, "")
    assert said == bursar("agent", "list")
    rows = [line.split() for line in said.out.splitlines()]
    assert rows[0] == ["agent", "version", "limit", "login", "program"]
    assert rows[1] == ["▸", "claude", "–", "bounded", "none", "found", "not", "installed"]
    assert [row[0] for row in rows[2:]] == ["codex", "gemini", "opencode"]


def test_the_list(bursar: Bursar, install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    program = install("claude", "echo '2.1.329 (Claude Code)'")
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    said = bursar("agent", "list", "claude")
    assert said.code == 0
    assert said.out.splitlines()[1] == f"▸  claude  2.1.329  bounded  key in ANTHROPIC_API_KEY  {program}"
    assert SECRET not in said.out


def test_the_doctor_says_what_to_mend(bursar: Bursar, install: Install) -> None:
    program = install("codex", "echo codex-cli 0.99.1")
    assert bursar("agent", "doctor", "codex") == Said(
        0,
        "codex 0.99.1 · limits are bounded\n"
        f"  ✓ {program}\n"
        "  ✗ version 0.99.1 is older than the one that was tried, 0.169.0\n"
        "    fix: npm install -g @openai/codex@0.169.0\n"
        "  ✗ no key and no login was found\n"
        "    fix: codex login; or export CODEX_API_KEY=…\n",
        "",
    )


def test_the_doctor_has_nothing_to_say(bursar: Bursar, install: Install, tmp_path: Path) -> None:
    """A newer version is no problem, and a login is told by its place alone."""
    program = install("gemini", "echo 1.0.0")
    (tmp_path / "home/.gemini").mkdir()
    (tmp_path / "home/.gemini/settings.json").write_text(QUIET)
    (tmp_path / "home/.gemini/oauth_creds.json").write_text(SECRET)
    said = bursar("agent", "doctor", "gemini")
    login = tmp_path / "home/.gemini/oauth_creds.json"
    assert said == Said(0, f"gemini 1.0.0 · limits are bounded\n  ✓ {program}\n  ✓ login in {login}\n", "")


@pytest.mark.parametrize("says", ["exit 1", "echo no number", "echo 1.2.3; exit 3"])
def test_a_program_that_does_not_say_its_version(bursar: Bursar, install: Install, says: str) -> None:
    install("opencode", says)
    said = bursar("agent", "doctor", "opencode")
    assert said.code == 0
    assert "✗ it does not say its version\n    fix: npm install -g opencode-ai@1.18.33\n" in said.out


def test_json(bursar: Bursar, install: Install, place: Path) -> None:
    (place / "bursar.toml").write_text('[run]\nagent = "codex"\n\n[agents.codex]\narguments = ["--ephemeral"]\n')
    program = install("codex", "echo codex-cli 0.169.0")
    said = bursar("agent", "doctor", "--json")
    found = {each["name"]: each for each in json.loads(said.out)}
    assert (said.code, list(found)) == (0, ["claude", "codex", "gemini", "opencode"])
    assert found["codex"] == {
        "name": "codex",
        "chosen": True,
        "installed": True,
        "program": str(program),
        "version": "0.169.0",
        "tried_version": "0.169.0",
        "login": None,
        "certainty": "observed",
        "problems": [
            {"what": "no key and no login was found", "fix": "codex login; or export CODEX_API_KEY=…"},
            {
                "what": "with --ephemeral it keeps no session log, and calls are known at the end alone",
                "fix": "take --ephemeral out of agents.codex.arguments",
            },
        ],
    }
    assert (found["claude"]["installed"], found["claude"]["program"]) == (False, None)


def test_a_program_of_one_s_own_is_listed_when_it_is_set(bursar: Bursar, install: Install, place: Path) -> None:
    program = install("mine", "exit 1")
    (place / "bursar.toml").write_text('[run]\nagent = "command"\n\n[agents.command]\nargv = ["mine"]\n')
    said = bursar("agent", "doctor", "command")
    assert said == Said(
        0, f"command · limits are bounded · runs use it\n  ✓ {program}\n  ✓ a login is not looked for\n", ""
    )
    assert "command" in bursar("agent", "list").out


def test_an_agent_that_is_asked_for_and_missing(bursar: Bursar, install: Install) -> None:
    install("claude", "echo 2.1.329")
    assert bursar("agent", "list").code == 0
    assert bursar("agent", "list", "codex").code == 6


def test_no_such_agent(bursar: Bursar, install: Install) -> None:
    hint = "known agents: claude, codex, gemini, opencode, command"
    assert bursar("agent", "list", "cursor") == Said(2, "", f"error: there is no agent `cursor`\n\nhint: {hint}\n")
    assert bursar("agent", "mend").code == 2


def test_a_program_that_the_project_names_is_not_started(
    bursar: Bursar, install: Install, place: Path, tmp_path: Path
) -> None:
    """Who clones a repository has approved nothing in it; what the user's own file names is asked."""
    started = tmp_path / "started"
    program = install("evil", f": > {started}; echo 0.169.0")
    settings = f'[agents.codex]\nprogram = "{program}"\n'
    (place / "bursar.toml").write_text(settings)
    said = bursar("agent", "doctor", "codex")
    assert (said.code, started.exists()) == (0, False)
    assert f"not started to ask for its version\n    fix: {program} --version\n" in said.out
    (tmp_path / "config/bursar").mkdir(parents=True)
    (tmp_path / "config/bursar/bursar.toml").write_text(settings)
    assert bursar("agent", "doctor", "codex").out.startswith("codex 0.169.0 ")
    assert started.exists()
