"""One line of Claude Code's output → events; what cannot be true is refused and said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bursar.agents import MAX_LINE_BYTES, open_reader
from bursar.events import (
    AgentEvent,
    CallReported,
    LineRejected,
    RetryReported,
    SessionEnded,
    SessionStarted,
    ToolReturned,
    ToolStarted,
)
from bursar.usage import Usage

START = {"input_tokens": 10, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 20, "output_tokens": 1}


def read(*lines: object) -> list[AgentEvent]:
    reader = open_reader("claude")
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return [event for line in raw for event in reader.feed_line(line)]


def stream(event: dict[str, Any], *, chain: str | None = None) -> dict[str, Any]:
    return {"type": "stream_event", "event": event, "parent_tool_use_id": chain}


def start(call_id: str = "m1", usage: object = START, *, chain: str | None = None) -> dict[str, Any]:
    return stream({"type": "message_start", "message": {"id": call_id, "model": "x", "usage": usage}}, chain=chain)


def delta(usage: object, *, chain: str | None = None) -> dict[str, Any]:
    return stream({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}, chain=chain)


def assistant(usage: object, **fields: Any) -> dict[str, Any]:
    return {"type": "assistant", "message": {"id": "m1", "model": "x", "content": [], "usage": usage, **fields}}


def reports(*lines: object) -> list[CallReported]:
    return [event for event in read(*lines) if isinstance(event, CallReported)]


def usage(**counters: int) -> Usage:
    known = {"input_tokens": 10, "cache_write_5m_tokens": 30, "cache_read_tokens": 20, "output_tokens": 1}
    return Usage(**{**known, **counters})


def test_session_started() -> None:
    line = {"type": "system", "subtype": "init", "session_id": "s", "model": "x", "claude_code_version": "2"}
    assert read(line) == [SessionStarted(session_id="s", model="x", version="2")]


def test_a_streamed_call() -> None:
    assert reports(start(), delta({"output_tokens": 777})) == [
        CallReported(call_id="m1", model="x", usage=usage(), is_final=False, is_streaming=True),
        CallReported(call_id="m1", model="x", usage=usage(output_tokens=777), is_final=True),
    ]


def test_a_message_that_repeats_an_open_call_is_part_of_its_streaming() -> None:
    counts = {"input_tokens": 10, "output_tokens": 1}
    assert [report.is_streaming for report in reports(start(), assistant(counts))] == [True, True]


def test_a_message_of_a_stream_without_partial_messages_stands_for_itself() -> None:
    """Limits are judged on it at once: nothing says that more reports on this call will come."""
    counts = {"input_tokens": 10, "output_tokens": 1}
    assert [report.is_streaming for report in reports(assistant(counts))] == [False]


def test_chains_are_kept_apart() -> None:
    lines = [start("m1"), start("m2", chain="t"), delta({"output_tokens": 5}), delta({"output_tokens": 6}, chain="t")]
    assert [(event.call_id, event.is_side_chain) for event in reports(*lines)] == [
        ("m1", False),
        ("m2", True),
        ("m1", False),
        ("m2", True),
    ]


def test_a_delta_without_its_start_is_said_not_guessed() -> None:
    stop = stream({"type": "message_stop"})
    assert read(delta({"output_tokens": 5})) == [LineRejected(reason="usage of a call that never started")]
    assert isinstance(read(start(), delta({"output_tokens": 5}), stop, delta({"output_tokens": 9}))[-1], LineRejected)


def test_a_delta_that_names_its_call() -> None:
    line = delta({"output_tokens": 5}) | {"api_message_id": "m9"}
    assert [(event.call_id, event.usage) for event in reports(start(), line)][-1] == ("m9", Usage(output_tokens=5))


def test_the_split_of_writes_survives_a_delta_without_it() -> None:
    split = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 30}
    final = delta({"output_tokens": 5, "cache_creation_input_tokens": 30, "input_tokens": 10})
    got = reports(start(usage=START | {"cache_creation": split}), final)[-1].usage
    assert got == usage(cache_write_5m_tokens=0, cache_write_1h_tokens=30, output_tokens=5)


@pytest.mark.parametrize(
    ("split", "write_5m", "write_1h"),
    [
        (None, 30, 0),
        ({}, 30, 0),
        ({"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}, 30, 0),
        ({"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10}, 20, 10),
        ({"ephemeral_1h_input_tokens": 10}, 20, 10),
        ({"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 10}, 40, 10),
    ],
)
def test_cache_writes(split: object, write_5m: int, write_1h: int) -> None:
    got = reports(assistant(START | {"cache_creation": split}))[0].usage
    assert got == usage(cache_write_5m_tokens=write_5m, cache_write_1h_tokens=write_1h)


def test_a_message_is_final_only_with_a_stop_reason() -> None:
    assert [event.is_final for event in reports(assistant(START), assistant(START, stop_reason="end_turn"))] == [
        False,
        True,
    ]


def test_a_message_without_usage_is_a_call_all_the_same() -> None:
    assert reports(assistant(None, stop_reason="end_turn")) == [
        CallReported(call_id="m1", model="x", usage=None, is_final=False)
    ]


def test_what_the_cli_says_itself_is_no_call() -> None:
    assert read(assistant(START, model="<synthetic>")) == []


def test_tools() -> None:
    blocks = [
        {"type": "text", "text": "hm"},
        {"type": "tool_use", "name": "Bash", "input": {"command": "ls"}},
        {"type": "tool_use", "name": "Write", "input": {"file_path": "a", "content": "b"}},
        {"type": "tool_use", "name": "Odd", "input": {"command": 5}},
    ]
    started = [event for event in read(assistant(START, content=blocks)) if isinstance(event, ToolStarted)]
    assert [(event.name, event.summary) for event in started] == [("Bash", "ls"), ("Write", "a"), ("Odd", "")]
    results = [{"type": "tool_result", "content": "abc"}, {"type": "tool_result", "content": [{"type": "text"}]}]
    line = {"type": "user", "message": {"content": results}, "parent_tool_use_id": "t"}
    words = {"type": "user", "message": {"content": [{"type": "text", "text": "go on"}, {"type": "image"}]}}
    assert read(words) == [ToolReturned(result_bytes=7)]
    assert read(line) == [
        ToolReturned(result_bytes=5, is_side_chain=True),
        ToolReturned(result_bytes=len('[{"type": "text"}]'), is_side_chain=True),
    ]


@pytest.mark.parametrize("status", [None, 429])
def test_retries(status: int | None) -> None:
    line = {"type": "system", "subtype": "api_retry", "attempt": 2, "error_status": status}
    assert read(line) == [RetryReported(attempt=2, status=status)]


RESULT = {
    "type": "result",
    "subtype": "success",
    "is_error": False,
    "result": "done",
    "total_cost_usd": 0.0117675,
    "usage": START,
    "modelUsage": {
        "x": {
            "inputTokens": 10,
            "outputTokens": 9,
            "cacheReadInputTokens": 20,
            "cacheCreationInputTokens": 30,
            "cacheCreationEphemeral5mInputTokens": 10,
            "cacheCreationEphemeral1hInputTokens": 20,
            "costUSD": 1.5,
        },
        "old": {"inputTokens": 1, "outputTokens": 2, "cacheReadInputTokens": 3, "cacheCreationInputTokens": 4},
    },
    "permission_denials": [{"tool_name": "WebFetch", "tool_input": {}}],
}
STATEMENT = SessionEnded(
    is_error=False,
    message="done",
    usage_by_model={
        "x": usage(cache_write_5m_tokens=10, cache_write_1h_tokens=20, output_tokens=9),
        "old": Usage(input_tokens=1, output_tokens=2, cache_read_tokens=3, cache_write_5m_tokens=4),
    },
    main_usage=usage(),
    denied_permissions=("WebFetch",),
    cost_usd="0.0117675",
)


def test_the_closing_statement() -> None:
    assert read(RESULT) == [STATEMENT]


def test_the_closing_statement_in_an_array() -> None:
    """`--output-format json` with `--verbose` prints all events as one array; without, the statement alone."""
    line = [{"type": "system", "subtype": "init", "session_id": "s"}, assistant(START), RESULT]
    assert [type(event) for event in read(line)] == [SessionStarted, CallReported, SessionEnded]


@pytest.mark.parametrize(
    ("fields", "is_error"),
    [
        ({"subtype": "success", "is_error": True}, True),
        ({"subtype": "error_max_turns", "is_error": True}, True),
        ({"subtype": "error_during_execution"}, True),
        ({"subtype": "success"}, False),
        ({}, True),
    ],
)
def test_judged_by_is_error(fields: dict[str, Any], is_error: bool) -> None:
    (event,) = read({"type": "result", **fields})
    assert isinstance(event, SessionEnded)
    assert event.is_error is is_error


@pytest.mark.parametrize(
    ("fields", "broke_off", "unreachable"),
    [
        ({"terminal_reason": "completed"}, False, False),
        ({"terminal_reason": "aborted_tools"}, False, False),
        ({"terminal_reason": "aborted_streaming"}, True, False),
        ({"api_error": "connection_failed", "result": "lost (ECONNRESET)."}, True, False),
        ({"api_error": "connection_failed", "result": "refused (ECONNREFUSED)"}, False, True),
        ({"api_error": "connection_failed", "result": "no such host (ENOTFOUND)"}, False, True),
        ({"result": "the test said (ECONNREFUSED)"}, False, False),
    ],
)
def test_how_it_ended(fields: dict[str, Any], broke_off: bool, unreachable: bool) -> None:
    (event,) = read({"type": "result", "is_error": True, **fields})
    assert isinstance(event, SessionEnded)
    assert (event.broke_off_call, event.was_unreachable) == (broke_off, unreachable)


@pytest.mark.parametrize(
    "line",
    [
        b"npm warn deprecated",
        b"{",
        b"[1]",
        b"3",
        b'"x"',
        b"null",
        b'{"type":1}',
        b'{"type":"assistant"}',
        b'{"type":"assistant","message":[]}',
        b'{"type":"stream_event","event":7}',
        b'{"type":"result","modelUsage":[]}',
        b'{"type":"system","subtype":"api_retry","attempt":-1}',
        b'{"a":' + b"[" * 100_000,
        b"\x00\xff\xfe",
        b"x" * (MAX_LINE_BYTES + 1),
    ],
    ids=lambda line: line[:24].decode(errors="replace"),
)
def test_a_line_that_makes_no_sense_is_rejected(line: bytes) -> None:
    (event,) = read(line)
    assert isinstance(event, LineRejected)
    assert len(event.reason) < 250


@pytest.mark.parametrize(
    "line", [b"", b"  ", b"\r", b"{}", b'{"type":"rate_limit_event"}', b'{"type":"user","message":{"content":"hi"}}']
)
def test_a_line_that_says_nothing_is_passed_over(line: bytes) -> None:
    assert read(line) == []


@pytest.mark.parametrize("count", ["-1", "1000000001", "5.5", "1e308", '"7"', "true", "99999999999999999999999"])
def test_absurd_counts_are_refused(count: str) -> None:
    """The line is refused, or the call stands with unknown usage; a wrong number never goes through."""
    line = b'{"type":"assistant","message":{"id":"m1","model":"x","usage":{"input_tokens":' + count.encode() + b"}}}"
    events = read(line)
    assert isinstance(events[0], LineRejected)
    assert all(event.usage is None for event in events if isinstance(event, CallReported))


@pytest.mark.parametrize(("count", "tokens"), [("5.0", 5), ("1e3", 1000), ("null", 0), ("1000000000", 10**9)])
def test_odd_spellings_of_a_count(count: str, tokens: int) -> None:
    line = b'{"type":"assistant","message":{"id":"m1","model":"x","usage":{"input_tokens":' + count.encode() + b"}}}"
    assert reports(line)[0].usage == Usage(input_tokens=tokens)


def test_what_trips_others_is_counted() -> None:
    """Nulls inside tool input, blanks after colons, a bad byte in text, unknown fields."""
    line = (
        b'{ "type" : "assistant", "speed": null, "message": { "id": "m1", "model": "x", "usage" : {"input_tokens": 5},'
        b' "content": [{"type": "tool_use", "name": "T", "input": {"id": null, "model": null, "x": "\xff"}}]}}'
    )
    assert reports(line)[0].usage == Usage(input_tokens=5)
    assert reports(line.replace(b'"T"', b'"\xff"'))[0].usage == Usage(input_tokens=5)
