"""Lines as Claude Code writes them, and an index to put them into."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bursar.logs import LogIndex, ReadingResult, UsageRow, Wanted, add_up, rows_by_session, update_index
from bursar.logs.bundles import Rates

AT = "2026-11-18T10:00:00.000Z"


def usage(**changes: Any) -> dict[str, Any]:
    return {
        "input_tokens": 1000,
        "cache_creation_input_tokens": 30,
        "cache_read_input_tokens": 200,
        "output_tokens": 50,
        "cache_creation": {"ephemeral_1h_input_tokens": 10, "ephemeral_5m_input_tokens": 20},
        "speed": "standard",
    } | changes


def line(message: str = "msg_1", request: str = "req_1", at: str = AT, **changes: Any) -> dict[str, Any]:
    """A whole line; `changes` go into it, those of `usage`, `model` and `content` into its message."""
    inner = {
        "id": message,
        "type": "message",
        "role": "assistant",
        "model": changes.pop("model", "claude-sonnet-4-5"),
        "content": changes.pop("content", [{"type": "text", "text": "hello"}]),
        "usage": changes.pop("usage", usage()),
    }
    return {
        "parentUuid": None,
        "isSidechain": False,
        "message": inner,
        "requestId": request,
        "type": "assistant",
        "timestamp": at,
        "cwd": "/w/shop",
        "sessionId": "s1",
        "version": "2.1.329",
    } | changes


def encode(*lines: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(each, separators=(",", ":")).encode() + b"\n" for each in lines)


class FlatPrices:
    """A nano-USD for each token, but of models that are called unknown."""

    def costs_nano_usd(
        self, model: str, service_tier: str, day: int, calls: Iterable[tuple[int, int, int, int, int]]
    ) -> list[int | None]:
        return [None if "unknown" in model else sum(call) for call in calls]

    def whole_rates(self, model: str, service_tier: str, day: int, most_input: int) -> Rates | None:
        """Of every other day it is not said, so that both ways are taken."""
        return None if "unknown" in model or day % 2 else (1, 1, 1, 1, 1)


class Transcripts:
    """A folder of transcripts, and the index of it."""

    def __init__(self, folder: Path, index: LogIndex) -> None:
        self.root = folder / "claude" / "projects"
        self.index = index
        self.environment = {"HOME": str(folder), "CLAUDE_CONFIG_DIR": str(folder / "claude")}
        self.last = ReadingResult()

    def write(self, data: bytes, name: str = "-w-shop/s1.jsonl") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def read(self) -> dict[str, str]:
        """The index is up to date; what could not be read, and why."""
        self.last = update_index(self.index, self.environment, prices=FlatPrices())
        return self.last.unreadable

    def rows(self) -> list[UsageRow]:
        return rows_by_session(self.index, Wanted())

    def totals(self) -> tuple[int, int, int]:
        """Calls, tokens and nano-USD of everything."""
        whole = add_up(row.totals for row in self.rows())
        return whole.calls, whole.total_tokens, whole.nano_usd
