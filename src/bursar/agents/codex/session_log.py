"""Codex's session log (rollout): the only place that tells the usage of each response, while the agent still works."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from bursar.agents.codex import wire
from bursar.agents.counts import AbsurdCount, count
from bursar.agents.lines import MAX_LINE_BYTES
from bursar.agents.log_follower import LogFollower
from bursar.events import AgentEvent, CallReported, LineRejected, ToolReturned
from bursar.usage import NOTHING, Usage

_THREAD_ID = re.compile(r"[0-9a-f-]{36}")
_OUTPUTS = {"function_call_output", "custom_tool_call_output", "local_shell_call_output"}
_DAYS_SEARCHED = 2  # the session's day in the CLI's time zone is the last one or, at midnight, the one before

_line = msgspec.json.Decoder(wire.LogLine)
_payload = msgspec.json.Decoder(wire.LogPayload)


def codex_home(environment: Mapping[str, str]) -> Path | None:
    """Where Codex keeps its login, settings and sessions; None where the environment does not say."""
    if home := environment.get("CODEX_HOME"):
        return Path(home)
    return Path(environment["HOME"], ".codex") if environment.get("HOME") else None


def find_session_log(home: Path, thread_id: str) -> Path | None:
    """The log of a thread that began today; None while it is not there."""
    if not _THREAD_ID.fullmatch(thread_id):
        return None
    for day in _latest_days(home / "sessions"):
        for path in day.glob(f"rollout-*-{thread_id}.jsonl"):
            return path
    return None


class SessionLog:
    """The calls and tool results of one thread, in the order in which they happened."""

    def __init__(self, home: Path | None, thread_id: str) -> None:
        self._home = home
        self._thread_id = thread_id
        self._follower: LogFollower | None = None
        self._model: str | None = None
        self._seen: set[str] = set()
        self.total = NOTHING

    @property
    def is_found(self) -> bool:
        """Whether the log is there and read."""
        return self._follower is not None

    def poll(self) -> tuple[AgentEvent, ...]:
        """What came to it since it was last asked."""
        if self._follower is None:
            self._follower = self._open()
        return () if self._follower is None else self._events(self._follower.poll())

    def close(self) -> tuple[AgentEvent, ...]:
        """The last of it."""
        events = self.poll()
        return events if self._follower is None else events + self._events(self._follower.close())

    def _open(self) -> LogFollower | None:
        try:
            path = None if self._home is None else find_session_log(self._home, self._thread_id)
            return None if path is None else LogFollower(path)
        except OSError:
            return None

    def _events(self, lines: list[bytes]) -> tuple[AgentEvent, ...]:
        return tuple(event for line in lines for event in self._read_line(line))

    def _read_line(self, line: bytes) -> Iterator[AgentEvent]:
        if len(line) > MAX_LINE_BYTES:
            yield LineRejected(reason=f"a line of more than {MAX_LINE_BYTES} bytes in the session log")
            return
        try:
            entry = _line.decode(line)
            payload = _payload.decode(entry.payload) if entry.type in _KINDS else wire.LogPayload()
            yield from self._entry(entry.type, payload)
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
            yield LineRejected(reason=f"session log: {str(error)[:80]}: {line[:80]!r}")

    def _entry(self, kind: str, payload: wire.LogPayload) -> Iterator[AgentEvent]:
        if kind == "turn_context":
            self._model = payload.model or self._model
        elif kind == "token_usage_record" and payload.response_id and payload.usage is not None:
            usage = usage_of(payload.usage)
            if payload.response_id not in self._seen:
                self._seen.add(payload.response_id)
                self.total += usage
            yield CallReported(call_id=payload.response_id, model=self._model, usage=usage, is_final=True)
        elif kind == "response_item" and payload.type in _OUTPUTS:
            yield ToolReturned(result_bytes=len(bytes(payload.output)))


_KINDS = {"turn_context", "token_usage_record", "response_item"}


def usage_of(reported: wire.TokenUsage) -> Usage:
    """The disjoint counters: what was read from the cache, or written to it, is taken out of the input.

    Raises:
        AbsurdCount: a number cannot be true, or more was cached than there was input.
    """
    total = count("input_tokens", reported.input_tokens)
    read = count("cached_input_tokens", reported.cached_input_tokens)
    written = count("cache_write_input_tokens", reported.cache_write_input_tokens)
    if read + written > total:
        raise AbsurdCount(f"absurd input_tokens: {total} with {read} read from the cache and {written} written")
    return Usage(
        input_tokens=total - read - written,
        cache_read_tokens=read,
        cache_write_5m_tokens=written,
        output_tokens=count("output_tokens", reported.output_tokens),
    )


def _latest_days(sessions: Path) -> Iterator[Path]:
    """The folders YEAR/MONTH/DAY, the last ones first."""
    found = 0
    for year in _descending(sessions):
        for month in _descending(year):
            for day in _descending(month):
                yield day
                found += 1
                if found == _DAYS_SEARCHED:
                    return


def _descending(folder: Path) -> list[Path]:
    try:
        names = sorted((name for name in os.listdir(folder) if name.isdigit()), reverse=True)
    except OSError:
        return []
    return [folder / name for name in names]
