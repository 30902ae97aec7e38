"""What the real CLIs write into their logs is what the model server billed, and counts once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bursar.logs import Wanted, add_up, open_index, rows_by_session, update_index
from bursar.testing.model_server import ModelServer
from bursar.testing.script import Script, Step, ToolCall
from bursar.usage import Usage
from tests.conformance.real_agents import KINDS, ProxyTrap, RealBench, installed

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(240)]

LAST = Usage(input_tokens=7, cache_read_tokens=1200, cache_write_5m_tokens=5, output_tokens=777)


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealBench]:
    name = str(request.param)
    program, trap = installed(name), ProxyTrap()
    with ModelServer(Script.of({})) as server:
        bench = RealBench(name, program, tmp_path, "logs", server, trap)
        bench.prepare()
        yield bench
    trap.close()


def test_logs_of_real_clis_come_to_the_bill(bench: RealBench, tmp_path: Path) -> None:
    tool = Step(text="Looking.", tools=(ToolCall("Bash", {"command": "true", "description": "look"}),))
    bench.run(tool, Step(text="All done.", usage=LAST))
    index = open_index(tmp_path / "index" / "usage.db")
    for _ in range(2):
        result = update_index(index, {"HOME": str(bench.private_home)})
        assert (result.unreadable, result.refused) == ({}, {})
    (row,) = rows_by_session(index, Wanted())
    index.close()
    totals, billed = add_up([row.totals]), bench.server.billed()
    assert (row.source, totals.calls, totals.total_tokens) == (bench.name, len(bench.server.calls), billed.total_tokens)
    assert totals.output_tokens == billed.output_tokens
    assert totals.cache_read_tokens == billed.cache_read_tokens
    assert totals.unpriced == 0
    if bench.name != "gemini":  # which knows no cache writes
        assert totals.cache_write_tokens == billed.cache_write_5m_tokens + billed.cache_write_1h_tokens
    assert Path(row.project) == bench.worktree
