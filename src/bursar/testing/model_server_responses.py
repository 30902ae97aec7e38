"""OpenAI's Responses API, as far as the fake model server speaks it: pure functions to bytes.

Source: https://platform.openai.com/docs/api-reference/responses-streaming (event names and their order).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bursar.testing.model_server_frames import server_sent_event
from bursar.testing.script import Step, ToolCall
from bursar.usage import Usage

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    429: "rate_limit_exceeded",
}
_CALLS = {"function_call", "custom_tool_call", "local_shell_call"}
_ANSWERS = {"function_call_output", "custom_tool_call_output", "local_shell_call_output"}


class ResponsesDialect:
    """`POST …/v1/responses`."""

    def reads(self, path: str) -> bool:
        """Whether requests to that path are this API's."""
        return path.endswith("/v1/responses")

    def conversation(self, body: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        """The request in the words of the Messages API."""
        items = body.get("input", ())
        if isinstance(items, str):
            items = [{"role": "user", "content": items}]
        return {
            "model": body.get("model", ""),
            "stream": body.get("stream", False),
            "messages": [message for item in items if (message := _message_of(item)) is not None],
            "tools": [{"name": name} for name in _offered(body, items)],
        }

    def billable(self, usage: Usage) -> Usage:
        """Cache writes are one counter here."""
        writes = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
        return replace(usage, cache_write_5m_tokens=writes, cache_write_1h_tokens=0)

    def call_id(self, number: int) -> str:
        """The response's id."""
        return f"resp_{number:06d}"

    def stream_frames(self, step: Step, call_id: str, model: str) -> list[bytes]:
        """The reply as server-sent events; usage is in the last one alone."""
        events = list(_events(step, call_id, model))
        return [server_sent_event(event | {"sequence_number": number}) for number, event in enumerate(events)]

    def whole_reply(self, step: Step, call_id: str, model: str) -> Mapping[str, Any]:
        """The reply to a request that did not ask for a stream."""
        return _response(call_id, model, "completed", _items(step, call_id), usage_body(step.usage)) | _tier(step)

    def error_body(self, status: int, message: str) -> Mapping[str, Any]:
        """An error object."""
        return {"error": {"type": _ERROR_TYPES.get(status, "server_error"), "message": message, "code": None}}


def usage_body(usage: Usage) -> dict[str, Any]:
    """A usage object as the API writes it: what was read from a cache or written to it is inside `input_tokens`."""
    return {
        "input_tokens": usage.total_input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.total_tokens,
    }


def _offered(body: Mapping[str, Any], items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Names of tools, also those in namespaces and those that come with the conversation."""
    rest = [*(body.get("tools") or ()), *(tool for item in items for tool in item.get("tools") or ())]
    while rest:
        tool = rest.pop(0)
        yield tool.get("name") or tool.get("type", "")
        rest += tool.get("tools") or ()


def _message_of(item: Mapping[str, Any]) -> dict[str, Any] | None:
    kind = item.get("type", "message")
    if kind in _CALLS:
        return {"role": "assistant", "content": [{"type": "tool_use"}]}
    if kind in _ANSWERS:
        return {"role": "user", "content": [{"type": "tool_result"}]}
    if kind != "message":
        return None
    content = item.get("content", "")
    if isinstance(content, str):
        content = [{"text": content}]
    return {
        "role": item.get("role", ""),
        "content": [{"type": "text", "text": part.get("text", "")} for part in content],
    }


def _events(step: Step, call_id: str, model: str) -> Iterator[dict[str, Any]]:
    yield {"type": "response.created", "response": _response(call_id, model, "in_progress", [], None)}
    items = _items(step, call_id)
    for index, item in enumerate(items):
        yield {"type": "response.output_item.added", "output_index": index, "item": _opened(item)}
        yield from _deltas(index, item)
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    completed = _response(call_id, model, "completed", items, usage_body(step.usage)) | _tier(step)
    for _ in range(2 if step.duplicate else 1):
        yield {"type": "response.completed", "response": completed}


def _deltas(index: int, item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if item["type"] == "message":
        text = item["content"][0]["text"]
        place = {"item_id": item["id"], "output_index": index, "content_index": 0}
        part = {"type": "output_text", "text": "", "annotations": []}
        yield {"type": "response.content_part.added", **place, "part": part}
        yield {"type": "response.output_text.delta", **place, "delta": text}
        yield {"type": "response.output_text.done", **place, "text": text}
        yield {"type": "response.content_part.done", **place, "part": item["content"][0]}
    else:
        place = {"item_id": item["id"], "output_index": index}
        yield {"type": "response.function_call_arguments.delta", **place, "delta": item["arguments"]}
        yield {"type": "response.function_call_arguments.done", **place, "arguments": item["arguments"]}


def _opened(item: Mapping[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {"content": []} if item["type"] == "message" else {"arguments": ""}
    return {**item, **empty, "status": "in_progress"}


def _items(step: Step, call_id: str) -> list[dict[str, Any]]:
    number = call_id.removeprefix("resp_")
    items = [_said(step.text or "done", number)] if step.text or not step.tools else []
    return items + [_asked(tool, f"{number}_{place}") for place, tool in enumerate(step.tools, start=1)]


def _said(text: str, number: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"id": f"msg_{number}", "type": "message", "role": "assistant", "status": "completed", "content": content}


def _asked(tool: ToolCall, number: str) -> dict[str, Any]:
    """The call; a name with a dot in it names the namespace of the tool before the dot."""
    namespace, _, name = tool.name.rpartition(".")
    return {
        "id": f"fc_{number}",
        "type": "function_call",
        "status": "completed",
        "call_id": f"call_{number}",
        "name": name,
        "arguments": json.dumps(dict(tool.input)),
    } | ({"namespace": namespace} if namespace else {})


def _response(
    call_id: str, model: str, status: str, output: list[dict[str, Any]], usage: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "id": call_id,
        "object": "response",
        "created_at": 1_790_000_000,
        "status": status,
        "model": model,
        "output": output,
        "usage": usage,
        "error": None,
        "incomplete_details": None,
    }


def _tier(step: Step) -> dict[str, Any]:
    return {} if step.service_tier is None else {"service_tier": step.service_tier}
