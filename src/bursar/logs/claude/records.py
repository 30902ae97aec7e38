"""Lines of a Claude Code transcript → calls. Pure, and never raises: a log is somebody else's text."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from bursar.logs.call import LoggedCall

MARKER = b'"usage"'
_NO_MODEL = "<synthetic>"  # the agent's own words, e.g. that a call failed
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
MOST_TOKENS = 1 << 40
"""More than any call: a record with a larger number is none."""


class _CacheCreation(msgspec.Struct):
    ephemeral_5m_input_tokens: int = 0
    ephemeral_1h_input_tokens: int = 0


class _Usage(msgspec.Struct):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_creation: _CacheCreation | None = None
    speed: str | None = None


class _Message(msgspec.Struct):
    usage: _Usage | None = None
    id: str | None = None
    model: str | None = None


class _Line(msgspec.Struct):
    timestamp: str | None = None
    message: _Message | None = None
    data: msgspec.Raw | None = None
    requestId: str | None = None  # noqa: N815 — the log's own names
    sessionId: str | None = None  # noqa: N815
    cwd: str | None = None
    isSidechain: bool | None = None  # noqa: N815


_decoder = msgspec.json.Decoder(_Line)


def read_line(line: bytes, project: str, session: str) -> LoggedCall | None:
    """The call that a line tells of; None for any other line.

    Args:
        project: where the line does not say in which folder the agent worked.
        session: where the line does not name one.
    """
    try:
        found = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _read_odd_line(line, project, session)
    message = found.message
    if message is None:
        return None if found.data is None else _read_odd_line(line, project, session)
    usage = message.usage
    at = None if usage is None or found.timestamp is None else _milliseconds(found.timestamp)
    if at is None or message.model == _NO_MODEL:
        return None
    assert usage is not None
    short, long = _cache_writes(usage)
    counters = (usage.input_tokens, usage.cache_read_input_tokens, short, long, usage.output_tokens)
    if min(counters) < 0 or max(counters) > MOST_TOKENS:
        return None
    return LoggedCall(
        message.id or "",
        found.requestId or "",
        at,
        message.model or "",
        found.cwd or project,
        found.sessionId or session,
        found.isSidechain is True,
        usage.speed or "",
        *counters,
    )


def _cache_writes(usage: _Usage) -> tuple[int, int]:
    """Writes for five minutes and for an hour; a total that is not split counts as five minutes."""
    split = usage.cache_creation
    if split is None or not (split.ephemeral_5m_input_tokens or split.ephemeral_1h_input_tokens):
        return usage.cache_creation_input_tokens, 0
    return split.ephemeral_5m_input_tokens, split.ephemeral_1h_input_tokens


def _read_odd_line(line: bytes, project: str, session: str) -> LoggedCall | None:
    """A line that is not quite what it should be: a byte that is no UTF-8, a count written `5.0`, a repeated report."""
    try:
        value = json.loads(line.decode("utf-8", "replace"), parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    inner = value.get("data")
    if not isinstance(value.get("message"), dict) and isinstance(inner, dict):
        reported = inner.get("message")  # a sub-agent's progress wraps the sub-agent's own line
        if isinstance(reported, dict):
            value = {**value, **reported, "isSidechain": True}
    tidy = _tidy(value)
    return None if tidy is None else read_line(tidy, project, session)


def _tidy(value: dict[str, Any]) -> bytes | None:
    """The line with only what is read of it, in the types that are expected; None where it tells of no call."""
    message = value.get("message")
    usage = message.get("usage") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(usage, dict) or not isinstance(value.get("timestamp"), str):
        return None
    counts = _whole_numbers(usage)
    if counts is None:
        return None
    split = usage.get("cache_creation")
    inner = _whole_numbers(split) if isinstance(split, dict) else {}
    texts = {key: value[key] for key in ("requestId", "sessionId", "cwd") if isinstance(value.get(key), str)}
    names = {key: message[key] for key in ("id", "model") if isinstance(message.get(key), str)}
    speed = {"speed": usage["speed"]} if isinstance(usage.get("speed"), str) else {}
    clean = {
        "timestamp": value["timestamp"],
        **texts,
        "isSidechain": value.get("isSidechain") is True,
        "message": {**names, "usage": {**counts, **speed, "cache_creation": inner or None}},
    }
    return json.dumps(clean).encode()


def _whole_numbers(table: dict[str, Any]) -> dict[str, int] | None:
    """Every `…_tokens` of a table; None where one is no count at all."""
    counts: dict[str, int] = {}
    for key, value in table.items():
        if key.endswith("_tokens") and value is not None:
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                return None
            if value != int(value) or not 0 <= value <= MOST_TOKENS:
                return None
            counts[key] = int(value)
    return counts


def _milliseconds(timestamp: str) -> int | None:
    try:
        at = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return (at - _EPOCH) // _MILLISECOND
