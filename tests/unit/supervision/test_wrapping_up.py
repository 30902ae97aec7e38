"""An agent is told before its limit comes; the limit is where it was, and so is the end."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from bursar.budget import Amount, Budget, Limit, Unit
from bursar.clock import SystemClock
from bursar.ledger import MemoryLedger, Reservation, ReserveRequest
from bursar.supervision import STOP_ASKED, Ending, Outcome, StopRung, WrapUpSpec, write_grace
from bursar.supervision.agent_process import AgentProcess
from bursar.supervision.agent_supervision import Supervision
from bursar.supervision.spec import take_grace
from bursar.supervision.spending import Spending
from tests.integration.supervised import make_spec
from tests.unit.supervision.test_supervision_in_step import INIT, KEY, ToldAgent, call, line, wake

__all__ = ["wake"]

RESULT = line(type="result", subtype="success", is_error=False, result="LEFT: the rest")


def window(share: float) -> bytes:
    windows = {"five_hour": {"utilization": share, "resetsAt": 1_900_000_000}}
    return line(type="rate_limit_event", rate_limit_info={"status": "allowed", "unifiedWindows": windows})


class HearingAgent(ToldAgent):
    """Takes what is in its mailbox whenever it goes on, as a hook after a tool would."""

    mailbox: Path
    heard: list[str]

    def resume(self) -> None:
        if self.is_paused and self.mailbox.exists():
            self.heard.append(json.loads(self.mailbox.read_text()))
            self.mailbox.rename(f"{self.mailbox}.heard")
        super().resume()


class SilentAgent(ToldAgent):
    """Says what it has to say, and then nothing until INT has reached it."""

    def _say_more(self) -> None:
        os.write(self._speak, self._chunks.pop(0))

    def send(self, rung: StopRung) -> None:
        super().send(rung)
        self._finish()


def supervise(
    folder: Path,
    wake: int,
    *chunks: bytes,
    limit: int = 1000,
    hears: bool = True,
    can_be_told: bool = True,
    agent: ToldAgent | None = None,
) -> tuple[Outcome, ToldAgent]:
    ledger = MemoryLedger(SystemClock())
    ledger.define(Budget(name="run-r", selector={"run": "r"}, limit=Limit(limit, Unit.TOKENS)))
    held = ledger.reserve(
        ReserveRequest(key=KEY, labels={"run": "r", "task": "1"}, amount=Amount(limit, None), minimum=Amount(1, None))
    )
    assert isinstance(held, Reservation)
    agent = agent or (HearingAgent(*chunks) if hears else ToldAgent(*chunks))
    agent.mailbox, agent.heard = folder / "mailbox.json", []  # type: ignore[attr-defined]
    told = WrapUpSpec(
        mailbox=str(folder / "mailbox.json"), words="Stop: {why}.", calls=2, window_percent=98.0, budgets=["run-r"]
    )
    spec = make_spec(folder, units=["tokens"], wrap_up=told if can_be_told else None)
    spending = Spending(spec, ledger, held)
    outcome, _ = Supervision(spec, cast(AgentProcess, agent), spending, SystemClock(), io.BytesIO(), wake).run()
    return outcome, agent


def calls(count: int) -> list[bytes]:
    """A chunk for each: the session begins with the first, the last is followed by the closing statement."""
    first, *rest = [call(f"m{number}", 100) for number in range(count)]
    return [INIT + first, *rest[:-1], rest[-1] + RESULT]


def test_it_is_told_once_before_its_limit(tmp_path: Path, wake: int) -> None:
    outcome, agent = supervise(tmp_path, wake, *calls(9))
    assert (outcome.ending, outcome.metered_tokens, outcome.has_heard) == (Ending.EXITED, 900, True)
    assert outcome.told_why == "budget run-r (limit of 1,000 tokens) has room for about 2 more calls"
    assert agent.heard == [f"Stop: {outcome.told_why}."]  # type: ignore[attr-defined]
    assert outcome.told_at
    (remark,) = outcome.remarks
    assert remark.startswith("it was told to wrap up at ")
    assert outcome.told_why in remark


@pytest.mark.parametrize("hears", [True, False])
def test_who_goes_on_is_stopped_where_it_would_have_been(tmp_path: Path, wake: int, hears: bool) -> None:
    outcome, agent = supervise(tmp_path, wake, *calls(15), hears=hears)
    assert (outcome.ending, outcome.metered_tokens, outcome.has_heard) == (Ending.LIMIT, 1000, hears)
    assert "INT" in agent.actions
    assert outcome.told_at, "it was told, heard or not"
    assert ("has not heard it" in outcome.remarks[0]) is not hears


def test_one_with_room_enough_is_told_nothing(tmp_path: Path, wake: int) -> None:
    outcome, agent = supervise(tmp_path, wake, *calls(7))
    assert (outcome.told_at, outcome.told_why, outcome.has_heard, outcome.remarks) == ("", "", False, [])
    assert agent.heard == []  # type: ignore[attr-defined]


def test_it_is_told_before_its_subscriptions_window_closes(tmp_path: Path, wake: int) -> None:
    chunks = [INIT, call("m1", 10), window(0.97), call("m2", 10), window(0.985), call("m3", 10), RESULT]
    outcome, _ = supervise(tmp_path, wake, *[b"".join(chunks)], limit=100_000)
    assert outcome.told_why == "the subscription's window five_hour is used to 98.5 %"
    assert (outcome.ending, outcome.has_heard) == (Ending.EXITED, True)
    assert outcome.resets_at == 1_900_000_000


def test_of_a_long_message_the_end_is_kept(tmp_path: Path, wake: int) -> None:
    long = line(type="result", subtype="success", is_error=False, result="Done: " + "x" * 5000 + "\nLEFT: the rest")
    outcome, _ = supervise(tmp_path, wake, INIT + call("m1", 10) + long)
    assert outcome.message.startswith("Done: x")
    assert outcome.message.endswith("\nLEFT: the rest")
    assert len(outcome.message) < 2010


@pytest.fixture
def told() -> Iterator[tuple[int, int]]:
    """What wakes a supervisor that is told to stop, and where that is written."""
    readable, writable = os.pipe()
    yield readable, writable
    os.close(readable)
    os.close(writable)


def test_one_that_is_to_stop_may_wrap_up(tmp_path: Path, told: tuple[int, int]) -> None:
    """Told once, in its time, and heard: it ends by itself, as a request and not as a limit has it."""
    os.write(told[1], b"\x0f")
    write_grace(tmp_path, 600.0)
    outcome, agent = supervise(tmp_path, told[0], *calls(3))
    assert (outcome.ending, outcome.has_heard, outcome.told_why) == (Ending.EXITED, True, STOP_ASKED)
    assert agent.heard == ["Stop: the run was asked to stop."]  # type: ignore[attr-defined]
    assert "INT" not in agent.actions
    assert take_grace(tmp_path) == 0.0, "whoever says it again means it"


@pytest.mark.parametrize("grace", [0.0, 600.0])
def test_one_that_cannot_be_told_is_stopped_at_once(tmp_path: Path, told: tuple[int, int], grace: float) -> None:
    os.write(told[1], b"\x0f")
    write_grace(tmp_path, grace)
    outcome, agent = supervise(tmp_path, told[0], *calls(3), can_be_told=grace == 0.0)
    assert (outcome.ending, outcome.told_at) == (Ending.INTERRUPTED, "")
    assert "INT" in agent.actions


def test_a_grace_is_over_some_time(tmp_path: Path, told: tuple[int, int]) -> None:
    """An agent that says nothing more is stopped then."""
    os.write(told[1], b"\x0f")
    write_grace(tmp_path, 0.01)
    outcome, agent = supervise(tmp_path, told[0], agent=SilentAgent(INIT))
    assert (outcome.ending, outcome.has_heard) == (Ending.INTERRUPTED, False)
    assert "has not heard it" in outcome.remarks[0]
    assert "INT" in agent.actions


def put_pipe(path: Path) -> None:
    os.mkfifo(path)


def put_link(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("put", [put_pipe, put_link, Path.mkdir, lambda path: path.write_text("1e999")])
def test_what_is_no_grace_is_none(tmp_path: Path, put: Callable[[Path], object]) -> None:
    """An agent without a sandbox can write there; nobody waits at what it puts."""
    assert take_grace(tmp_path) == 0.0
    put(tmp_path / "grace")
    assert take_grace(tmp_path) == 0.0
