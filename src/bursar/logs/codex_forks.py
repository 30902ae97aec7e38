"""Which thread a forked thread of Codex began with: its log names the one before it, and so on."""

from __future__ import annotations

import os

import msgspec

_NAME, _AT = "rollout-", len("rollout-2026-11-18T10-00-00-")
_LONGEST_HEADING = 1 << 20
_MOST_FORKS = 64


class _Payload(msgspec.Struct):
    id: str | None = None
    forked_from_id: str | None = None


class _Heading(msgspec.Struct):
    payload: _Payload | None = None


_decoder = msgspec.json.Decoder(_Heading)


class Forks:
    """The threads whose logs lie beside one that is read; they are looked for when a fork is met."""

    def __init__(self, root: str) -> None:
        """`root`: the folder in which the log was found: sessions, or archived ones."""
        self._home = os.path.dirname(root)
        self._logs: dict[str, str] | None = None

    def first_thread(self, thread: str) -> str:
        """The thread that one began with, as far as logs tell that are still there."""
        met = {thread}
        while (parent := self._parent(thread)) and parent not in met and len(met) < _MOST_FORKS:
            met.add(parent)
            thread = parent
        return thread

    def _parent(self, thread: str) -> str | None:
        if self._logs is None:
            self._logs = _find_logs(self._home)
        path = self._logs.get(thread)
        if path is None or not os.path.isfile(path):
            return None
        try:
            with open(path, "rb") as file:
                payload = _decoder.decode(file.readline(_LONGEST_HEADING)).payload
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return payload.forked_from_id if payload is not None and payload.id == thread else None


def _find_logs(home: str) -> dict[str, str]:
    """The log of each thread."""
    return {
        name[_AT:].removesuffix(".jsonl"): os.path.join(folder, name)
        for place in ("archived_sessions", "sessions")
        for folder, _, names in os.walk(os.path.join(home, place))
        for name in names
        if name.startswith(_NAME) and name.endswith(".jsonl")
    }
