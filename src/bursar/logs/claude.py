"""Transcripts of Claude Code → calls. Pure.

A block of lines is decoded at once, which is quicker than any search for those that matter. Where one of them is not
quite what it should be, the block is read line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from bursar.logs.call import STANDARD, CallRow
from bursar.logs.files import LogFile
from bursar.logs.index import FileMark
from bursar.logs.lines import lines_with
from bursar.logs.reading import LimitRow, NewCalls, read_new
from bursar.logs.values import MOST_TOKENS, RefusedLine, clean, whole

_MARKER = re.compile(rb'"usage"')
_NO_MODEL = "<synthetic>"  # the agent's own words, e.g. that a call failed
_Other = str | int | float | bool | list[Any] | None


_Tokens = Annotated[int, msgspec.Meta(ge=0, le=MOST_TOKENS)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _CacheCreation(msgspec.Struct, gc=False):
    ephemeral_5m_input_tokens: _Tokens = 0
    ephemeral_1h_input_tokens: _Tokens = 0


class _Usage(msgspec.Struct, gc=False):
    input_tokens: _Tokens = 0
    output_tokens: _Tokens = 0
    cache_read_input_tokens: _Tokens = 0
    cache_creation_input_tokens: _Tokens = 0
    cache_creation: _CacheCreation | None = None
    speed: str | None = None
    service_tier: str | None = None


class _Message(msgspec.Struct, gc=False):
    usage: _Usage | None = None
    id: str | None = None
    model: str | None = None


class _Reported(msgspec.Struct, gc=False):
    """A sub-agent's own line, within its progress."""

    timestamp: _Moment | None = None
    message: _Message | _Other = None
    requestId: str | None = None  # noqa: N815 — the log's own names


class _Data(msgspec.Struct, gc=False):
    message: _Reported | _Other = None


class _Line(msgspec.Struct, gc=False):
    timestamp: _Moment | None = None
    message: _Message | _Other = None
    data: _Data | _Other = None
    requestId: str | None = None  # noqa: N815
    sessionId: str | None = None  # noqa: N815
    cwd: str | None = None
    isSidechain: bool | None = None  # noqa: N815


_decoder = msgspec.json.Decoder(_Line)


class ClaudeReader:
    """Reads one transcript; see `LogReader`."""

    state = ""

    def __init__(self, file: LogFile, _: str) -> None:
        self._project, self._session = _place(file)
        self.refused = 0
        self.limits: list[LimitRow] = []

    def read(self, block: memoryview) -> list[CallRow]:
        """The calls of a block of lines."""
        try:
            lines = _decoder.decode_lines(block)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            lines = list(self._read_one_by_one(block))
        calls: list[CallRow] = []
        name, before, said = None, _Line(), _Usage()
        for line in lines:
            message: Any = line.message
            if message.__class__ is not _Message:
                message = _reported(line)
                if message is None:
                    continue
            usage = message.usage
            if usage is None:
                continue
            if message.id == name and name and usage == said and _is_same_request(line, before):
                continue  # a line for each block of an answer
            if message.model != _NO_MODEL and self._add(calls, line, message, usage):
                name, before, said = message.id, line, usage
        return calls

    def _add(self, calls: list[CallRow], line: _Line, message: _Message, usage: _Usage) -> bool:
        """The call is one of `calls`; False where it cannot have been."""
        at = -1 if line.timestamp is None else round(line.timestamp.timestamp() * 1000)
        if at < 0:
            self.refused += 1
            return False
        short, long = usage.cache_creation_input_tokens, 0  # what is not split counts as five minutes
        split = usage.cache_creation
        if split is not None and (split.ephemeral_5m_input_tokens or split.ephemeral_1h_input_tokens):
            short, long = split.ephemeral_5m_input_tokens, split.ephemeral_1h_input_tokens
        tier, speed = usage.service_tier, usage.speed or ""
        calls.append((
            message.id or "",
            line.requestId or "",
            at,
            message.model or "",
            line.cwd or self._project,
            line.sessionId or self._session,
            line.isSidechain is True,
            speed if tier is None or tier == STANDARD else _service_tier(speed, tier),
            usage.input_tokens,
            usage.cache_read_input_tokens,
            short,
            long,
            usage.output_tokens,
            None,
        ))  # fmt: skip
        return True

    def _read_one_by_one(self, block: memoryview) -> Iterator[_Line]:
        for line in lines_with(block, _MARKER):
            try:
                yield _decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                if (tidy := self._tidy(line)) is not None:
                    yield tidy

    def _tidy(self, line: bytes) -> _Line | None:
        """A line that is not quite what it should be: a byte that is no UTF-8, a count written `5.0`, a null."""
        import json  # seldom needed, and here every millisecond counts

        try:
            text = line.decode("utf-8", "replace").removeprefix("\ufeff")  # an editor's mark of UTF-8
            value = json.loads(text, parse_constant=lambda _: None)
            return msgspec.convert(_tidy_line(value), _Line) if isinstance(value, dict) else None
        except (ValueError, RecursionError, RefusedLine):
            self.refused += 1
            return None


def _is_same_request(line: _Line, before: _Line) -> bool:
    return line.requestId == before.requestId and line.isSidechain == before.isSidechain


def _service_tier(speed: str, tier: str) -> str:
    """The service that a call had: its speed and its tier are both told, and at most one of them is unusual."""
    return tier if speed in ("", STANDARD) else speed


def _reported(line: _Line) -> _Message | None:
    """The message of the sub-agent's line that a line of progress wraps; the rest of it is then the line's."""
    inner = line.data.message if isinstance(line.data, _Data) else None
    if not isinstance(inner, _Reported) or not isinstance(inner.message, _Message):
        return None
    line.timestamp = inner.timestamp or line.timestamp
    line.requestId = inner.requestId or line.requestId
    line.isSidechain = True
    return inner.message


def _tidy_line(value: dict[str, Any]) -> dict[str, Any]:
    """Only what is read of a line, in the types that are expected.

    Raises:
        RefusedLine: a count is none.
    """
    tidy: dict[str, Any] = {key: clean(value[key]) for key in ("requestId", "sessionId", "cwd") if _is_text(value, key)}
    if _is_text(value, "timestamp"):
        tidy["timestamp"] = _moment(value["timestamp"])
    tidy["isSidechain"] = value.get("isSidechain") is True
    message, data = value.get("message"), value.get("data")
    if isinstance(message, dict):
        tidy["message"] = _tidy_message(message)
    elif isinstance(data, dict) and isinstance(data.get("message"), dict):
        tidy["data"] = {"message": _tidy_line({**data["message"], "data": None})}
    return tidy


def _tidy_message(message: dict[str, Any]) -> dict[str, Any]:
    tidy: dict[str, Any] = {key: clean(message[key]) for key in ("id", "model") if _is_text(message, key)}
    usage = message.get("usage")
    if isinstance(usage, dict):
        split = usage.get("cache_creation")
        inner = _counts(split) if isinstance(split, dict) else None
        service = {key: clean(usage[key]) for key in ("speed", "service_tier") if _is_text(usage, key)}
        tidy["usage"] = {**_counts(usage), **service, "cache_creation": inner}
    return tidy


def _moment(text: str) -> datetime | None:
    """A time as ISO 8601 has it, UTC where it names no zone; None where it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _counts(table: dict[str, Any]) -> dict[str, int]:
    """Every `…_tokens` of a table."""
    return {key: whole(value) for key, value in table.items() if key.endswith("_tokens") and value is not None}


def _is_text(table: dict[str, Any], key: str) -> bool:
    return isinstance(table.get(key), str)


def _place(file: LogFile) -> tuple[str, str]:
    """Project and session, as the place of a transcript says: `PROJECT/SESSION.jsonl`, or below `PROJECT/SESSION/`."""
    parts = file.path[len(file.root) + 1 :].removesuffix(".jsonl").split("/")
    return ("", parts[0]) if len(parts) == 1 else (parts[0], parts[1])


def read(file: LogFile, mark: FileMark | None) -> NewCalls:
    """What is new in a transcript."""
    return read_new(file, mark, ClaudeReader)
