"""What every real agent CLI must do behind its adapter, against the fake model server on loopback.

Each CLI is installed by `bursar.testing.agent_install` into `.cache`; skipped with the reason where Node is missing.
`make agents` writes the table of the outcomes (see agent_table.py). With `BURSAR_RECORD_STREAMS=DIR` each test leaves
its stream there, to be kept as a fixture. Whole runs are in tests/integration/test_real_runs.py.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bursar.agents import MAX_LINE_BYTES, put_words, were_heard
from bursar.errors import SetupError
from bursar.events import CallReported, RetryReported, ToolStarted
from bursar.testing.agent_runs import AgentRun
from bursar.testing.model_server import ModelServer
from bursar.testing.script import Script, Step, ToolCall
from bursar.usage import NOTHING, Usage
from tests.conformance.conftest import Cell
from tests.conformance.real_agents import KINDS, ProxyTrap, RealBench, installed

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(240)]

SECOND = Usage(input_tokens=7, cache_read_tokens=1200, cache_write_1h_tokens=5, output_tokens=777)
PATIENCE = 120  # OpenCode needs half a minute to its first request on a busy machine
BYTES_OF_A_LOUD_TOOL = 20_000_000


def shell(command: str) -> Step:
    return Step(tools=(ToolCall("Bash", {"command": command, "description": "run"}),))


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
    assert trap.hosts <= bench.kind.asks, "it asks hosts that its README does not name"


def write(bench: RealBench) -> Step:
    values = {"file_path": str(bench.worktree / "hello.txt"), "content": "hello\n"}
    return Step(text="Writing.", tools=(ToolCall("Write", values),))


def test_success_with_tools(bench: RealBench, cell: Cell) -> None:
    """The tools' work is on the disk, and the meter equals the bill before the closing statement is read."""
    run = bench.run(write(bench), shell("cat hello.txt > copy.txt"), Step(text="All done.", usage=SECOND))
    assert (bench.worktree / "copy.txt").read_text() == "hello\n"
    assert (run.exit_code, run.statement.is_error, run.statement.message) == (0, False, "All done.")
    assert run.streamed == run.meter.total == billed(bench)
    assert run.meter.call_count == len(bench.server.calls) == 3
    assert len([event for event in run.events if isinstance(event, ToolStarted)]) == 2
    assert_exact(run, bench)
    assert run.meter.rejected_lines == 0
    cell("success, two tool calls", "exact, call by call")
    others = ", ".join(sorted(bench.kind.asks))
    cell("asks beyond loopback", others or "nobody")


def test_model_and_a_big_prompt(bench: RealBench, cell: Cell) -> None:
    """The tier's model is asked; 200 kB of prompt arrive whole; sub-agents are not offered."""
    run = bench.run(Step(text="Read."), tier="medium", prompt="# Task 1: Read\n\n" + "word " * 40_000 + "THE-END")
    (call,) = bench.server.calls
    assert bench.kind.medium in call.model
    (metered,) = run.meter.usage_by_model
    assert metered.endswith(call.model)
    assert "THE-END" in str(bench.server.request_bodies[-1])
    assert not set(call.tools) & {"Agent", "Task", "invoke_agent", "spawn_agent", "task"}
    assert_exact(run, bench)
    cell("model choice", f"`medium` is {call.model}")
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


@pytest.mark.parametrize("status", [429, *(pytest.param(status, marks=pytest.mark.faults) for status in (500, 529))])
def test_refused_once(bench: RealBench, cell: Cell, status: int) -> None:
    run = bench.run(Step(status=status, times=1, text="Done."))
    assert_exact(run, bench)
    if status in bench.kind.repeats:
        assert (run.exit_code, bench.server.requests) == (0, 2)
        assert all(event.status == status for event in run.events if isinstance(event, RetryReported))
    else:
        assert (run.exit_code != 0, run.statement.is_error, run.meter.total) == (True, True, NOTHING)
    cell(f"{status} once", "tries again, exact" if status in bench.kind.repeats else "gives up, exact")


@pytest.mark.faults  # ten seconds for the four
def test_two_tools_at_once(bench: RealBench) -> None:
    tools = (*shell("echo one > one.txt").tools, *shell("echo two > two.txt").tools)
    run = bench.run(Step(text="Both.", tools=tools), Step(text="Done.", usage=SECOND))
    assert (bench.worktree / "one.txt").exists()
    assert (bench.worktree / "two.txt").exists()
    assert_exact(run, bench)


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("bench", ["claude"], indirect=True)
def test_output_json(bench: RealBench, verbose: bool, cell: Cell) -> None:
    """One object, or one array of all lines, at the end: known then, and exact."""
    arguments = ("--output-format", "json", *(("--verbose",) if verbose else ()))
    run = bench.run(shell("true"), Step(text="Done.", usage=SECOND), extra_arguments=arguments)
    assert (run.exit_code, run.statement.message) == (0, "Done.")
    assert_exact(run, bench)
    cell("output `json`", "exact, at the end")


def test_told_in_a_tool(bench: RealBench, cell: Cell) -> None:
    """Words for an agent that works are in its next call, beside the tool's answer: once, and at the cost of no call.

    It takes them from the home that it has to itself, which is the home of its tools, too.
    """
    words = 'Wrap up: it\'s "5 USD" $(reboot).'
    waits = 'touch started; until test -e "$HOME/go"; do sleep 0.05; done; false'
    run = bench.start(shell(waits), shell("echo more"), Step(text="LEFT: all", usage=SECOND), listens=True)
    run.wait_for_file(bench.worktree / "started")
    put_words(bench.private_home / "mailbox.json", words)
    (bench.private_home / "go").touch()
    bench.listen(run)
    asked = [json.dumps(body) for body in bench.server.request_bodies]
    assert [body.count(json.dumps(words)[1:-1]) for body in asked] == [0, 1, 1]
    assert were_heard(bench.private_home / "mailbox.json")
    assert (run.exit_code, run.statement.message) == (0, "LEFT: all")
    assert_exact(run, bench)
    cell("told something in a tool", "heard with the tool's answer, exact")


OTHER_OUTPUT = {"gemini": ("-o", "json"), "opencode": ("--format=default",), "claude": ("--output-format", "text")}


@pytest.mark.parametrize("bench", OTHER_OUTPUT, indirect=True)  # Codex's other one is the absence of a flag
def test_output_that_cannot_be_metered(bench: RealBench, cell: Cell) -> None:
    """One that has no usage in it, or ends all at once in another form, is refused before anything is started."""
    with pytest.raises(SetupError, match="cannot be metered"):
        bench.start(Step(text="Done."), extra_arguments=OTHER_OUTPUT[bench.name])
    assert bench.server.requests == 0
    if bench.name != "claude":
        cell("output `json`", "refused before the start")


def test_cut_in_a_reply(bench: RealBench, cell: Cell) -> None:
    run = bench.run(Step(text="Done.", cut=True, times=1))
    assert bench.server.calls[0].was_cut
    assert (run.exit_code == 0) is bench.kind.goes_on_after_a_cut
    assert assert_bound_covers(run, bench) > 0
    what = "goes on" if bench.kind.goes_on_after_a_cut else "gives up"
    cell("reply cut off", f"{what}, bounded")


def test_cut_after_the_first_word(bench: RealBench) -> None:
    run = bench.run(Step(text="Some words.", cut=True, times=1, delay_seconds=0.4), Step(text="Done."))
    assert bench.server.calls[0].was_cut
    assert assert_bound_covers(run, bench) > 0


def test_sub_agents_count(bench: RealBench, cell: Cell) -> None:
    """Where they are allowed: each of their calls is metered, as one of a side chain, and nothing is counted twice."""
    steps = [Step(tools=(tool,)) for tool in bench.kind.sub_agent]
    run = bench.run(*steps, Step(text="All done.", usage=SECOND), nested=True)
    assert (run.exit_code, run.statement.is_error) == (0, False)
    assert len(bench.server.calls) > len(steps) + 1
    assert run.meter.call_count == len(bench.server.calls)
    assert any(isinstance(event, CallReported) and event.is_side_chain for event in run.events)
    assert_exact(run, bench)
    cell("sub-agents, where they are allowed", "exact, call by call")


def test_sub_agents_are_withheld(bench: RealBench, cell: Cell) -> None:
    """Where they are not: the model asks for one all the same, and nothing is started."""
    run = bench.run(Step(tools=bench.kind.sub_agent[:1]), Step(text="Done."))
    assert len(bench.server.calls) == 2
    assert not any(isinstance(event, CallReported) and event.is_side_chain for event in run.events)
    assert_exact(run, bench)
    cell("sub-agents, by default", "withheld")


@pytest.mark.faults  # `make test` has TERM
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


@pytest.mark.faults  # a quarter of a minute; `make test` has the kill in a reply
def test_kill_in_a_tool(bench: RealBench, cell: Cell) -> None:
    """Nothing is in flight: what was served is known to the token, from the stream or the log."""
    run = bench.start(write(bench), shell("touch started; exec sleep 60"), Step(text="Never."))
    run.wait_for_file(bench.worktree / "started")
    os.killpg(run.process.pid, signal.SIGKILL)
    bench.listen(run)
    assert (run.exit_code, run.meter.ended) == (-9, None)
    assert_bound_covers(run, bench)
    exact = run.meter.total == billed(bench)
    cell("KILL in a tool", "exit -9, " + ("all served calls known" if exact else "bounded"))


def test_kill_in_a_reply(bench: RealBench, cell: Cell) -> None:
    """The call in flight is charged at its bound; those before it are known as after a KILL in a tool."""
    run = stop_in_a_reply(bench, signal.SIGKILL)
    assert (run.exit_code, run.meter.ended) == (-9, None)
    assert_bound_covers(run, bench)
    cell("KILL in a reply", "exit -9, bounded")


@pytest.mark.faults  # half a minute of work for the four
def test_a_line_of_17_mb(bench: RealBench, cell: Cell) -> None:
    """The reply itself is so long, and so are the CLI's own lines, which come as fast as they are read."""
    words = " ".join(map(str, range(2_300_000)))  # no word twice: Gemini CLI stops what looks like a loop
    run = bench.run(write(bench), Step(text=words, usage=SECOND))
    assert run.exit_code == 0
    if bench.kind.waits_for_its_pipe:
        assert max(map(len, run.output.splitlines())) > MAX_LINE_BYTES
        assert_exact(run, bench)
    else:
        assert run.meter.ended is None
        assert assert_bound_covers(run, bench) > 0
    said = "exact" if bench.kind.waits_for_its_pipe else "its end is lost in the pipe, bounded"
    cell("it prints a line of 17 MB itself", said)


@pytest.mark.faults  # as much again
def test_loud_tools(bench: RealBench, cell: Cell) -> None:
    """One line of 17 MB, then 20 MB of lines as fast as they come."""
    one_line = "head -c 17000000 /dev/zero | tr '\\0' x; touch printed"
    many_lines = f"yes 'a line of output' | head -c {BYTES_OF_A_LOUD_TOOL}; touch printed-again"
    run = bench.run(shell(one_line), shell(many_lines), Step(text="Done.", usage=SECOND))
    assert (bench.worktree / "printed").exists()
    assert (bench.worktree / "printed-again").exists()
    assert run.exit_code == 0
    assert_exact(run, bench)
    cell("a tool prints one line of 17 MB, another 20 MB", "exact")


def stop_in_a_reply(bench: RealBench, number: signal.Signals) -> AgentRun:
    """The signal reaches the CLI (INT) or its group while its second reply streams."""
    run = bench.start(write(bench), Step(text="Never heard.", wait_for="gate", usage=SECOND))
    assert bench.server.wait_until_reached("gate", timeout=PATIENCE)
    if number is signal.SIGINT:
        run.process.send_signal(number)
    else:
        os.killpg(run.process.pid, number)
    return bench.listen(run)


def assert_exact(run: AgentRun, bench: RealBench) -> None:
    """The meter equals the bill, and nothing is unknown."""
    assert run.meter.total == billed(bench)
    assert run.meter.unknown_call() is None
    assert not run.meter.differences


def billed(bench: RealBench) -> Usage:
    """The bill, in the counters that the CLI's own output has."""
    bill = bench.server.billed()
    if bench.kind.splits_writes:
        return bill
    writes = bill.cache_write_5m_tokens + bill.cache_write_1h_tokens
    return replace(bill, cache_write_5m_tokens=writes, cache_write_1h_tokens=0)


def assert_bound_covers(run: AgentRun, bench: RealBench) -> int:
    """What was billed beyond what was metered; the bound covers it.

    One that was ended before its first word is charged all that is held, whatever the meter says: see `supervision`.
    """
    missing = bench.server.billed().total_tokens - run.meter.total.total_tokens
    if run.meter.session_id is None:
        assert run.meter.total == NOTHING
        return missing
    unknown = run.meter.unknown_call()
    assert 0 <= missing <= (0 if unknown is None else unknown.bound)
    return missing
