"""Which lines of a transcript tell of a call, and of what."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.logs.call import LoggedCall
from bursar.logs.claude import ClaudeReader
from bursar.logs.files import LogFile
from tests.unit.logs.transcripts import AT, encode, line, usage

NOON = int(datetime(2026, 11, 18, 10, tzinfo=UTC).timestamp() * 1000)
CALL = LoggedCall(
    "msg_1", "req_1", NOON, "claude-sonnet-4-5", "/w/shop", "s1", False, "standard", 1000, 200, 20, 10, 50
)


FILE = LogFile("/logs/-w-shop/file.jsonl", "/logs", 0, 0)


def read_line(data: bytes) -> LoggedCall | None:
    """What a line tells of, alone, and after another in one block."""
    alone = list(ClaudeReader(FILE, "").read(memoryview(data)))
    second = list(ClaudeReader(FILE, "").read(memoryview(encode(line("other", "other")) + data + b"\n")))
    assert second[1:] == alone
    assert second[0][0] == "other"
    return LoggedCall(*alone[0]) if alone else None


def read(value: object) -> LoggedCall | None:
    return read_line(json.dumps(value, separators=(",", ":")).encode())


def test_a_call() -> None:
    assert read(line()) == CALL


def test_what_the_line_does_not_say_is_taken_from_its_place() -> None:
    bare = line()
    del bare["cwd"], bare["sessionId"], bare["requestId"]
    assert read(bare) == CALL._replace(project="-w-shop", session="file", request="")


@pytest.mark.parametrize(
    ("writes", "expected"),
    [
        ({"cache_creation": None}, (30, 0)),
        ({"cache_creation": {}}, (30, 0)),
        ({"cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0}}, (30, 0)),
        ({"cache_creation": {"ephemeral_1h_input_tokens": 30}}, (0, 30)),
        ({"cache_creation_input_tokens": 0, "cache_creation": None}, (0, 0)),
    ],
)
def test_cache_writes(writes: dict[str, Any], expected: tuple[int, int]) -> None:
    call = read(line(usage=usage(**writes)))
    assert call is not None
    assert (call.cache_write_5m_tokens, call.cache_write_1h_tokens) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"content": [{"type": "tool_use", "input": {"id": None, "model": None, "usage": {"input_tokens": -5}}}]},
        {"version": "dev"},
        {"costUSD": None},
        {"content": [{"type": "text", "text": '{"usage": {"input_tokens": 7}}'}]},
        {"usage": usage(input_tokens=1000.0, output_tokens=50.0)},
        {"usage": usage(extra_tokens=None, iterations=[{"input_tokens": 3}])},
        {"toolUseResult": {"usage": usage(input_tokens=77)}},
    ],
)
def test_what_other_tools_drop_is_counted(changes: dict[str, Any]) -> None:
    assert read(line(**changes)) == CALL


def test_a_byte_that_is_no_utf8_does_not_matter() -> None:
    data = json.dumps(line(content="caf\u00e9"), ensure_ascii=False).encode("latin-1")
    assert read_line(data) == CALL


def test_blanks_do_not_matter() -> None:
    assert read_line(json.dumps(line(), indent=1).replace("\n", " ").encode()) == CALL


def test_no_speed() -> None:
    assert read(line(usage=usage(speed=None))) == CALL._replace(service_tier="")


def test_a_sub_agents_progress_is_its_own_line_again() -> None:
    wrapped = {"type": "progress", "timestamp": AT, "sessionId": "s1", "cwd": "/w/shop"}
    inner = {"message": line()["message"], "requestId": "req_1", "timestamp": AT}
    assert read(wrapped | {"data": {"type": "agent_progress", "message": inner}}) == CALL._replace(is_sidechain=True)


@pytest.mark.parametrize(
    "value",
    [
        {"type": "user", "timestamp": AT, "message": {"role": "user", "content": '"usage"'}},
        {"type": "user", "timestamp": AT, "toolUseResult": {"usage": usage()}, "message": {"role": "user"}},
        {"type": "cost-state", "modelUsage": {"m": {"inputTokens": 5}}, "usage": {}},
        line(model="<synthetic>"),
        line(at="yesterday"),
        line(timestamp=7),
        line(timestamp=None),
        line(usage=usage(input_tokens=-1)),
        line(usage=usage(input_tokens=1.5)),
        line(usage=usage(input_tokens="7")),
        line(usage=usage(input_tokens=True)),
        line(usage=usage(output_tokens=10**15)),
        line(usage=usage(output_tokens=10**400)),
        line(usage=None),
        line() | {"message": "usage"},
        [line()],
        "usage",
        None,
    ],
)
def test_no_call(value: object) -> None:
    assert read(value) is None


@pytest.mark.parametrize("data", [b"", b'{"usage"', b"\x00\xff", b'{"message":{"usage":' * 100_000, b"[" * 100_000])
def test_no_json(data: bytes) -> None:
    assert read_line(data) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        _nest := lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["message", "usage", "timestamp", "data", "input_tokens", "cache_creation", "id"]),
                inner,
            )
        ),
    )
)
def test_whatever_it_is_nothing_is_raised(value: object) -> None:
    call = read_line(json.dumps(value).encode())
    assert call is None or min(call[8:13]) >= 0
