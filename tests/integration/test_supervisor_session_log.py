"""An agent whose stream tells no usage, under a real supervisor: its session log is followed while it grows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bursar.ledger import State
from bursar.supervision import AttemptSpec, Ending
from tests.integration.supervised import Bench, open_bench

THREAD = "01a1fe80-0000-7000-8000-000000000001"
STARTED = json.dumps({"type": "thread.started", "thread_id": THREAD})


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_bench(tmp_path) as made:
        yield made


def record(number: int, tokens: int) -> str:
    """A line of the log: one response."""
    usage = {"input_tokens": tokens - 10, "output_tokens": 10}
    return json.dumps({"type": "token_usage_record", "payload": {"response_id": f"resp_{number}", "usage": usage}})


def completed(tokens: int, calls: int) -> str:
    usage = {"input_tokens": tokens - 10 * calls, "output_tokens": 10 * calls}
    return json.dumps({"type": "turn.completed", "usage": usage})


def spec(bench: Bench, script: str, **changes: Any) -> AttemptSpec:
    """A shell script as the agent; `log LINE` writes into its session log."""
    home = bench.folder / "codex"
    folder = home / "sessions" / "2026" / "11" / "21"
    log = f"{folder}/rollout-2026-11-21T00-00-00-{THREAD}.jsonl"
    functions = f"say() {{ printf '%s\\n' \"$1\"; }}; log() {{ mkdir -p {folder}; printf '%s\\n' \"$1\" >> {log}; }}\n"
    environment = {"PATH": os.environ["PATH"], "CODEX_HOME": str(home)}
    argv = ["/bin/sh", "-c", functions + script]
    return bench.spec(reader="codex", argv=argv, environment=environment, stdin=None, **changes)


def test_a_limit_stops_it_while_its_stream_says_nothing(bench: Bench) -> None:
    """After its first line nothing comes through the pipe: only the log can tell that the limit is reached."""
    bench.reserve("r/1/1", 5000, limit=5000)
    script = f"say '{STARTED}'; log '{record(1, 3000)}'; log '{record(2, 3000)}'; exec sleep 600"
    outcome, reservation = bench.finish(bench.start(spec(bench, script, units=["tokens"])))
    assert (outcome.ending, outcome.metered_tokens, outcome.calls) == (Ending.LIMIT, 6000, 2)
    assert "limit of 5,000 tokens" in outcome.limit
    assert reservation.state is State.OVERRUN


def test_what_is_logged_after_the_statement_counts_once(bench: Bench) -> None:
    bench.reserve("r/1/1", 50_000)
    script = f"say '{STARTED}'; log '{record(1, 3000)}'; say '{completed(7000, 2)}'; log '{record(2, 4000)}'"
    outcome, _ = bench.finish(bench.start(spec(bench, script)))
    assert (outcome.ending, outcome.is_error, outcome.metered_tokens) == (Ending.EXITED, False, 7000)
    assert (outcome.calls, outcome.unknown_tokens, outcome.differences) == (2, 0, [])


def test_what_the_log_lacks_comes_from_the_statement(bench: Bench) -> None:
    bench.reserve("r/1/1", 50_000)
    script = f"say '{STARTED}'; log '{record(1, 3000)}'; say '{completed(7000, 2)}'"
    outcome, _ = bench.finish(bench.start(spec(bench, script)))
    assert (outcome.metered_tokens, outcome.unknown_tokens) == (7000, 0)


def test_killed_with_a_call_in_flight(bench: Bench) -> None:
    """What was logged is metered, what a next call may have used is charged on top."""
    bench.reserve("r/1/1", 50_000)
    answer = json.dumps({"type": "response_item", "payload": {"type": "function_call_output", "output": "ok"}})
    script = f"say '{STARTED}'; log '{record(1, 3000)}'; log '{answer}'; kill -9 $$"
    outcome, _ = bench.finish(bench.start(spec(bench, script)))
    assert (outcome.exit_code, outcome.is_error, outcome.metered_tokens) == (-9, None, 3000)
    assert outcome.unknown_tokens >= 3000
