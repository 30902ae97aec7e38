"""A program of the user's own whose lines are mapped: calls, tools, the end; and what it says wrongly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.agents import CommandAgent, LaunchRequest, open_reader, read_mapping
from bursar.config import Settings, build_agent
from bursar.errors import UserError
from bursar.events import AgentEvent, CallReported, LineRejected, SessionEnded, SessionStarted, ToolStarted
from bursar.metering import Meter
from bursar.usage import Usage

TABLE: dict[str, str | bool] = {
    "call": "response.id",
    "model": "response.model",
    "session": "thread",
    "input_tokens": "response.usage.prompt",
    "cache_read_tokens": "response.usage.details.0.cached",
    "output_tokens": "response.usage.completion",
    "input_includes_cache": True,
    "tool": "tool.name",
    "tool_result": "tool.answer",
    "end": "final",
    "error": "failed",
}


def call(number: int, prompt: object = 100, cached: object = 40, completion: object = 7) -> dict[str, Any]:
    usage = {"prompt": prompt, "details": [{"cached": cached}], "completion": completion}
    return {"thread": "t", "response": {"id": f"r{number}", "model": "m-1", "usage": usage}}


def read(*lines: object) -> tuple[list[AgentEvent], Meter]:
    agent, meter = CommandAgent(("x",), events=read_mapping(TABLE)), Meter("assumed")
    reader = agent.reader()
    events = [
        event
        for line in lines
        for event in reader.feed_line(line if isinstance(line, bytes) else json.dumps(line).encode())
    ]
    events += (*reader.poll(), *reader.feed_telemetry(b"{}"), *reader.finish())
    for event in events:
        meter.feed(event)
    return events, meter


def test_calls_are_metered_by_the_places() -> None:
    tool = {"tool": {"name": "shell", "answer": "ok"}}
    events, meter = read(call(1), tool, call(2, 200, 0, 9), {"final": "All done.", "failed": None})
    assert meter.usage_by_model == {"m-1": Usage(input_tokens=260, cache_read_tokens=40, output_tokens=16)}
    assert (meter.session_id, meter.call_count, meter.unknown_call()) == ("t", 2, None)
    assert ToolStarted(name="shell") in events
    assert events[-1] == SessionEnded(is_error=False, message="All done.")


def test_the_same_call_again_counts_once_and_the_most_of_it() -> None:
    assert read(call(1), call(1, completion=3), call(1), {"final": 1})[1].total.output_tokens == 7


def test_before_the_end_another_call_may_be_on() -> None:
    meter = read(call(1), {"tool": {"name": "x", "answer": "y" * 500}})[1]
    unknown = meter.unknown_call()
    assert meter.ended is None
    assert unknown is not None
    assert unknown.bound >= meter.total.total_tokens + 500


def test_an_error_at_the_end_is_one() -> None:
    for failed, is_error in (("no", True), (True, True), ("", False), (False, False), (0, False)):
        assert read({"final": "bye", "failed": failed})[0][-1] == SessionEnded(is_error=is_error, message="bye")


@pytest.mark.parametrize(
    "odd", [{"prompt": -1}, {"prompt": "5"}, {"prompt": True}, {"cached": 101}, {"completion": 1e12}]
)
def test_figures_that_cannot_be_are_refused_and_the_call_stays_open(odd: dict[str, object]) -> None:
    events, meter = read(call(1, **odd))
    assert [type(event) for event in events] == [SessionStarted, LineRejected, CallReported]
    assert meter.total == Usage()
    assert meter.unknown_call() is not None


@pytest.mark.parametrize("line", [b"npm warn", b"[1, 2]", b"3", b"\xff\xfe", b"{", b"[" * 100_000, b'{"response": 5}'])
def test_other_lines_do_no_harm(line: bytes) -> None:
    meter = read(line, call(1), {"final": ""})[1]
    assert meter.total.total_tokens == 107


def test_no_counters_are_no_usage() -> None:
    meter = read({"response": {"id": "r1"}}, {"final": ""})[1]
    assert meter.total == Usage()
    assert meter.unknown_call() is not None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"call": ""}, "says nothing of call"),
        ({"end": "", "output_tokens": ""}, "says nothing of end, output_tokens"),
        ({"model": "a..b"}, "events.model: 'a..b' is no place"),
        ({"models": "x"}, "unknown field `models`"),
        ({"input_includes_cache": "yes"}, "Expected `bool`"),
    ],
)
def test_a_mapping_that_cannot_be(change: dict[str, str | bool], words: str) -> None:
    with pytest.raises(UserError, match=words):
        read_mapping(TABLE | change)


def test_its_supervisor_reads_by_the_mapping_too() -> None:
    """It has the name and the environment of the process alone."""
    table = {"run": {"agent": "command"}, "agents": {"command": {"argv": ["sh"], "events": TABLE}}}
    agent = build_agent(msgspec.convert(table, Settings))
    launch = agent.launch(LaunchRequest(prompt="p", worktree=Path("/"), model="m", session_id="s"), {"PATH": "/bin"})
    reader = open_reader(agent.name, launch.environment)
    assert any(isinstance(event, CallReported) for event in reader.feed_line(json.dumps(call(1)).encode()))


def test_a_mapping_of_a_run_around_us_is_not_this_one_s() -> None:
    agent = CommandAgent(("sh",), passed=("BURSAR_*",))
    request = LaunchRequest(prompt="p", worktree=Path("/"), model="m", session_id="s")
    assert "BURSAR_EVENTS" not in agent.launch(request, {"PATH": "/bin", "BURSAR_EVENTS": "{}"}).environment


NAMES = sorted({name for place in TABLE.values() if isinstance(place, str) for name in place.split(".")})
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2_000) | st.floats(allow_nan=False) | st.sampled_from(["", "r1", "x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, print_blob=True)
@given(lines=st.lists(values, max_size=8), real=st.lists(st.integers(1, 3), max_size=4))
def test_whatever_is_said_spend_never_falls(lines: list[object], real: list[int]) -> None:
    meter = Meter("assumed")
    reader = CommandAgent(("x",), events=read_mapping(TABLE)).reader()
    for line in (*lines, *map(call, real), *lines):
        for event in reader.feed_line(json.dumps(line).encode()):
            before = meter.total
            added = sum((delta.usage for delta in meter.feed(event)), Usage())
            assert before + added == meter.total
    assert meter.total.total_tokens >= 107 * len(set(real))
