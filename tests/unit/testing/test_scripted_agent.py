"""The scripted agent as a program: flags, files, troubles. As an agent: tests/conformance/test_agents.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bursar.testing.model_server import ModelServer
from bursar.testing.script import Script, Step, ToolCall

pytestmark = pytest.mark.timeout(60)

MODULE = "bursar.testing.scripted_agent"


def run(
    server: ModelServer, folder: Path, *arguments: str, stdin: str = "", trouble: str = ""
) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"ANTHROPIC_BASE_URL": f"{server.url}/t/a", "BURSAR_TROUBLE": trouble}
    command = [sys.executable, "-m", MODULE, *arguments]
    return subprocess.run(command, env=environment, cwd=folder, input=stdin, capture_output=True, text=True, timeout=30)


def tool(name: str, **values: Any) -> Step:
    return Step(tools=(ToolCall(name, values),))


def test_prompt_as_argument_or_on_stdin(tmp_path: Path) -> None:
    with ModelServer(Script.of({"T": [Step(text="hello")]}), keep_requests=True) as server:
        first = run(server, tmp_path, "-p", "--allowedTools", "Bash", "Write", "--model", "opus", "T as argument")
        second = run(server, tmp_path, "-p", "--unknown", "--model=m", stdin="T on stdin")
        assert (first.stdout, second.stdout) == ("hello\n", "hello\n")
        texts = [body["messages"][0]["content"][0]["text"] for body in server.request_bodies]
        assert texts == ["T as argument", "T on stdin"]
        assert [call.model for call in server.calls] == ["claude-opus-5-5", "m"]
        assert {call.path for call in server.calls} == {"/t/a/v1/messages"}


def test_tools_change_files(tmp_path: Path) -> None:
    steps = [
        tool("Write", file_path="deep/a.txt", content="one two"),
        tool("Edit", file_path=str(tmp_path / "deep/a.txt"), old_string="two", new_string="three"),
        tool("Edit", file_path="deep/a.txt", old_string="nowhere", new_string=""),
        tool("Read", file_path="deep/a.txt"),
        tool("Read", file_path="missing"),
        tool("Bash", command="echo out; echo err >&2; exit 3"),
        tool("Nonsense"),
    ]
    with ModelServer(Script.of({"T": steps})) as server:
        done = run(server, tmp_path, "-p", "T", "--output-format", "stream-json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    answers = [event["message"]["content"][0] for event in events if event["type"] == "user"]
    assert (tmp_path / "deep/a.txt").read_text() == "one three"
    assert [answer["is_error"] for answer in answers] == [False, False, True, False, True, False, True]
    assert answers[3]["content"] == "one three"
    assert answers[5]["content"] == "Exit code 3\nout\nerr\n"
    assert events[-1]["num_turns"] == 8


def test_json_output_is_one_object(tmp_path: Path) -> None:
    with ModelServer(Script()) as server:
        done = run(server, tmp_path, "-p", "x", "--output-format", "json")
    assert json.loads(done.stdout)["type"] == "result"


def test_an_orphan_outlives_it(tmp_path: Path) -> None:
    """It holds no pipe of the agent, so the agent's output ends with the agent."""
    with ModelServer(Script()) as server:
        done = run(server, tmp_path, "-p", "x", trouble="orphan=30.25")
    assert done.returncode == 0
    orphans = [pid for pid in os.listdir("/proc") if pid.isdigit() and b"30.25" in command_line(pid)]
    assert len(orphans) == 1
    os.kill(int(orphans[0]), 9)


def command_line(pid: str) -> bytes:
    try:
        return Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return b""


def test_it_starts_light() -> None:
    """Benchmarks start it thousands of times: no part of bursar outside the kit, no `http`, no `subprocess`."""
    code = f"import sys, {MODULE}; print('\\n'.join(sys.modules))"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"http", "email", "subprocess", "asyncio", "msgspec", "argparse", "logging", "ssl"} & set(names)
    assert [name for name in names if name.startswith("bursar.") and not name.startswith("bursar.testing")] == []
