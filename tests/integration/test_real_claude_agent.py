"""The real Claude Code CLI against the fake model server on loopback: what it reports equals what was billed.

Installed by `bursar.testing.agent_install` into `.cache/claude`; skipped with the reason where Node is missing. With
`BURSAR_RECORD_STREAMS=DIR` each test leaves its stream there, without paths of this machine, to be kept as a fixture.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from bursar.agents import ClaudeAgent, LaunchRequest
from bursar.events import CallReported, RetryReported
from bursar.metering import UnknownCall
from bursar.testing.agent_install import PINNED
from bursar.testing.agent_runs import AgentRun, start_agent
from bursar.testing.model_server import ModelServer
from bursar.testing.script import Script, Step, ToolCall
from bursar.usage import NOTHING, Usage

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(240)]

MARKER = "# Task 1:"
PROMPT = "# Task 1: Write a file\n\nWrite hello.txt.\n"
SESSION_ID = "3f1c2a64-5b0e-4a0e-9d55-0c8d7a1f2b11"
SECOND = Usage(input_tokens=7, cache_read_tokens=1200, cache_write_1h_tokens=5, output_tokens=777)


@dataclass
class Bench:
    """A worktree, a HOME and the CLI; `start` runs it against a server."""

    program: str
    folder: Path
    name: str

    @property
    def worktree(self) -> Path:
        return self.folder / "worktree"

    def agent(self, *, nested: bool = False) -> ClaudeAgent:
        return ClaudeAgent(self.program, nested=nested)

    def start(
        self,
        server: ModelServer,
        agent: ClaudeAgent,
        *,
        tier: str = "small",
        prompt: str = PROMPT,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> AgentRun:
        model = agent.model_for(tier)
        request = LaunchRequest(prompt=prompt, worktree=self.worktree, model=model, session_id=SESSION_ID)
        own = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "ANTHROPIC_BASE_URL": server.url,
            "ANTHROPIC_API_KEY": "dummy",
            "CLAUDECODE": "1",
        }
        return start_agent(agent, request, own | dict(environment))

    def run(
        self,
        server: ModelServer,
        *,
        tier: str = "small",
        nested: bool = False,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> AgentRun:
        run = self.start(server, self.agent(nested=nested), tier=tier, environment=environment).listen()
        self.keep(run)
        return run

    def keep(self, run: AgentRun) -> None:
        """Leave the stream as a fixture, if asked to."""
        if target := os.environ.get("BURSAR_RECORD_STREAMS"):
            text = run.output.decode().replace(str(self.folder), "/bench").replace(str(self.program), "/bin/claude")
            text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", SESSION_ID, text)
            text = re.sub(r'"/(?:tmp|bench/tmp)/[^"]*"', '"/tmp/x"', text)
            Path(target, f"{PINNED['claude'].version}-{self.name}.jsonl").write_text(_slim(text), encoding="utf-8")


def _slim(text: str) -> str:
    """The stream without the long lists of the first line, which say what is installed and nothing about usage."""
    lines = []
    for line in text.splitlines():
        event = json.loads(line)
        if event.get("subtype") == "init":
            kept = ("type", "subtype", "cwd", "session_id", "tools", "model", "permissionMode", "claude_code_version")
            event = {key: event[key] for key in kept}
            line = json.dumps(event, separators=(",", ":"))
        lines.append(line + "\n")
    return "".join(lines)


@pytest.fixture
def bench(real_claude: str, tmp_path: Path, request: pytest.FixtureRequest) -> Bench:
    for name in ("worktree", "home", "tmp"):
        (tmp_path / name).mkdir()
    return Bench(real_claude, tmp_path, request.node.name.removeprefix("test_").replace("_", "-"))


@pytest.fixture
def serve() -> Iterator[Callable[..., ModelServer]]:
    """Start a server with the steps of the one task."""
    servers: list[ModelServer] = []

    def start(*steps: Step, keep_requests: bool = True) -> ModelServer:
        servers.append(ModelServer(Script.of({MARKER: steps}), keep_requests=keep_requests).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def write_step(bench: Bench) -> Step:
    values = {"file_path": str(bench.worktree / "hello.txt"), "content": "hello\n"}
    return Step(text="Writing.", tools=(ToolCall("Write", values),))


def bash_step(command: str) -> Step:
    return Step(tools=(ToolCall("Bash", {"command": command, "description": "run"}),))


def test_success_with_tools(bench: Bench, serve: Callable[..., ModelServer]) -> None:
    """The tool calls are real, and the meter equals the bill from the stream alone, before the closing statement."""
    server = serve(write_step(bench), bash_step("cat hello.txt > copy.txt"), Step(text="All done.", usage=SECOND))
    run = bench.run(server)
    assert (bench.worktree / "copy.txt").read_text() == "hello\n"
    assert run.exit_code == 0
    assert run.streamed == run.meter.total == server.billed()
    assert run.meter.call_count == len(server.calls) == 3
    assert run.meter.unknown_call() is None
    assert not run.meter.differences
    assert (run.statement.is_error, run.statement.message, run.meter.rejected_lines) == (False, "All done.", 0)
    assert run.meter.session_id == SESSION_ID


@pytest.mark.parametrize(("tier", "family"), [("small", "haiku"), ("medium", "sonnet"), ("large", "opus")])
def test_model_reaches_the_server(bench: Bench, serve: Callable[..., ModelServer], tier: str, family: str) -> None:
    server = serve(Step(text="Hello."))
    run = bench.run(server, tier=tier)
    assert [family in call.model for call in server.calls] == [True]
    assert run.meter.total == server.billed()
    assert list(run.meter.usage_by_model) == [server.calls[0].model]


def test_a_prompt_of_200_kb_arrives_whole(bench: Bench, serve: Callable[..., ModelServer]) -> None:
    prompt = PROMPT + "word " * 40_000 + "THE-END"
    server = serve(Step(text="Read."))
    assert bench.start(server, bench.agent(), prompt=prompt).listen().exit_code == 0
    assert "THE-END" in json.dumps(server.request_bodies[0])
    assert len(json.dumps(server.request_bodies[0])) > 200_000


def test_nested_tools_are_withheld(bench: Bench, serve: Callable[..., ModelServer]) -> None:
    server = serve(Step(text="Hello."))
    bench.start(server, bench.agent()).listen()
    offered = set(server.calls[0].tools)
    assert {"Bash", "Edit", "Write"} <= offered
    assert not offered & {"Agent", "Task", "Workflow", "ListAgents", "ScheduleWakeup", "SendMessage", "Monitor"}
    assert server.request_bodies[0]["max_tokens"] == 32_000


def test_nested_agents_count(bench: Bench, serve: Callable[..., ModelServer]) -> None:
    """With `nested` a sub-agent may run: its calls are metered as side chains."""
    values = {"description": "look", "prompt": "Say hello.", "subagent_type": "general-purpose"}
    server = serve(Step(tools=(ToolCall("Agent", values),)), Step(text="Done."))  # the sub-agent gets the default reply
    run = bench.run(server, nested=True)
    assert {"Agent"} <= set(server.calls[0].tools)
    assert run.meter.total == server.billed()
    assert len(server.calls) == run.meter.call_count == 3
    assert any(isinstance(event, CallReported) and event.is_side_chain for event in run.events)
    assert run.meter.unknown_call() is None


def test_int_while_streaming(bench: Bench, serve: Callable[..., ModelServer]) -> None:
    """It leaves with a statement; the call that was cut off is known to be unknown, and within its bound."""
    server = serve(write_step(bench), Step(text="Never heard.", wait_for="gate", usage=SECOND))
    run = bench.start(server, bench.agent())
    assert server.wait_until_reached("gate")
    run.process.send_signal(signal.SIGINT)
    run.listen()
    bench.keep(run)
    assert run.exit_code == 0
    assert run.statement.is_error
    assert run.statement.broke_off_call
    unknown = run.meter.unknown_call()
    assert unknown is not None
    assert run.meter.total.total_tokens + unknown.bound >= server.billed().total_tokens


def test_int_while_a_tool_runs(bench: Bench, serve: Callable[..., ModelServer]) -> None:
    """No call is in flight then, and its closing statement says so. On a busy machine the CLI now and then ends without
    one, and where it has handed the tool's end back before that, a next call cannot be ruled out."""
    server = serve(bash_step("touch started; exec sleep 60"), Step(text="Never heard."))
    run = bench.start(server, bench.agent())
    run.wait_for_file(bench.worktree / "started")
    run.process.send_signal(signal.SIGINT)
    run.listen()
    bench.keep(run)
    assert run.meter.ended is None or run.statement.is_error
    assert run.meter.total == server.billed()
    assert run.meter.ended is None or run.meter.unknown_call() is None


def test_term_while_streaming(bench: Bench, serve: Callable[..., ModelServer]) -> None:
    """It leaves without a word; what was metered stands, the rest is unknown."""
    server = serve(write_step(bench), Step(text="Never heard.", wait_for="gate"))
    run = bench.start(server, bench.agent())
    assert server.wait_until_reached("gate")
    os.killpg(run.process.pid, signal.SIGTERM)
    run.listen()
    bench.keep(run)
    assert run.exit_code == 143
    assert run.meter.ended is None
    unknown = run.meter.unknown_call()
    assert unknown is not None
    assert run.meter.total.total_tokens + unknown.bound >= server.billed().total_tokens


def test_permission_denied(bench: Bench, serve: Callable[..., ModelServer]) -> None:
    """A tool that was not allowed: the CLI calls it a success, the meter knows better."""
    fetch = ToolCall("WebFetch", {"url": "http://127.0.0.1:9/", "prompt": "read"})
    server = serve(Step(tools=(fetch,)), Step(text="I was not allowed."))
    run = bench.run(server)
    assert run.exit_code == 0
    assert not run.statement.is_error
    assert run.meter.denied_permissions == ("WebFetch",)
    assert run.meter.total == server.billed()


def test_payment_required(bench: Bench, serve: Callable[..., ModelServer]) -> None:
    """402 ends it at once: one refused request, an error, nothing billed for it, nothing unknown."""
    server = serve(write_step(bench), Step(status=402, text="the budget is spent"))
    run = bench.run(server)
    assert run.exit_code == 1
    assert run.statement.is_error
    assert "the budget is spent" in run.statement.message
    assert server.requests == 2
    assert run.meter.total == server.billed()
    assert run.meter.unknown_call() is None


@pytest.mark.parametrize("status", [429, 529])
def test_retry_after_refusal(bench: Bench, serve: Callable[..., ModelServer], status: int) -> None:
    server = serve(Step(status=status, times=1, text="Done."))
    run = bench.run(server)
    assert [event.status for event in run.events if isinstance(event, RetryReported)] == [status]
    assert run.meter.total == server.billed()
    assert run.meter.unknown_call() is None


def test_cut_before_the_first_word(bench: Bench, serve: Callable[..., ModelServer]) -> None:
    """The CLI shows nothing of such a call but that it tries again; it is paid for all the same, within the bound."""
    server = serve(Step(text="Done.", cut=True, times=1), Step(text="Done."))
    run = bench.run(server)
    assert not run.statement.is_error
    assert [call.was_cut for call in server.calls] == [True, False]
    assert_bound_covers(run, server)


def test_cut_after_the_first_word(bench: Bench, serve: Callable[..., ModelServer]) -> None:
    """The CLI goes on from what it has, and counts the cut call at its placeholder: the meter knows that it is one."""
    step = Step(text="First.", tools=bash_step("true").tools, cut=True, times=1, delay_seconds=0.4)
    server = serve(step, Step(text="Done."))
    run = bench.run(server)
    assert not run.statement.is_error
    assert server.calls[0].was_cut
    unknown = assert_bound_covers(run, server)
    assert unknown.call_ids == (server.calls[0].id,)


def test_unreachable_server(bench: Bench, serve: Callable[..., ModelServer]) -> None:
    """Nothing was sent, and the CLI says so in the end: nothing is unknown."""
    server = serve(Step(text="Never asked."))
    server.stop()
    run = bench.run(server, environment={"CLAUDE_CODE_MAX_RETRIES": "1"})
    assert run.statement.was_unreachable
    assert any(isinstance(event, RetryReported) for event in run.events)
    assert run.meter.total == NOTHING
    assert run.meter.unknown_call() is None


def assert_bound_covers(run: AgentRun, server: ModelServer) -> UnknownCall:
    """More was billed than metered, and the bound covers it."""
    unknown = run.meter.unknown_call()
    assert unknown is not None
    missing = server.billed().total_tokens - run.meter.total.total_tokens
    assert 0 < missing <= unknown.bound
    return unknown
