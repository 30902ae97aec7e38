"""What every agent adapter must do, shown on the scripted agent behind each of them.

The real CLIs are put through the same in test_real_agents.py, Claude Code further in
tests/integration/test_real_claude_agent.py; what readers make of hostile output is in tests/unit/agents.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bursar.agents import Agent, ClaudeAgent, CommandAgent, LaunchRequest
from bursar.events import RetryReported, ToolStarted
from bursar.testing.agent_runs import AgentRun, start_agent
from bursar.testing.model_server import ModelServer
from bursar.testing.script import Script, Step, ToolCall
from bursar.usage import NOTHING, Usage

pytestmark = pytest.mark.timeout(120)

PROMPT = "# Task 1: Write a file\n\nWrite hello.txt.\n"
SECOND = Usage(input_tokens=7, cache_read_tokens=1200, cache_write_1h_tokens=5, output_tokens=777)
WRITE = Step(text="Writing.", tools=(ToolCall("Write", {"file_path": "hello.txt", "content": "hello\n"}),))
DONE = Step(text="All done.", usage=SECOND)
OUTPUT = ("--output-format", "stream-json", "--include-partial-messages")


def bash(command: str) -> Step:
    return Step(tools=(ToolCall("Bash", {"command": command}),))


def trouble(words: str) -> Step:
    return Step(tools=(ToolCall("Trouble", {"do": words}),))


VARIABLES = ("BURSAR_TROUBLE", "PYTHONPATH")


def claude_agent(folder: Path) -> Agent:
    program = folder / "claude"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m bursar.testing.scripted_agent "$@"\n')
    program.chmod(0o755)
    return ClaudeAgent(str(program), passed=VARIABLES)


def command_agent(folder: Path) -> Agent:
    argv = (sys.executable, "-m", "bursar.testing.scripted_agent", "-p", "{prompt}", "--model", "{model}", *OUTPUT)
    return CommandAgent(argv, {"small": "haiku", "medium": "sonnet"}, passed=VARIABLES)


@dataclass
class Bench:
    agent: Agent
    server: ModelServer
    worktree: Path

    def start(self, *, tier: str = "small", prompt: str = PROMPT, trouble: str = "") -> AgentRun:
        model = self.agent.model_for(tier)
        request = LaunchRequest(prompt=prompt, worktree=self.worktree, model=model, session_id="s-1")
        environment = {"PATH": os.environ["PATH"], "ANTHROPIC_BASE_URL": self.server.url, "BURSAR_TROUBLE": trouble}
        if path := os.environ.get("PYTHONPATH"):
            environment["PYTHONPATH"] = path
        return start_agent(self.agent, request, environment)

    def run(self, *, tier: str = "small", prompt: str = PROMPT, trouble: str = "") -> AgentRun:
        return self.start(tier=tier, prompt=prompt, trouble=trouble).listen()


@pytest.fixture(params=[claude_agent, command_agent], ids=["claude", "command"])
def serve(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """A bench with the steps of the one task."""
    servers: list[ModelServer] = []
    (tmp_path / "worktree").mkdir()
    agent = request.param(tmp_path)

    def start(*steps: Step) -> Bench:
        servers.append(ModelServer(Script.of({"# Task 1:": steps})).start())
        return Bench(agent, servers[-1], tmp_path / "worktree")

    yield start
    for server in servers:
        server.stop()


def test_success_is_metered_to_the_token(serve: Callable[..., Bench]) -> None:
    bench = serve(WRITE, bash("cat hello.txt > copy.txt"), DONE)
    run = bench.run()
    assert (bench.worktree / "copy.txt").read_text() == "hello\n"
    assert run.exit_code == 0
    assert run.streamed == run.meter.total == bench.server.billed()
    assert run.meter.call_count == 3
    assert run.meter.unknown_call() is None
    assert run.meter.differences == ()
    assert (run.statement.is_error, run.statement.message) == (False, "All done.")
    assert [event.name for event in run.events if isinstance(event, ToolStarted)] == ["Write", "Bash"]


def test_the_model_reaches_the_server(serve: Callable[..., Bench]) -> None:
    bench = serve(DONE)
    bench.run(tier="medium")
    assert "sonnet" in bench.server.calls[0].model


def test_a_model_that_is_no_tier_passes_through(serve: Callable[..., Bench]) -> None:
    bench = serve(DONE)
    assert bench.run(tier="claude-opus-4-6").meter.total == bench.server.billed()
    assert bench.server.calls[0].model == "claude-opus-4-6"


def test_doubled_reports_count_once(serve: Callable[..., Bench]) -> None:
    bench = serve(Step(text="twice", duplicate=True, usage=SECOND))
    assert bench.run().streamed == bench.server.billed() == SECOND


def test_old_agents_that_report_whole_messages(serve: Callable[..., Bench]) -> None:
    """No partial messages: the calls are never final, the closing statement settles it."""
    bench = serve(WRITE, DONE)
    run = bench.run(trouble="true-counts")
    assert run.meter.total == bench.server.billed()
    assert run.meter.unknown_call() is None


def test_a_denied_permission_is_seen(serve: Callable[..., Bench]) -> None:
    bench = serve(WRITE, DONE)
    run = bench.run(trouble="deny=Write")
    assert (run.exit_code, run.meter.denied_permissions) == (0, ("Write",))
    assert not (bench.worktree / "hello.txt").exists()


def test_payment_required_ends_it_at_once(serve: Callable[..., Bench]) -> None:
    bench = serve(WRITE, Step(status=402, text="the budget is spent"))
    run = bench.run()
    assert (run.exit_code, run.statement.is_error, bench.server.requests) == (1, True, 2)
    assert "the budget is spent" in run.statement.message
    assert run.meter.total == bench.server.billed()
    assert run.meter.unknown_call() is None


@pytest.mark.parametrize("status", [429, 500, 529])
def test_a_refusal_that_passes_costs_nothing(serve: Callable[..., Bench], status: int) -> None:
    bench = serve(Step(status=status, times=1, text="Done.", usage=SECOND))
    run = bench.run()
    assert [event.status for event in run.events if isinstance(event, RetryReported)] == [status]
    assert run.meter.total == bench.server.billed() == SECOND
    assert run.meter.unknown_call() is None


def test_a_refusal_that_stays_ends_in_an_error(serve: Callable[..., Bench]) -> None:
    run = serve(Step(status=529)).run()
    assert (run.exit_code, run.statement.is_error) == (1, True)
    assert run.meter.total == NOTHING


def test_a_cut_call_stays_unknown(serve: Callable[..., Bench]) -> None:
    bench = serve(Step(text="Done.", cut=True, times=1))
    run = bench.run()
    assert not run.statement.is_error
    assert_bound_covers(run, bench)


def test_interrupted_in_a_call(serve: Callable[..., Bench]) -> None:
    bench = serve(WRITE, Step(text="Never heard.", wait_for="gate", usage=SECOND))
    run = bench.start()
    assert bench.server.wait_until_reached("gate")
    run.process.send_signal(signal.SIGINT)
    run.listen()
    assert (run.exit_code, run.statement.is_error, run.statement.broke_off_call) == (0, True, True)
    assert_bound_covers(run, bench)


def test_interrupted_in_a_tool(serve: Callable[..., Bench]) -> None:
    bench = serve(bash("touch started; exec sleep 60"), DONE)
    run = bench.start()
    run.wait_for_file(bench.worktree / "started")
    run.process.send_signal(signal.SIGINT)
    run.listen()
    assert run.statement.is_error
    assert run.meter.total == bench.server.billed()
    assert run.meter.unknown_call() is None


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_ended_by_a_signal(serve: Callable[..., Bench], number: signal.Signals, code: int) -> None:
    bench = serve(WRITE, Step(text="Never heard.", wait_for="gate", usage=SECOND))
    run = bench.start()
    assert bench.server.wait_until_reached("gate")
    os.killpg(run.process.pid, number)
    run.listen()
    assert (run.exit_code, run.meter.ended) == (code, None)
    assert_bound_covers(run, bench)


@pytest.mark.parametrize(
    ("words", "number"), [("ignore-int", signal.SIGINT), ("ignore-term", signal.SIGTERM)], ids=["int", "term"]
)
def test_a_signal_may_be_ignored(serve: Callable[..., Bench], words: str, number: signal.Signals) -> None:
    bench = serve(trouble(words), Step(text="Heard.", wait_for="gate"))
    run = bench.start()
    assert bench.server.wait_until_reached("gate")
    run.process.send_signal(number)
    bench.server.open_gate("gate")
    run.listen()
    assert (run.exit_code, run.statement.message) == (0, "Heard.")


def test_garbage_is_counted_and_the_stream_goes_on(serve: Callable[..., Bench]) -> None:
    bench = serve(trouble("garbage"), DONE)
    run = bench.run()
    assert run.meter.total == bench.server.billed()
    assert run.meter.rejected_lines >= 4


def test_a_line_that_is_too_long_is_rejected(serve: Callable[..., Bench]) -> None:
    bench = serve(trouble(f"huge-line={17 * 1024 * 1024}"), DONE)
    run = bench.run()
    assert run.meter.total == bench.server.billed()
    assert run.meter.rejected_lines == 1


def test_no_closing_statement(serve: Callable[..., Bench]) -> None:
    """What was streamed in full is known all the same."""
    bench = serve(WRITE, DONE)
    run = bench.run(trouble="no-result,exit=3")
    assert (run.exit_code, run.meter.ended) == (3, None)
    assert run.meter.total == bench.server.billed()
    assert run.meter.unknown_call() is None


def test_a_big_prompt_arrives_whole(serve: Callable[..., Bench]) -> None:
    bench = serve(DONE)
    prompt = "word " * 20_000 + PROMPT
    assert bench.run(prompt=prompt).meter.total == bench.server.billed(task="# Task 1:") == SECOND


def assert_bound_covers(run: AgentRun, bench: Bench) -> None:
    """More was billed than metered, and the bound covers it."""
    unknown = run.meter.unknown_call()
    assert unknown is not None
    missing = bench.server.billed().total_tokens - run.meter.total.total_tokens
    assert 0 <= missing <= unknown.bound
