"""Claude Code's sources joined by request: telemetry, stream, session log, closing statement. Each call counts once."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bursar.agents import StreamReader, open_reader
from bursar.events import AgentEvent, CallReported, LineRejected, Source
from bursar.metering import Meter
from bursar.usage import Usage
from tests.unit.agents.recorded import FIXTURES, metered

SESSION = "3f1c2a64-5b0e-4a0e-9d55-0c8d7a1f2b11"
TELLING = {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://127.0.0.1:1/x/v1/logs"}
ONE = Usage(input_tokens=1000, cache_read_tokens=200, cache_write_5m_tokens=30, output_tokens=50)
SECOND = Usage(input_tokens=7, cache_read_tokens=1200, cache_write_1h_tokens=5, output_tokens=777)
SIDE = Usage(input_tokens=300, output_tokens=20)


def told(request_id: str, usage: Usage, **changes: Any) -> bytes:
    """A message with one record of a request, as the exporter writes it."""
    values: dict[str, Any] = {
        "event.name": "api_request",
        "model": "claude-haiku-5-5",
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_creation_tokens": usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        "cache_creation_5m_tokens": usage.cache_write_5m_tokens,
        "cache_creation_1h_tokens": usage.cache_write_1h_tokens,
        "cost_usd": 0.5,
        "request_id": request_id,
    } | changes
    kinds = {str: "stringValue", int: "intValue", float: "doubleValue"}
    attributes = [{"key": key, "value": {kinds[type(value)]: value}} for key, value in values.items()]
    record = {"timeUnixNano": "1", "body": {"stringValue": "claude_code.api_request"}, "attributes": attributes}
    other = {"body": {"stringValue": "claude_code.user_prompt"}, "attributes": []}
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [other, record]}]}]}).encode()


def lines_of(case: str) -> list[bytes]:
    return (FIXTURES / "claude" / f"{case}.jsonl").read_bytes().splitlines()


def feed(reader: StreamReader, lines: list[bytes]) -> list[AgentEvent]:
    return [event for line in lines for event in reader.feed_line(line)]


BILL = [ONE, ONE, SECOND]
MESSAGES = [told(f"req_msg_{number:06}", usage) for number, usage in enumerate(BILL, start=1)]


@pytest.mark.parametrize("place", [0, 1, 5, 9, 14, 21, 10_000])
def test_telemetry_at_any_time_changes_nothing(place: int) -> None:
    """It says what the stream says: before the lines that name its requests, among them, after the statement."""
    reader, lines = open_reader("claude", TELLING), lines_of("success-with-tools")
    events = feed(reader, lines[:place])
    events += [event for body in MESSAGES + MESSAGES for event in reader.feed_telemetry(body)]
    meter = metered([*events, *feed(reader, lines[place:]), *reader.finish()])
    assert meter.total == ONE + ONE + SECOND
    assert (meter.call_count, meter.differences, meter.unknown_call()) == (3, (), None)
    assert meter.ended is not None


def test_what_only_telemetry_tells_of_counts() -> None:
    """A side query: no line names it; it is a call of its own, once, though the statement has it too."""
    reader, lines = open_reader("claude", TELLING), lines_of("success-with-tools")
    statement = json.loads(lines[-1])
    (stated,) = statement["modelUsage"].values()
    stated["inputTokens"] += SIDE.input_tokens
    stated["outputTokens"] += SIDE.output_tokens
    events = feed(reader, [*lines[:-1], json.dumps(statement).encode()])
    for body in [*MESSAGES, told("req_side", SIDE)]:
        events += reader.feed_telemetry(body)
    meter = metered([*events, *reader.finish()])
    assert meter.total == ONE + ONE + SECOND + SIDE
    assert (meter.call_count, meter.unknown_call()) == (4, None)
    assert [event.call_id for event in events if isinstance(event, CallReported) and event.source is Source.TELEMETRY]


@pytest.mark.parametrize("is_early", [True, False])
def test_a_cut_call_of_which_telemetry_tells_stays_unknown(is_early: bool) -> None:
    """A record of a call that broke off has the placeholder for its output, as its lines do: it is no final count."""
    reader, lines = open_reader("claude", TELLING), lines_of("cut-after-the-first-word")
    begun = Usage(input_tokens=1000, cache_read_tokens=200, cache_write_5m_tokens=30, output_tokens=1)
    telling = reader.feed_telemetry(told("req_msg_000001", begun)) if is_early else ()
    events = [*telling, *feed(reader, lines)]
    if not is_early:
        events += reader.feed_telemetry(told("req_msg_000001", begun))
    unknown = metered([*events, *reader.finish()]).unknown_call()
    assert unknown is not None
    assert unknown.call_ids == ("msg_000001",)


def test_sub_agents_are_known_before_the_statement() -> None:
    """Their lines carry placeholders; telemetry has the whole of them while they work."""
    reader, lines = open_reader("claude", TELLING), lines_of("nested-agents-count")
    named = [json.loads(line) for line in lines if b'"request_id"' in line]
    meter = metered(feed(reader, lines[:-1]))
    assert meter.total.output_tokens < 3 * ONE.output_tokens
    for body in [told(line["request_id"], ONE) for line in named]:
        for event in reader.feed_telemetry(body):
            meter.feed(event)
    assert meter.total == ONE + ONE + ONE
    assert meter.unknown_call() is None
    for event in (*reader.feed_line(lines[-1]), *reader.finish()):
        meter.feed(event)
    assert (meter.total, meter.differences) == (ONE + ONE + ONE, ())


@pytest.mark.parametrize(("output", "differs"), [(50, False), (62, False), (63, True), (37, True), (38, False)])
def test_a_difference_above_one_percent_is_shown(output: int, differs: bool) -> None:
    """The stream says 1,280 tokens of the first call. The larger figure counts."""
    reader = open_reader("claude", TELLING)
    other = Usage(input_tokens=1000, cache_read_tokens=200, cache_write_5m_tokens=30, output_tokens=output)
    events = feed(reader, lines_of("success-with-tools"))
    events += reader.feed_telemetry(told("req_msg_000001", other))
    meter = metered([*events, *reader.finish()])
    assert meter.total.output_tokens == max(50, output) + 50 + 777
    shown = [str(each) for each in meter.differences if "msg_000001" in str(each)]
    assert bool(shown) is differs
    if differs:
        assert shown == [f"claude-haiku-5-5, call msg_000001: stream says 1280, telemetry says {1230 + output} tokens"]


def test_writes_are_compared_in_sum() -> None:
    """One source may not tell how long they live: they are not counted twice."""
    reader = open_reader("claude", TELLING)
    events = feed(reader, lines_of("success-with-tools"))
    other = Usage(input_tokens=1000, cache_read_tokens=200, cache_write_1h_tokens=30, output_tokens=50)
    events += reader.feed_telemetry(told("req_msg_000001", other))
    assert metered([*events, *reader.finish()]).total == ONE + ONE + SECOND


@pytest.mark.parametrize(
    "body",
    [
        b"", b"not json", b"[]", b"{}", b'{"resourceLogs":5}', b"\xff", b"[" * 100_000,
        told("r", ONE, input_tokens=-5), told("r", ONE, output_tokens=10**12), told("r", ONE, output_tokens="many"),
        told("r", ONE, output_tokens=1.5), told("", ONE),
    ],
)  # fmt: skip
def test_telemetry_that_cannot_be_true(body: bytes) -> None:
    reader = open_reader("claude", TELLING)
    events = [*feed(reader, lines_of("success-with-tools")), *reader.feed_telemetry(body), *reader.finish()]
    meter = metered(events)
    assert meter.total == ONE + ONE + SECOND
    assert all(len(event.reason) < 300 for event in events if isinstance(event, LineRejected))


def test_numbers_may_be_text() -> None:
    """OTLP's JSON writes integers of 64 bits as text."""
    body = told("req_side", SIDE).replace(b'"intValue": 300', b'"intValue": "300"')
    reader = open_reader("claude", TELLING)
    reader.feed_telemetry(body)
    assert metered(list(reader.finish())).total == SIDE


def test_a_message_that_no_line_repeats_is_not_counted_twice() -> None:
    """An empty answer has no whole-message line, so nothing names its request."""
    lines = [line for line in lines_of("model-reaches-the-server-haiku") if not line.startswith(b'{"type":"assistant"')]
    reader = open_reader("claude", TELLING)
    events = feed(reader, lines)
    events += reader.feed_telemetry(told("req_msg_000001", ONE))
    meter = metered([*events, *reader.finish()])
    assert (meter.total, meter.call_count) == (ONE, 1)


def test_what_is_in_flight_stays_unknown() -> None:
    """Telemetry of calls that are over says nothing of the one that was cut off by TERM."""
    reader = open_reader("claude", TELLING)
    events = feed(reader, lines_of("term-while-streaming"))
    events += [*reader.feed_telemetry(MESSAGES[0]), *reader.feed_telemetry(told("req_side", SIDE)), *reader.finish()]
    meter, alone = metered(events), metered(feed(open_reader("claude"), lines_of("term-while-streaming")))
    assert meter.total == alone.total + SIDE
    assert meter.unknown_call() is not None
    assert alone.unknown_call() == meter.unknown_call()


def put_session_log(home: Path, name: str, *usages: tuple[str, int, str | None]) -> None:
    path = home / ".claude/projects/-w" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    lines: list[Any] = [{"type": "user"}, {"type": "summary", "usage": 1}]
    for message_id, output, stop_reason in usages:
        usage = {"input_tokens": 1000, "cache_read_input_tokens": 200, "cache_creation_input_tokens": 30,
                 "output_tokens": output}  # fmt: skip
        message = {"id": message_id, "model": "claude-haiku-5-5", "stop_reason": stop_reason, "usage": usage}
        lines.append({"type": "assistant", "message": message, "isSidechain": "sub" in name})
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")


def test_session_logs_tell_what_was_killed_before_the_statement(tmp_path: Path) -> None:
    """A sub-agent's call: its line has a placeholder, its session log the whole; the main call is not counted again."""
    lines = lines_of("nested-agents-count")[:-1]
    whole = [json.loads(line) for line in lines if line.startswith(b'{"type":"assistant"')]
    (session,) = {line["session_id"] for line in whole}
    side = {line["message"]["id"] for line in whole if line["parent_tool_use_id"]}
    assert len(side) == 1
    put_session_log(tmp_path, f"{session}.jsonl", ("msg_000001", 50, "tool_use"), ("msg_000001", 50, "tool_use"))
    put_session_log(tmp_path, f"{session}/subagents/agent-sub.jsonl", (side.pop(), 50, "end_turn"))
    put_session_log(tmp_path, "other.jsonl", ("msg_000009", 50, "end_turn"))
    reader = open_reader("claude", {"HOME": str(tmp_path)})
    meter = metered([*feed(reader, lines), *reader.finish()])
    assert meter.total == ONE + ONE + ONE
    assert meter.unknown_call() is None


def test_a_placeholder_in_a_session_log_is_none_the_better(tmp_path: Path) -> None:
    lines = lines_of("term-while-streaming")
    put_session_log(tmp_path, f"{SESSION}.jsonl", ("msg_000002", 1, "end_turn"))
    reader = open_reader("claude", {"HOME": str(tmp_path)})
    assert metered([*feed(reader, lines), *reader.finish()]).unknown_call() is not None


def test_any_order_of_all_sources() -> None:
    """Stream lines in their order, telemetry at random places: twenty seeds, one result."""
    lines = lines_of("nested-agents-count")
    bodies = [told(json.loads(line)["request_id"], ONE) for line in lines if b'"request_id"' in line]
    results: set[Usage] = set()
    for seed in range(20):
        order = random.Random(seed)
        reader, meter = open_reader("claude", TELLING), Meter("haiku")
        places = sorted(order.choices(range(len(lines) + 1), k=len(bodies)))
        for number, line in enumerate([*lines, b""]):
            for place, body in zip(places, bodies, strict=True):
                if place == number:
                    for event in reader.feed_telemetry(body):
                        meter.feed(event)
            for event in reader.feed_line(line):
                meter.feed(event)
        for event in reader.finish():
            meter.feed(event)
        results.add(meter.total)
    assert results == {ONE + ONE + ONE}
