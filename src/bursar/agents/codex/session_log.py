"""Codex's session log (rollout): the only place that tells the usage of each response, while the agent still works."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from bursar.agents.codex import wire
from bursar.agents.counts import AbsurdCount, count
from bursar.agents.service_tier import name_service_tier
from bursar.agents.unfollowed import open_plain
from bursar.events import AgentEvent, CallReported, ToolReturned, WindowTold
from bursar.usage import Usage

_THREAD_ID = re.compile(r"[0-9a-f-]{36}")
_KINDS = {"turn_context", "token_usage_record", "response_item", "event_msg"}
_OUTPUTS = {"function_call_output", "custom_tool_call_output", "local_shell_call_output"}
_HEAD_BYTES = 2048  # the first line begins with the ids
_DAYS_ANEW = 50  # how often the days are asked for anew: one may have begun
_MOST_MINUTES = 60 * 24 * 366
_LATEST = 1 << 35
_DAYS_SEARCHED = 2  # the session's day in the CLI's time zone is the last one or, at midnight, the one before

_line = msgspec.json.Decoder(wire.LogLine)
_payload = msgspec.json.Decoder(wire.LogPayload)
_token_count = msgspec.json.Decoder(wire.TokenCount)
_settings_applied = msgspec.json.Decoder(wire.SettingsApplied)


def codex_home(environment: Mapping[str, str]) -> Path | None:
    """Where Codex keeps its login, settings and sessions; None where the environment does not say."""
    if home := environment.get("CODEX_HOME"):
        return Path(home)
    return Path(environment["HOME"], ".codex") if environment.get("HOME") else None


def find_session_log(home: Path | None, thread_id: str) -> Path | None:
    """The log of a thread that began today; None while it is not there."""
    if home is None or not _THREAD_ID.fullmatch(thread_id):
        return None
    for day in _latest_days(home / "sessions"):
        for path in day.glob(f"rollout-*-{thread_id}.jsonl"):
            return path
    return None


class SubAgentLogs:
    """Finds the logs of a thread's sub-agents, which lie beside its own and name it in their first line."""

    def __init__(self, home: Path | None, thread_id: str, *, leaves_out_earlier: bool = False) -> None:
        """`leaves_out_earlier`: those that are there already were started by earlier processes of the thread."""
        self._home = home
        self.thread_id = thread_id
        self._own = f"-{thread_id}.jsonl"
        self._seen: dict[Path, int] = {}
        self._examined: set[Path] = set()
        self._found: list[Path] = []
        self._days: list[Path] = []
        self._asked = 0
        if leaves_out_earlier:
            self.find()
            self._found = []

    def find(self) -> list[Path]:
        """Those that are there by now. A day's folder is looked through again only when it has changed."""
        if self._home is not None and _THREAD_ID.fullmatch(self.thread_id):
            if not self._days or self._asked % _DAYS_ANEW == 0:
                self._days = list(_latest_days(self._home / "sessions"))
            self._asked += 1
            for day in self._days:
                self._look_through(day)
        return self._found

    def _look_through(self, day: Path) -> None:
        changed = _changed(day)
        if self._seen.get(day) == changed:
            return
        self._seen[day] = changed
        for path in day.glob("rollout-*.jsonl"):
            if path not in self._examined and not path.name.endswith(self._own):
                head = _head(path)
                if len(head) < _HEAD_BYTES and b"\n" not in head:
                    self._seen[day] = -1  # its first line is still being written
                    continue
                self._examined.add(path)
                if self.thread_id.encode() in head:
                    self._found.append(path)


class SessionLogLines:
    """Reads lines of a log; remembers which model a turn uses, because records of usage do not name it."""

    def __init__(self) -> None:
        self._model: str | None = None
        self._service_tier: str | None = None

    def read(self, line: bytes) -> Iterator[AgentEvent]:
        """The events of one line.

        Raises:
            msgspec.MsgspecError, ValueError: it cannot be understood, or its numbers cannot be true.
        """
        entry = _line.decode(line)
        if entry.type not in _KINDS:
            return
        if entry.type == "event_msg":
            yield from self._read_message(entry.payload)
            return
        payload = _payload.decode(entry.payload)
        if entry.type == "turn_context":
            self._model = payload.model or self._model
        elif entry.type == "token_usage_record" and payload.response_id and payload.usage is not None:
            usage = usage_of(payload.usage)
            yield CallReported(
                call_id=payload.response_id,
                model=self._model,
                usage=usage,
                is_final=True,
                service_tier=self._service_tier,
            )
        elif entry.type == "response_item" and payload.type in _OUTPUTS:
            yield ToolReturned(result_bytes=len(bytes(payload.output)))

    def _read_message(self, payload: msgspec.Raw) -> Iterator[WindowTold]:
        """Of all that is told to people two things matter: the provider's word of windows, and the tier of service."""
        if b'"rate_limits"' in bytes(payload):
            told = _token_count.decode(payload)
            if told.type == "token_count":
                yield from _windows(told.rate_limits)
        elif b'"thread_settings_applied"' in bytes(payload):
            applied = _settings_applied.decode(payload)
            if applied.type == "thread_settings_applied" and applied.thread_settings is not None:
                self._service_tier = name_service_tier(applied.thread_settings.service_tier)


def _windows(told: wire.RateLimits | None) -> Iterator[WindowTold]:
    """Windows whose numbers can be; the CLI passes on what servers say."""
    windows = {} if told is None else {"primary": told.primary, "secondary": told.secondary}
    for name, window in windows.items():
        if window is None or window.used_percent is None or window.window_minutes is None:
            continue
        if 0 <= window.used_percent <= 100 and 0 < window.window_minutes <= _MOST_MINUTES:
            resets_at = window.resets_at or 0
            yield WindowTold(
                name=name,
                minutes=int(window.window_minutes),
                percent=float(window.used_percent),
                resets_at=int(resets_at) if 0 < resets_at < _LATEST else None,
            )


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


def _changed(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def _head(path: Path) -> bytes:
    try:
        with open(open_plain(path, follows=True), "rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError:
        return b""
