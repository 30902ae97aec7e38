"""An agent never runs ahead of its books: it stands still while its usage is written and judged."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from bursar.budget import Amount, Budget, Counting, Limit, Unit
from bursar.clock import SystemClock
from bursar.ledger import CallRecord, MemoryLedger, Reservation, ReserveRequest
from bursar.supervision.agent_process import AgentProcess
from bursar.supervision.agent_supervision import Supervision
from bursar.supervision.spec import Ending, Outcome, StopRung
from bursar.supervision.spending import Spending
from tests.integration.supervised import make_spec

KEY = "r/1/1"


def line(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"


INIT = line(type="system", subtype="init", session_id="s", model="model-1")


def call(call_id: str, tokens: int) -> bytes:
    """What an agent without partial messages prints for one call."""
    message = {"id": call_id, "model": "model-1", "usage": {"input_tokens": tokens, "output_tokens": 0}}
    return line(type="assistant", message=message)


class ToldAgent:
    """Prints what it was told to, chunk by chunk; ends when INT has reached it, or when it has nothing left to say."""

    def __init__(self, *chunks: bytes) -> None:
        self.output, self._speak = os.pipe()
        self.pidfd, self._end = os.pipe()
        os.set_blocking(self.output, False)
        self.actions: list[str] = []
        self.is_paused = False
        self.exit_code: int | None = None
        self._chunks = list(chunks)
        self._say_more()

    def _say_more(self) -> None:
        if self._chunks:
            os.write(self._speak, self._chunks.pop(0))
        else:
            self._finish()

    def _finish(self) -> None:
        if self._end >= 0:
            os.close(self._end)
            os.close(self._speak)
            self._end = -1

    def pause(self) -> None:
        if not self.is_paused:
            self.is_paused = True
            self.actions.append("pause")

    def resume(self) -> None:
        if self.is_paused:
            self.is_paused = False
            self.actions.append("resume")
            self._finish() if "INT" in self.actions else self._say_more()

    def send(self, rung: StopRung) -> None:
        self.actions.append(signal.Signals(rung.signal).name.removeprefix("SIG"))

    def reap(self) -> None:
        self.exit_code = 0

    def clear(self) -> bool:
        self.exit_code = 0 if self.exit_code is None else self.exit_code
        return True

    def close(self) -> None:
        os.close(self.output)
        os.close(self.pidfd)


class WatchingLedger(MemoryLedger):
    """Notes whether the agent stood still while a call was written down."""

    agent: ToldAgent
    was_paused: list[bool]

    def record(self, key: str, call: CallRecord) -> Reservation:
        self.was_paused.append(self.agent.is_paused)
        return super().record(key, call)


@pytest.fixture
def wake() -> Iterator[int]:
    readable, writable = os.pipe()
    yield readable
    os.close(readable)
    os.close(writable)


def supervise(
    tmp_path: Path, wake: int, agent: ToldAgent, limit: int | None, counts: Counting = Counting.TOTAL
) -> tuple[Outcome, WatchingLedger]:
    ledger = WatchingLedger(SystemClock())
    ledger.agent, ledger.was_paused = agent, []
    if limit is not None:
        whole = Limit(limit, Unit.TOKENS)
        ledger.define(Budget(name="run-r", selector={"run": "r"}, limit=whole, counts=counts))
    held = ledger.reserve(
        ReserveRequest(key=KEY, labels={"run": "r", "task": "1"}, amount=Amount(1000, None), minimum=Amount(1, None))
    )
    assert isinstance(held, Reservation)
    is_whole = counts is Counting.TOTAL
    spec = make_spec(
        tmp_path,
        units=["tokens"] if limit is not None and is_whole else [],
        countings=[] if is_whole else [counts.value],
        step_output_tokens=100,
    )
    supervision = Supervision(
        spec, cast(AgentProcess, agent), Spending(spec, ledger, held), SystemClock(), io.BytesIO(), wake
    )
    outcome, _ = supervision.run()
    return outcome, ledger


def test_it_stands_still_while_a_call_is_written(tmp_path: Path, wake: int) -> None:
    agent = ToldAgent(INIT + call("m1", 100), call("m2", 100) + call("m3", 100))
    outcome, ledger = supervise(tmp_path, wake, agent, limit=5000)
    assert outcome.metered_tokens == 300
    assert ledger.was_paused == [True, True, True]
    assert agent.actions == ["pause", "resume", "pause", "resume"]


def test_the_stop_is_sent_before_it_goes_on(tmp_path: Path, wake: int) -> None:
    agent = ToldAgent(INIT + call("m1", 400), call("m2", 400), call("m3", 400), call("m4", 400))
    outcome, _ = supervise(tmp_path, wake, agent, limit=800)
    assert outcome.ending is Ending.LIMIT
    assert outcome.metered_tokens == 800
    assert agent.actions == ["pause", "resume", "pause", "INT", "resume"]


def test_a_limit_of_some_tokens_holds_it_up_as_well(tmp_path: Path, wake: int) -> None:
    agent = ToldAgent(INIT + call("m1", 400), call("m2", 400), call("m3", 400), call("m4", 400))
    outcome, ledger = supervise(tmp_path, wake, agent, limit=800, counts=Counting.FRESH)
    assert (outcome.ending, outcome.metered_tokens) == (Ending.LIMIT, 800)
    assert ledger.was_paused == [True, True]


def test_what_it_said_before_it_stood_still_is_counted_too(tmp_path: Path, wake: int) -> None:
    agent = ToldAgent(INIT + call("m1", 900) + call("m2", 900))
    outcome, _ = supervise(tmp_path, wake, agent, limit=800)
    assert outcome.metered_tokens == 1800
    assert agent.actions == ["pause", "INT", "resume"]


def test_without_a_limit_nobody_is_held_up(tmp_path: Path, wake: int) -> None:
    agent = ToldAgent(INIT + call("m1", 400))
    agent._say_more()
    outcome, _ = supervise(tmp_path, wake, agent, limit=None)
    assert outcome.metered_tokens == 400
    assert agent.actions == []


def test_a_call_that_is_being_answered_is_not_judged(tmp_path: Path, wake: int) -> None:
    message = {"id": "m1", "model": "model-1", "usage": {"input_tokens": 900, "output_tokens": 1}}
    begun = line(type="stream_event", event={"type": "message_start", "message": message})
    repeated = line(type="assistant", message=message)
    said = line(type="result", subtype="success", is_error=False, result="done", usage=message["usage"])
    agent = ToldAgent(INIT + begun + repeated + said)
    outcome, _ = supervise(tmp_path, wake, agent, limit=800)
    assert outcome.ending is Ending.EXITED
    assert "INT" not in agent.actions
