"""What a plan's types of subagent are to each CLI, and which conversations can be gone on with."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bursar.agents import (
    Agent,
    ClaudeAgent,
    CodexAgent,
    CommandAgent,
    GeminiAgent,
    LaunchRequest,
    OpencodeAgent,
    subagent_settings,
)
from bursar.agents.codex.session_log import SessionLogLines
from bursar.agents.session_log import SessionLog

THREAD = "01a1ffcc-a95f-78c2-b9f1-407c89bfc82f"


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "agent"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def asked(tmp_path: Path, subagent: str, *, writes_files: bool = False) -> LaunchRequest:
    return LaunchRequest(
        prompt="x",
        worktree=tmp_path / "w",
        model="anthropic/m",
        session_id="s-1",
        subagent=subagent,
        writes_files=writes_files,
        home=tmp_path / "home",
    )


def has_edits_withheld(agent: Agent, request: LaunchRequest) -> bool:
    """Whether the agent is started in a way in which its tools that change files are not there."""
    launch = agent.launch(request, {"PATH": "/bin"})
    words = " ".join(launch.argv)
    match agent.name:
        case "claude":
            withheld = launch.argv[launch.argv.index("--disallowedTools") + 1].split(",")
            allowed = launch.argv[launch.argv.index("--allowedTools") + 1].split(",")
            assert ("Edit" in withheld) != ("Edit" in allowed)
            assert "Bash" in allowed
            return {"Edit", "MultiEdit", "NotebookEdit", "Write"} <= set(withheld)
        case "codex":
            modes = [word for word in launch.argv if word.startswith("sandbox_mode=")]
            return modes[-1] == 'sandbox_mode="read-only"'
        case "gemini":
            return "read_only.toml" in words
        case _:
            return bool(json.loads(launch.environment.get("OPENCODE_PERMISSION", "{}")).get("edit") == "deny")


@pytest.mark.parametrize("make", [ClaudeAgent, CodexAgent, GeminiAgent, OpencodeAgent])
@pytest.mark.parametrize("kind", ["general-purpose", "explore", "plan", "bash"])
def test_types_that_read_do_not_write(make: Callable[[str], Agent], kind: str, program: str, tmp_path: Path) -> None:
    agent = make(program)
    reads = kind in ("explore", "plan") or (kind == "bash" and agent.name != "codex")
    assert has_edits_withheld(agent, asked(tmp_path, kind)) == reads
    assert not has_edits_withheld(agent, asked(tmp_path, kind, writes_files=True)), "what is due can be written"
    in_words = subagent_settings(kind)[agent.name]
    assert (in_words == "as every attempt") != reads
    assert subagent_settings(kind, writes_files=True)[agent.name] == "as every attempt"


def test_a_type_s_mode_is_claude_s_own_and_a_job_s_goes_before_it(program: str, tmp_path: Path) -> None:
    request = asked(tmp_path, "explore")
    for expected, each in (("default", request), ("dontAsk", replace(request, permission_mode="dontAsk"))):
        argv = ClaudeAgent(program).launch(each, {}).argv
        assert argv[argv.index("--permission-mode") + 1] == expected


def test_codex_goes_on_with_a_thread_whose_log_is_there(program: str, tmp_path: Path) -> None:
    request = replace(asked(tmp_path, "general-purpose"), session_id=THREAD, continues=True)
    agent = CodexAgent(program)
    begun = agent.launch(request, {})
    assert ("resume" in begun.argv, "BURSAR_CONTINUES" in begun.environment) == (False, False)
    day = tmp_path / "home" / ".codex" / "sessions" / "2026" / "11" / "21"
    day.mkdir(parents=True)
    (day / f"rollout-2026-11-21T20-29-25-{THREAD}.jsonl").write_bytes(b"x" * 123)
    assert agent.has_conversation(THREAD, request.worktree, request.home, {})
    again = agent.launch(request, {})
    assert again.argv[-3:] == ("resume", THREAD, "-")
    assert again.environment["BURSAR_CONTINUES"] == "123"
    assert agent.launch(replace(request, continues=False), {}).argv[-1] == "-"
    assert not agent.has_conversation("not-a-thread", request.worktree, request.home, {})


def test_opencode_goes_on_with_a_session_of_its_own(program: str, tmp_path: Path) -> None:
    request = replace(asked(tmp_path, "general-purpose"), session_id="ses_abc", continues=True)
    agent = OpencodeAgent(program)
    assert "--session" not in agent.launch(request, {}).argv
    data = tmp_path / "home" / ".local" / "share" / "opencode"
    data.mkdir(parents=True)
    (data / "opencode.db").touch()
    argv = agent.launch(request, {}).argv
    assert argv[argv.index("--session") + 1] == "ses_abc"
    assert "--title" not in argv
    assert not agent.has_conversation("0f0f", request.worktree, request.home, {})


def test_others_never_remember(program: str, tmp_path: Path) -> None:
    for agent in (GeminiAgent(program), CommandAgent([program])):
        assert not agent.has_conversation("s-1", tmp_path, tmp_path, {})


def record(call_id: str, tokens: int) -> bytes:
    usage = {"input_tokens": tokens, "cached_input_tokens": 0, "output_tokens": 1}
    return json.dumps({"type": "token_usage_record", "payload": {"response_id": call_id, "usage": usage}}).encode()


def test_what_a_log_had_before_is_read_and_told_nobody(tmp_path: Path) -> None:
    """Its model still counts; a call that is said again does not."""
    path = tmp_path / "log.jsonl"
    turn = json.dumps({"type": "turn_context", "payload": {"model": "m-1"}}).encode()
    before = b"\n".join([turn, record("a", 100), b""])
    path.write_bytes(before + b"\n".join([record("a", 100), record("b", 7), b""]))
    log = SessionLog(lambda: path, SessionLogLines().read, before=len(before))
    (told,) = log.close()
    assert (getattr(told, "call_id", None), getattr(told, "model", None)) == ("b", "m-1")
    assert (log.total.total_tokens, log.earlier.total_tokens) == (8, 101)
