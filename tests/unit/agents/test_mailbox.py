"""Words for an agent that works: put, handed over once by the hook of its CLI, or never."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bursar.agents import (
    ClaudeAgent,
    CodexAgent,
    GeminiAgent,
    Launch,
    LaunchRequest,
    OpencodeAgent,
    empty_mailbox,
    put_words,
    were_heard,
)
from bursar.agents.mailbox import hook_command

WORDS = """Wrap up: it's "5 USD" \\ $(reboot) `id` %s\nändern Sie nichts."""


@pytest.fixture(params=["plain", 'it\'s a "home" $HOME %s'])
def mailbox(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path / str(request.param)
    folder.mkdir()
    return folder / "mailbox.json"


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "program"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def hear(mailbox: Path) -> str:
    done = subprocess.run(["/bin/sh", "-c", hook_command(mailbox, "PostToolUse")], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_words_are_heard_once(mailbox: Path) -> None:
    assert (hear(mailbox), were_heard(mailbox)) == ("", False)
    put_words(mailbox, WORDS)
    assert not were_heard(mailbox)
    said = json.loads(hear(mailbox))
    assert said == {"hookSpecificOutput": {"hookEventName": "PostToolUse", "additionalContext": WORDS}}
    assert (hear(mailbox), were_heard(mailbox)) == ("", True)


def test_nothing_is_left_of_an_earlier_processs_words(mailbox: Path) -> None:
    put_words(mailbox, "one")
    hear(mailbox)
    put_words(mailbox, "two")
    empty_mailbox(mailbox)
    assert (hear(mailbox), were_heard(mailbox)) == ("", False)
    assert list(mailbox.parent.iterdir()) == []


def launch(agent: ClaudeAgent | CodexAgent | GeminiAgent | OpencodeAgent, folder: Path, *, listens: bool) -> Launch:
    request = LaunchRequest(
        prompt="x", worktree=folder, model="m", session_id="s", home=folder / "private", listens=listens
    )
    return agent.launch(request, {"PATH": "/bin", "HOME": str(folder), "GEMINI_API_KEY": "k"})


@pytest.mark.parametrize("kind", [ClaudeAgent, CodexAgent, GeminiAgent, OpencodeAgent])
def test_an_agent_that_is_not_to_listen_has_no_hook(
    kind: type[ClaudeAgent | CodexAgent | GeminiAgent | OpencodeAgent], tmp_path: Path, program: str
) -> None:
    deaf, listening = (launch(kind(program), tmp_path, listens=listens) for listens in (False, True))
    assert deaf.mailbox is None
    assert "mailbox.json" not in repr(deaf)
    assert listening.mailbox == tmp_path / "private" / "mailbox.json"
    assert str(listening.mailbox) in repr((listening.argv, listening.environment, listening.home))


@pytest.mark.parametrize("kind", [ClaudeAgent, CodexAgent, GeminiAgent, OpencodeAgent])
def test_one_that_lives_in_the_users_home_is_told_nothing(
    kind: type[ClaudeAgent | CodexAgent | GeminiAgent | OpencodeAgent], tmp_path: Path, program: str
) -> None:
    assert launch(kind(program, private_home=False), tmp_path, listens=True).mailbox is None


def test_settings_of_the_users_take_the_place_of_ours(tmp_path: Path, program: str) -> None:
    found = launch(ClaudeAgent(program, extra_arguments=("--settings", "mine.json")), tmp_path, listens=True)
    assert (found.mailbox, found.argv.count("--settings")) == (None, 1)


def test_codex_does_not_trust_a_repositorys_hooks_for_the_sake_of_ours(tmp_path: Path, program: str) -> None:
    found = launch(CodexAgent(program, repository_settings=True), tmp_path, listens=True)
    assert found.mailbox is None
    assert "--dangerously-bypass-hook-trust" not in found.argv
