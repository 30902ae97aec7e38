"""An agent without a key or a login: told before the run, never a reason to refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.agents import ClaudeAgent, CodexAgent, CommandAgent
from bursar.cli.run_tools import tell_missing_login


def test_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    tell_missing_login(ClaudeAgent())
    said = capsys.readouterr()
    assert (said.out, said.err) == (
        "",
        "warning: claude: no key and no login was found; claude, then /login; or export ANTHROPIC_API_KEY=…\n",
    )


def test_nothing_is_told_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CODEX_API_KEY", "k")
    tell_missing_login(CodexAgent())
    tell_missing_login(CommandAgent(("x",)))  # nobody knows what its login is
    assert capsys.readouterr().err == ""
