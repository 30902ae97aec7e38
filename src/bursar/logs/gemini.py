"""Chats of Gemini CLI → calls. Pure, but for the file beside the chats that says which project they are of.

A chat is a line for each message, of which the last one with an id holds, or, before 2026, one JSON file.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

import msgspec

from bursar.logs.call import CallRow
from bursar.logs.files import LogFile
from bursar.logs.index import FileMark
from bursar.logs.lines import lines_with
from bursar.logs.reading import LimitRow, NewCalls, mark_of, read_new, read_whole
from bursar.logs.values import RefusedLine, clean, milliseconds, whole

_MARKERS = re.compile(rb'"(?:tokens|sessionId)"')
_COUNTERS = ("input", "cached", "tool", "output", "thoughts")


class GeminiReader:
    """Reads one chat; see `LogReader`."""

    def __init__(self, file: LogFile, state: str) -> None:
        self.state = state or file.path.rpartition("/")[2].partition(".")[0]
        self._project = _project(file)
        self.refused = 0
        self.limits: list[LimitRow] = []

    def read(self, block: memoryview) -> list[CallRow]:
        """The calls of a block of lines."""
        calls: dict[str, CallRow] = {}
        for data in lines_with(block, _MARKERS):
            try:
                value = msgspec.json.decode(data)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                self.refused += 1
                continue
            for call in self.calls_of(value):
                calls[call[0]] = call
        return list(calls.values())

    def calls_of(self, value: object) -> list[CallRow]:
        """The calls of one message, of a chat, or of a patch of one."""
        if not isinstance(value, dict):
            return []
        if isinstance(session := value.get("sessionId"), str) and session:
            self.state = clean(session)
        if isinstance(patch := value.get("$set"), dict):
            value = patch
        if isinstance(messages := value.get("messages"), list):
            return [call for message in messages if isinstance(message, dict) for call in self._call(message)]
        return self._call(value)

    def _call(self, message: dict[str, Any]) -> list[CallRow]:
        tokens, name = message.get("tokens"), message.get("id")
        if message.get("type") != "gemini" or not isinstance(tokens, dict) or not isinstance(name, str) or not name:
            return []
        try:
            given, cached, tool, output, thoughts = (whole(tokens.get(key) or 0) for key in _COUNTERS)
            if cached > given:
                raise RefusedLine("more was cached than there was")
            at = milliseconds(message.get("timestamp"))
        except RefusedLine:
            self.refused += 1
            return []
        model = message.get("model")
        place = (clean(model) if isinstance(model, str) else "", self._project, self.state, False, "")
        return [(clean(name), "", at, *place, given - cached + tool, cached, 0, 0, output + thoughts, None)]


def read(file: LogFile, mark: FileMark | None) -> NewCalls:
    """What is new in a chat; nothing in files beside chats."""
    if not file.path.endswith(".json"):
        return read_new(file, mark, GeminiReader)
    status, data = read_whole(file.path)
    reader = GeminiReader(file, "")
    try:
        calls = reader.calls_of(json.loads(data)) if b'"messages"' in data else []
    except (ValueError, RecursionError):
        calls, reader.refused = [], 1
    return NewCalls(mark, mark_of(file.path, status), calls, reader.refused)


def _project(file: LogFile) -> str:
    """The project's folder, from the file that says so; else what the chats are filed under."""
    name = file.path[len(file.root) + 1 :].split("/")[0]
    try:
        with open(os.path.join(file.root, name, ".project_root"), encoding="utf-8") as told:
            return told.read(4096).strip() or name
    except (OSError, ValueError):
        return name
