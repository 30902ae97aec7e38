"""The Gemini API's `generateContent`, as far as the fake model server speaks it: pure functions to bytes.

Source: https://ai.google.dev/api/generate-content (GenerateContentResponse, UsageMetadata).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bursar.testing.script import Step
from bursar.usage import Usage

_PATH = re.compile(r"/models/(?P<model>[^/:]+):(?P<method>generateContent|streamGenerateContent)$")
_STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED"}


class GeminiDialect:
    """`POST …/models/M:generateContent` and `…:streamGenerateContent`."""

    def reads(self, path: str) -> bool:
        """Whether requests to that path are this API's."""
        return _PATH.search(path) is not None

    def conversation(self, body: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        """The request in the words of the Messages API; the model stands in the path."""
        found = _PATH.search(path)
        declared = [each for tool in body.get("tools") or () for each in tool.get("functionDeclarations") or ()]
        return {
            "model": found["model"] if found else "",
            "stream": found is not None and found["method"] == "streamGenerateContent",
            "messages": [_message_of(content) for content in body.get("contents") or ()],
            "tools": [{"name": each.get("name", "")} for each in declared],
        }

    def billable(self, usage: Usage) -> Usage:
        """What is written to the cache is plain input here."""
        writes = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
        return replace(
            usage, input_tokens=usage.input_tokens + writes, cache_write_5m_tokens=0, cache_write_1h_tokens=0
        )

    def call_id(self, number: int) -> str:
        """The response's id."""
        return f"gemini-{number:06d}"

    def stream_frames(self, step: Step, call_id: str, model: str) -> list[bytes]:
        """The reply as server-sent events: the text, then each tool call, then the reason of the end with the usage."""
        first, *others = _parts(step)
        chunks = [_chunk(call_id, model, [first])]
        chunks += [_chunk(call_id, model, [part]) for part in others]
        end = _chunk(call_id, model, [{"text": ""}], step.usage)
        chunks += [end, end] if step.duplicate else [end]
        return [f"data: {json.dumps(chunk)}\r\n\r\n".encode() for chunk in chunks]

    def whole_reply(self, step: Step, call_id: str, model: str) -> Mapping[str, Any]:
        """The reply to a request that did not ask for a stream."""
        return _chunk(call_id, model, _parts(step), step.usage)

    def error_body(self, status: int, message: str) -> Mapping[str, Any]:
        """An error object."""
        return {"error": {"code": status, "message": message, "status": _STATUSES.get(status, "UNAVAILABLE")}}


def usage_body(usage: Usage) -> dict[str, Any]:
    """Usage as the API writes it: what was read from a cache is inside `promptTokenCount`."""
    return {
        "promptTokenCount": usage.total_input_tokens,
        "cachedContentTokenCount": usage.cache_read_tokens,
        "candidatesTokenCount": usage.output_tokens,
        "totalTokenCount": usage.total_tokens,
    }


def _message_of(content: Mapping[str, Any]) -> dict[str, Any]:
    role = "assistant" if content.get("role") == "model" else "user"
    return {"role": role, "content": [_block_of(part) for part in content.get("parts") or ()]}


def _block_of(part: Mapping[str, Any]) -> dict[str, Any]:
    if "functionCall" in part:
        return {"type": "tool_use"}
    if "functionResponse" in part:
        return {"type": "tool_result"}
    return {"type": "text", "text": part.get("text", "")}


def _parts(step: Step) -> list[dict[str, Any]]:
    said = [{"text": step.text or "done"}] if step.text or not step.tools else []
    return said + [{"functionCall": {"name": tool.name, "args": dict(tool.input)}} for tool in step.tools]


def _chunk(call_id: str, model: str, parts: list[dict[str, Any]], usage: Usage | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    chunk: dict[str, Any] = {"candidates": [candidate], "modelVersion": model, "responseId": call_id}
    if usage is not None:
        candidate["finishReason"] = "STOP"
        chunk["usageMetadata"] = usage_body(usage)
    return chunk
