"""Session logs of Codex (rollouts) → calls. Pure, but for a look at the logs that a forked thread comes from.

Since 0.169 each response has a record of its own. Logs of earlier versions have running totals, which are written again
where nothing was used, and again in the log of a thread that was forked from another: each is known by the thread that
all began with, and what that had used when it was written.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from bursar.logs.call import CallRow
from bursar.logs.codex_forks import Forks
from bursar.logs.files import LogFile
from bursar.logs.index import FileMark
from bursar.logs.lines import lines_with
from bursar.logs.reading import LimitRow, NewCalls, read_new
from bursar.logs.values import RefusedLine, milliseconds, number_within, whole

_MARKERS = re.compile(rb'"(?:session_meta|turn_context|token_count|token_usage_record)"')
_MOST_MINUTES = 60 * 24 * 366
_COUNTERS = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens")


class _Payload(msgspec.Struct):
    type: str | None = None
    id: str | None = None
    cwd: str | None = None
    model: str | None = None
    forked_from_id: str | None = None
    response_id: str | None = None
    usage: dict[str, Any] | None = None
    info: dict[str, Any] | None = None
    rate_limits: dict[str, Any] | None = None


class _Line(msgspec.Struct):
    type: str | None = None
    timestamp: str | None = None
    payload: _Payload | None = None


class _State(msgspec.Struct):
    """What the lines so far say about those to come. `is_fork`: `root` may itself have been forked from another."""

    session: str = ""
    root: str = ""
    cwd: str = ""
    model: str = ""
    total: list[int] = []
    has_records: bool = False
    is_fork: bool = False


_decoder = msgspec.json.Decoder(_Line)
_states = msgspec.json.Decoder(_State)


class CodexReader:
    """Reads one rollout; see `LogReader`."""

    def __init__(self, file: LogFile, state: str) -> None:
        name = file.path.rpartition("/")[2].removesuffix(".jsonl")
        self._state = _states.decode(state) if state else _State(session=name, root=name)
        self._forks = Forks(file.root)
        self.refused = 0
        self.limits: list[LimitRow] = []

    @property
    def state(self) -> str:
        return msgspec.json.encode(self._state).decode()

    def read(self, block: memoryview) -> list[CallRow]:
        """The calls of a block of lines."""
        calls: list[CallRow] = []
        for data in lines_with(block, _MARKERS):
            try:
                line = _decoder.decode(data)
                if line.payload is not None:
                    calls += self._read(line, line.payload)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, RefusedLine):
                self.refused += 1
        return calls

    def _read(self, line: _Line, payload: _Payload) -> list[CallRow]:
        state = self._state
        if line.type == "session_meta":
            self._begin(payload)
        elif line.type == "turn_context":
            state.model, state.cwd = payload.model or state.model, payload.cwd or state.cwd
        elif line.type == "token_usage_record" and payload.response_id and payload.usage is not None:
            state.has_records = True
            counts = _counts(payload.usage)
            return [self._call(line, payload.response_id, counts, ",".join(map(str, counts)))]
        elif line.type == "event_msg" and payload.type == "token_count":
            self._note_limits(line, payload.rate_limits or {})
            return self._totals(line, payload.info or {})
        return []

    def _begin(self, payload: _Payload) -> None:
        """The thread's own heading is the first; those of the threads that it was forked from may follow."""
        state = self._state
        if not state.cwd:
            state.session, state.cwd = payload.id or state.session, payload.cwd or "?"
            state.root = state.session
        state.root, state.is_fork = payload.forked_from_id or payload.id or state.root, bool(payload.forked_from_id)

    def _totals(self, line: _Line, info: dict[str, Any]) -> list[CallRow]:
        """The call that a running total tells of, if there is no better record of it."""
        total = info.get("total_token_usage")
        if self._state.has_records or not isinstance(total, dict):
            return []
        now, before = _counts(total), self._state.total or [0, 0, 0, 0]
        last = info.get("last_token_usage")
        used = _counts(last) if isinstance(last, dict) else [new - old for new, old in zip(now, before, strict=True)]
        self._state.total = now
        if now == before:
            return []
        return [self._call(line, f"{self._first_thread()}:{','.join(map(str, now))}", used if min(used) >= 0 else now)]

    def _first_thread(self) -> str:
        """The thread that all began with; other logs are looked at for it where this one does not say, and once."""
        state = self._state
        if state.is_fork:
            state.root, state.is_fork = self._forks.first_thread(state.root), False
        return state.root

    def _call(self, line: _Line, message: str, counts: list[int], request: str = "") -> CallRow:
        """A call; `request` tells it from others, where a server gives ids that it has given before."""
        total, read, written, output = counts
        if read + written > total:
            raise RefusedLine("more was cached than there was")
        state, at = self._state, milliseconds(line.timestamp)
        place = (state.cwd.removeprefix("?"), state.session, False, "")
        return message, request, at, state.model, *place, total - read - written, read, written, 0, output, None

    def _note_limits(self, line: _Line, limits: dict[str, Any]) -> None:
        for name in ("primary", "secondary"):
            window = limits.get(name)
            if isinstance(window, dict):
                percent, minutes, resets_at = (
                    number_within(window.get(key), most)
                    for key, most in (("used_percent", 100), ("window_minutes", _MOST_MINUTES), ("resets_at", 1 << 35))
                )
                if percent is not None and minutes:
                    at = milliseconds(line.timestamp)
                    self.limits.append((name, int(minutes), percent, int(resets_at or 0), at))


def read(file: LogFile, mark: FileMark | None) -> NewCalls:
    """What is new in a rollout."""
    return read_new(file, mark, CodexReader)


def _counts(usage: dict[str, Any]) -> list[int]:
    return [whole(usage.get(name) or 0) for name in _COUNTERS]
