"""The Anthropic Messages API's wire format, as far as the fake model server speaks it: pure functions to bytes.

Source: https://platform.claude.com/docs/en/build-with-claude/streaming (event names and their order).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bursar.testing.script import Step
from bursar.usage import Usage

PLACEHOLDER_OUTPUT = 1

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def usage_at_start(usage: Usage) -> Usage:
    """What is owed once the first frame is out: the whole input and one token of output."""
    return _with_output(usage, min(usage.output_tokens, PLACEHOLDER_OUTPUT))


def usage_after_cut(usage: Usage) -> Usage:
    """What is owed when the reply was dropped half way: the whole input and half the output, rounded up."""
    return _with_output(usage, (usage.output_tokens + 1) // 2)


def _with_output(usage: Usage, output_tokens: int) -> Usage:
    return Usage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_5m_tokens=usage.cache_write_5m_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        output_tokens=output_tokens,
    )


def usage_body(usage: Usage, step: Step) -> dict[str, Any]:
    """A usage object as the API writes it; `cache_creation` splits the writes by how long they live."""
    speed = {} if step.speed is None else {"speed": step.speed}
    return {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m_tokens,
            "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
        },
        "output_tokens": usage.output_tokens,
        "service_tier": step.service_tier or "standard",
        **speed,
    }


class MessagesDialect:
    """`POST …/v1/messages`."""

    def reads(self, path: str) -> bool:
        """Whether requests to that path are this API's."""
        return path.endswith("/v1/messages")

    def conversation(self, body: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        """The request as it is."""
        return body

    def billable(self, usage: Usage) -> Usage:
        """All five counters are known here."""
        return usage

    def call_id(self, number: int) -> str:
        """The message's id."""
        return f"msg_{number:06d}"

    def stream_frames(self, step: Step, call_id: str, model: str) -> list[bytes]:
        """The reply as server-sent events; the first holds the input, the last but one the output."""
        return [server_sent_event(event) for event in _events(step, call_id, model)]

    def whole_reply(self, step: Step, call_id: str, model: str) -> dict[str, Any]:
        """The reply to a request that did not ask for a stream."""
        return _message(call_id, model, _blocks(step, call_id), _stop_reason(step), usage_body(step.usage, step))

    def error_body(self, status: int, message: str) -> dict[str, Any]:
        """An error object with the type that the API gives to that status."""
        return {"type": "error", "error": {"type": _ERROR_TYPES.get(status, "api_error"), "message": message}}


def _events(step: Step, message_id: str, model: str) -> Iterator[dict[str, Any]]:
    repeat = 2 if step.duplicate else 1
    start = _message(message_id, model, [], None, usage_body(usage_at_start(step.usage), step))
    for _ in range(repeat):
        yield {"type": "message_start", "message": start}
    for index, block in enumerate(_blocks(step, message_id)):
        yield from _block_events(index, block)
    for _ in range(repeat):
        yield {
            "type": "message_delta",
            "delta": {"stop_reason": _stop_reason(step), "stop_sequence": None},
            "usage": {"output_tokens": step.usage.output_tokens},
        }
    yield {"type": "message_stop"}


def _block_events(index: int, block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        empty, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
    else:
        empty = dict(block) | {"input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    yield {"type": "content_block_start", "index": index, "content_block": empty}
    yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def server_sent_event(event: Mapping[str, Any]) -> bytes:
    """One event of a stream, named for its type."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _blocks(step: Step, message_id: str) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if step.text or not step.tools:
        blocks.append({"type": "text", "text": step.text or "done"})
    for number, tool in enumerate(step.tools, start=1):
        identity = f"toolu_{message_id.removeprefix('msg_')}_{number}"
        blocks.append({"type": "tool_use", "id": identity, "name": tool.name, "input": dict(tool.input)})
    return blocks


def _stop_reason(step: Step) -> str:
    return "tool_use" if step.tools else "end_turn"


def _message(
    message_id: str, model: str, content: list[dict[str, Any]], stop_reason: str | None, usage: dict[str, Any]
) -> dict[str, Any]:
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage,
    }
