"""How calls were served, as Claude Code 2.1.329 and Codex 0.169.0 tell it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bursar.agents import open_reader
from bursar.agents.codex.session_log import SessionLogLines
from bursar.agents.service_tier import name_service_tier
from bursar.events import CallReported


@pytest.mark.parametrize(
    ("tier", "speed", "name"),
    [
        (None, None, None),
        ("standard", None, "standard"),
        ("standard", "standard", "standard"),
        ("default", None, "standard"),
        ("priority", "standard", "priority"),
        ("standard", "fast", "fast"),
        ("priority", "fast", "fast"),
        ("Batch", None, "batch"),
        (7, ["fast"], None),
        ("x" * 41, "a\nb", None),
    ],
)
def test_one_word_for_both(tier: object, speed: object, name: str | None) -> None:
    assert name_service_tier(tier, speed) == name


def usage(**more: Any) -> dict[str, Any]:
    return {"input_tokens": 1000, "cache_read_input_tokens": 200, "output_tokens": 1, **more}


def claude(*lines: dict[str, Any]) -> list[tuple[str, str | None]]:
    reader = open_reader("claude")
    events = [event for line in lines for event in reader.feed_line(json.dumps(line).encode())]
    return [(event.call_id, event.service_tier) for event in events if isinstance(event, CallReported)]


def test_claude_code_tells_it_with_the_usage() -> None:
    fast = usage(service_tier="standard", speed="fast")
    message = {"id": "m", "model": "opus", "usage": fast, "content": []}
    delta = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 50}}
    assert claude(
        {"type": "stream_event", "event": {"type": "message_start", "message": message}},
        {"type": "assistant", "message": message},
        {"type": "stream_event", "event": delta},
        {"type": "assistant", "message": {**message, "id": "n", "usage": usage(service_tier=["odd"])}},
    ) == [("m", "fast"), ("m", "fast"), ("m", "fast"), ("n", None)]


def test_codex_tells_it_once_for_the_calls_that_follow() -> None:
    log = SessionLogLines()

    def tiers(*entries: tuple[str, dict[str, Any]]) -> list[str | None]:
        lines = [json.dumps({"type": kind, "payload": payload}).encode() for kind, payload in entries]
        events = [event for line in lines for event in log.read(line)]
        return [event.service_tier for event in events if isinstance(event, CallReported)]

    call = ("token_usage_record", {"response_id": "r1", "usage": {"input_tokens": 5, "output_tokens": 1}})
    settings = {
        "type": "thread_settings_applied",
        "thread_settings": {"model": "gpt-6.1-sol", "service_tier": "priority"},
    }
    assert tiers(call) == [None]
    assert tiers(("event_msg", settings), call, call) == ["priority", "priority"]
    assert tiers(("event_msg", {**settings, "thread_settings": {"service_tier": None}}), call) == [None]
