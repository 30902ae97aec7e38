"""Recorded sessions of the real CLIs, with what the fake model server billed for them, played back to a reader.

`streams/AGENT/CASE.jsonl` is what the CLI printed; beside it lie its session log, those of its sub-agents, its
telemetry, its log of faults, as far as it has them, and the bill. Recorded by tests/conformance (see recording.py).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from bursar.agents import LineSplitter, StreamReader, open_reader
from bursar.events import AgentEvent
from bursar.metering import Meter
from bursar.usage import Usage

STREAMS = Path(__file__).parent / "streams"
SESSION = "01a1fe80-0000-7000-8000-000000000001"
SIDE = "01a1fe80-0000-7000-8000-000000000099"
_DAY = ".codex/sessions/2026/11/21"
_CHATS = ".gemini/tmp/worktree/chats"
_PLACES = {
    "codex": (
        f"{_DAY}/rollout-2026-11-21T00-00-00-{SESSION}.jsonl",
        f"{_DAY}/rollout-2026-11-21T00-00-01-{SIDE}.jsonl",
    ),
    "gemini": (f"{_CHATS}/session-2026-11-21T00-00-{SESSION[:8]}.jsonl", f"{_CHATS}/{SESSION}/{SIDE}.jsonl"),
}
_TELLING = {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://127.0.0.1:1/x/v1/logs"}
MODELS = {"claude": "claude-haiku-5-5", "codex": "gpt-6-luna", "gemini": "gemini-3.5-flash-lite", "opencode": "x"}


@dataclass(frozen=True)
class Recorded:
    """One session."""

    agent: str
    case: str

    def part(self, end: str) -> bytes:
        """One of its files; empty where it has none."""
        path = STREAMS / self.agent / f"{self.case}.{end}"
        return path.read_bytes() if path.exists() else b""

    @cached_property
    def stream(self) -> bytes:
        """What it printed."""
        return self.part("jsonl")

    @cached_property
    def bill(self) -> list[dict[str, Any]]:
        """Its calls as they were billed."""
        bill: list[dict[str, Any]] = json.loads(self.part("bill.json"))
        return bill

    @property
    def billed(self) -> Usage:
        """What they used together."""
        return sum((Usage(**call["usage"]) for call in self.bill), Usage())

    @property
    def was_cut(self) -> bool:
        """A reply did not arrive whole."""
        return any(call["was_cut"] for call in self.bill)

    @property
    def parts(self) -> tuple[bytes, bytes]:
        """Its stream up to where its log has something to say, and the rest.

        Codex says that a reply broke off, asks again, and then logs the call that went well.
        """
        head, mark, tail = self.stream.rpartition(b"Reconnecting")
        if self.agent != "codex" or not mark:
            return b"", self.stream
        end, line_break, rest = tail.partition(b"\n")
        return head + mark + end + line_break, rest

    def put_logs(self, home: Path, times: int = 1) -> None:
        """Its logs lie where its reader looks for them, each line as often as `times` says."""
        for end, place in zip(("log.jsonl", "side.jsonl"), _PLACES.get(self.agent, ()), strict=False):
            _put(home / place, _repeated(self.part(end), times))
        if self.agent == "opencode":
            _put(home / ".local/share/opencode/log/opencode.log", self.part("faults.txt"))
            _put_database(home / ".local/share/opencode/opencode.db", self.part("side.jsonl"))

    def reader(self, home: Path) -> StreamReader:
        """A reader for it."""
        telling = _TELLING if self.part("telemetry.jsonl") else {}
        return open_reader(self.agent, {"HOME": str(home), **telling})

    def meter(self) -> Meter:
        """A meter for it."""
        return Meter(MODELS[self.agent])


RECORDED = [
    Recorded(folder.name, path.name.removesuffix(".bill.json"))
    for folder in sorted(STREAMS.iterdir())
    for path in sorted(folder.glob("*.bill.json"))
]


def play(
    recorded: Recorded, home: Path, *, chunks: Sequence[bytes] | None = None, times: int = 1
) -> Iterator[AgentEvent]:
    """All events of the session, its stream in those chunks; each line of logs and telemetry `times` over."""
    first, rest = recorded.parts
    reader, splitter = recorded.reader(home), LineSplitter()
    for chunk in (first, None, *([rest] if chunks is None else chunks)):
        if chunk is None:
            recorded.put_logs(home, times)
            continue
        for line in splitter.feed(chunk):
            yield from reader.feed_line(line)
    if (last := splitter.finish()) is not None:
        yield from reader.feed_line(last)
    for body in recorded.part("telemetry.jsonl").splitlines() * times:
        yield from reader.feed_telemetry(body)
    yield from (*reader.poll(), *reader.finish())


def comparable(usage: Usage) -> Usage:
    """Cache writes in sum: not every CLI says how long they live."""
    writes = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
    return replace(usage, cache_write_5m_tokens=writes, cache_write_1h_tokens=0)


def _repeated(text: bytes, times: int) -> bytes:
    return b"".join(line * times for line in text.splitlines(keepends=True))


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if content:
        path.write_bytes(content)


def _put_database(path: Path, rows: bytes) -> None:
    if not rows or path.exists():
        return
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE session (id TEXT, parent_id TEXT)")
        connection.execute("CREATE TABLE message (id TEXT, session_id TEXT, time_updated INTEGER, data TEXT)")
        for message, session, parent, updated, data in map(json.loads, rows.splitlines()):
            connection.execute("INSERT INTO session VALUES (?, ?)", (session, parent))
            connection.execute("INSERT INTO message VALUES (?, ?, ?, ?)", (message, session, updated, data))
        connection.commit()
