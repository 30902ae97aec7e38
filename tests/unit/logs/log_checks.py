"""What must hold of any bytes that lie where an agent's log is read: for the fuzzer and for tests with a seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from bursar.logs import claude, codex, gemini, opencode
from bursar.logs.call import CallRow, best_of
from bursar.logs.files import LogFile
from bursar.logs.values import MOST_TOKENS

FILE = LogFile("/logs/-w-shop/s1.jsonl", "/logs", 0, 0)
READERS: Mapping[str, Callable[[LogFile, str], Any]] = {
    "claude": claude.ClaudeReader,
    "codex": codex.CodexReader,
    "gemini": gemini.GeminiReader,
}


def check(data: bytes) -> None:
    """As a log of each agent it is read without an exception, what comes out can be, and pieces come to the same."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    for agent, reader in READERS.items():
        whole = reader(FILE, "")
        calls = list(whole.read(memoryview(data)))
        for call in calls:
            check_call(call)
        if agent != "gemini":  # its last line with an id counts, which a piece cannot know
            assert _read_in_pieces(reader, lines) == sorted(best_of(calls)), agent
    check_values(data)


def check_values(data: bytes) -> None:
    """As one JSON value it is a chat of Gemini CLI, or a message of OpenCode, or neither."""
    found, refused = opencode._calls([opencode._Row("m", "s", "/w", data)])
    assert refused in (0, 1)
    try:
        found += gemini.GeminiReader(FILE, "").calls_of(json.loads(data))
    except (ValueError, RecursionError):
        pass
    for call in found:
        check_call(call)


def check_call(call: CallRow) -> None:
    """The books can have it: texts, a date, counts."""
    assert len(call) == 14
    for text in (call[0], call[1], call[3], call[4], call[5], call[7]):
        text.encode()  # SQLite takes nothing else
    assert 0 <= call[2] < 1 << 53
    assert all(0 <= count <= 2 * MOST_TOKENS for count in call[8:13])
    assert call[13] is None or 0 < call[13] < 1 << 60


def _read_in_pieces(reader: Callable[[LogFile, str], Any], lines: list[bytes]) -> list[CallRow]:
    calls: list[CallRow] = []
    state = ""
    for line in lines:
        piece = reader(FILE, state)
        calls += piece.read(memoryview(line))
        state = piece.state
    return sorted(best_of(calls))
