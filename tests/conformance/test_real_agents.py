"""What every real agent CLI must do behind its adapter, against the fake model server on loopback.

Each CLI is installed by `bursar.testing.agent_install` into `.cache`; skipped with the reason where Node is missing.
`BURSAR_AGENT_TABLE=docs/agents.md` writes the table of the outcomes (see conftest.py). With `BURSAR_RECORD_STREAMS=DIR`
each test leaves its stream there, to be kept as a fixture. Whole runs are in tests/integration/test_real_runs.py.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from bursar.events import RetryReported, ToolStarted
from bursar.testing.agent_runs import AgentRun
from bursar.testing.model_server import ModelServer
from bursar.testing.script import Script, Step, ToolCall
from bursar.usage import NOTHING, Usage
from tests.conformance.conftest import Cell
from tests.conformance.real_agents import KINDS, ProxyTrap, RealBench, installed

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(240)]

SECOND = Usage(input_tokens=7, cache_read_tokens=1200, cache_write_1h_tokens=5, output_tokens=777)
BYTES_OF_A_LOUD_TOOL = 20_000_000


def shell(command: str) -> Step:
    return Step(tools=(ToolCall("Bash", {"command": command, "description": "run"}),))


def bash(*commands: str) -> tuple[Step, ...]:
    return tuple(shell(command) for command in commands)


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealBench]:
    name = str(request.param)
    program = installed(name)
    trap = ProxyTrap()
    case = request.node.originalname.removeprefix("test_").replace("_", "-")
    case += "".join(f"-{value}" for key, value in request.node.callspec.params.items() if key != "bench")
    with ModelServer(Script.of({}), keep_requests=True) as server:
        bench = RealBench(name, program, tmp_path, case, server, trap)
        bench.prepare()
        yield bench
    trap.close()


def write(bench: RealBench) -> Step:
    values = {"file_path": str(bench.worktree / "hello.txt"), "content": "hello\n"}
    return Step(text="Writing.", tools=(ToolCall("Write", values),))


def test_success_with_tools(bench: RealBench, cell: Cell) -> None:
    """The tools' work is on the disk, and the meter equals the bill before the closing statement is read."""
    run = bench.run(write(bench), shell("cat hello.txt > copy.txt"), Step(text="All done.", usage=SECOND))
    assert (bench.worktree / "copy.txt").read_text() == "hello\n"
    assert (run.exit_code, run.statement.is_error, run.statement.message) == (0, False, "All done.")
    assert run.streamed == run.meter.total == bench.server.billed()
    assert run.meter.call_count == len(bench.server.calls) == 3
    assert len([event for event in run.events if isinstance(event, ToolStarted)]) == 2
    assert_exact(run, bench)
    assert run.meter.rejected_lines == 0
    cell("success, two tool calls", "metered = billed, live")


def test_nothing_but_loopback(bench: RealBench, cell: Cell) -> None:
    run = bench.run(Step(text="Hello."))
    assert run.exit_code == 0
    assert bench.trap.asked == []
    cell("asks nobody but its model", "no request to the proxy")


def test_model_choice(bench: RealBench, cell: Cell) -> None:
    run = bench.run(Step(text="Hello."), tier="medium")
    (call,) = bench.server.calls
    assert bench.kind.medium in call.model
    assert list(run.meter.usage_by_model) == [call.model]
    assert_exact(run, bench)
    cell("model choice", f"`medium` = {call.model}")


def test_a_prompt_of_200_kb_arrives_whole(bench: RealBench, cell: Cell) -> None:
    run = bench.run(Step(text="Read."), prompt="# Task 1: Read\n\n" + "word " * 40_000 + "THE-END")
    assert run.exit_code == 0
    assert "THE-END" in str(bench.server.request_bodies[-1])
    assert_exact(run, bench)
    cell("a prompt of 200 kB", "arrives whole")


def test_refusal(bench: RealBench, cell: Cell) -> None:
    """The status that tells this CLI to stop: one refused request, an error, nothing unknown."""
    run = bench.run(write(bench), Step(status=bench.kind.refusal, text="the budget is spent"))
    assert run.exit_code != 0
    assert run.statement.is_error
    assert "the budget is spent" in run.statement.message
    assert bench.server.requests == 2
    assert_exact(run, bench)
    cell("refused", f"{bench.kind.refusal}: ends at once, nothing charged for it")


@pytest.mark.parametrize("status", [429, 529])
def test_refused_once(bench: RealBench, cell: Cell, status: int) -> None:
    run = bench.run(Step(status=status, times=1, text="Done."))
    assert_exact(run, bench)
    if status in bench.kind.repeats:
        assert (run.exit_code, bench.server.requests) == (0, 2)
        assert all(event.status == status for event in run.events if isinstance(event, RetryReported))
    else:
        assert (run.exit_code != 0, run.statement.is_error, run.meter.total) == (True, True, NOTHING)
    cell(f"{status} once", "tries again, exact" if status in bench.kind.repeats else "gives up, exact")


def test_cut_in_a_reply(bench: RealBench, cell: Cell) -> None:
    run = bench.run(Step(text="Done.", cut=True, times=1))
    assert bench.server.calls[0].was_cut
    assert (run.exit_code == 0) is bench.kind.goes_on_after_a_cut
    missing = assert_bound_covers(run, bench)
    assert missing > 0
    cell("reply cut off", "goes on, bounded" if bench.kind.goes_on_after_a_cut else "gives up, bounded")


def test_int_in_a_reply(bench: RealBench, cell: Cell) -> None:
    run = stop_in_a_reply(bench, signal.SIGINT)
    assert run.exit_code == bench.kind.int_code
    assert_bound_covers(run, bench)
    cell("INT in a reply", f"exit {run.exit_code}, bounded")


def test_term_in_a_reply(bench: RealBench, cell: Cell) -> None:
    run = stop_in_a_reply(bench, signal.SIGTERM)
    assert (run.exit_code, run.meter.ended) == (bench.kind.term_code, None)
    assert_bound_covers(run, bench)
    cell("TERM in a reply: no closing statement", f"exit {run.exit_code}, bounded")


def test_kill_in_a_tool(bench: RealBench, cell: Cell) -> None:
    """Nothing is in flight: what was served is known to the token, from the stream or the log."""
    run = bench.start(write(bench), shell("touch started; exec sleep 60"), Step(text="Never."))
    run.wait_for_file(bench.worktree / "started")
    os.killpg(run.process.pid, signal.SIGKILL)
    bench.listen(run)
    assert (run.exit_code, run.meter.ended) == (-9, None)
    assert_bound_covers(run, bench)
    exact = run.meter.total == bench.server.billed()
    cell("KILL in a tool", "exit -9, " + ("all served calls known" if exact else "bounded"))


def test_a_line_of_16_mib_in_a_tool(bench: RealBench, cell: Cell) -> None:
    command = "head -c 17000000 /dev/zero | tr '\\0' x; touch printed"
    run = bench.run(shell(command), Step(text="Done.", usage=SECOND))
    assert (bench.worktree / "printed").exists()
    assert run.exit_code == 0
    assert_exact(run, bench)
    cell("a tool prints one line of 17 MB", "exact")


def test_a_loud_tool(bench: RealBench, cell: Cell) -> None:
    command = f"yes 'a line of output' | head -c {BYTES_OF_A_LOUD_TOOL}; touch printed"
    run = bench.run(shell(command), Step(text="Done.", usage=SECOND))
    assert (bench.worktree / "printed").exists()
    assert run.exit_code == 0
    assert_exact(run, bench)
    cell("a tool prints 20 MB", "exact")


def stop_in_a_reply(bench: RealBench, number: signal.Signals) -> AgentRun:
    """The signal reaches the CLI (INT) or its group while its second reply streams."""
    run = bench.start(write(bench), Step(text="Never heard.", wait_for="gate", usage=SECOND))
    assert bench.server.wait_until_reached("gate")
    if number is signal.SIGINT:
        run.process.send_signal(number)
    else:
        os.killpg(run.process.pid, number)
    return bench.listen(run)


def assert_exact(run: AgentRun, bench: RealBench) -> None:
    """The meter equals the bill, and nothing is unknown."""
    assert run.meter.total == bench.server.billed()
    assert run.meter.unknown_call() is None
    assert not run.meter.differences


def assert_bound_covers(run: AgentRun, bench: RealBench) -> int:
    """What was billed beyond what was metered; the bound covers it."""
    missing = bench.server.billed().total_tokens - run.meter.total.total_tokens
    unknown = run.meter.unknown_call()
    assert 0 <= missing <= (0 if unknown is None else unknown.bound)
    return missing
