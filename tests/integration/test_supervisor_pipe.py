"""An agent that prints faster than its supervisor hears cannot run far ahead of its books: the pipe is narrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bursar.supervision import Ending
from tests.integration.supervised import Bench, open_bench

CALLS = 300
TOKENS = 1000
LIMIT = 10


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_bench(tmp_path) as made:
        yield made


def calls_past_the_limit(bench: Bench, pipe_bytes: int) -> tuple[int, int]:
    """Calls of an agent that never waits, past a limit of ten; and how many fit into the pipe at most."""
    steps = [word for number in range(CALLS) for word in ("call", f"m{number}", "900", "100")]
    bench.reserve("r/1/1", LIMIT * TOKENS, limit=LIMIT * TOKENS)
    spec = bench.spec("init", *steps, "wait", units=["tokens"], pipe_bytes=pipe_bytes)
    outcome, _ = bench.finish(bench.start(spec))
    assert outcome.ending is Ending.LIMIT
    lines = (Path(spec.directory) / "stream.jsonl").read_bytes().splitlines(keepends=True)
    return outcome.calls - LIMIT, pipe_bytes // (sum(map(len, lines[1:])) // outcome.calls)


def test_what_nobody_has_heard_is_at_most_two_pipes_full(bench: Bench) -> None:
    past, in_pipe = calls_past_the_limit(bench, 4096)
    assert past <= 2 * (in_pipe + 1)  # one that was read, and one that was filled before the agent was paused
    assert past < CALLS - LIMIT
