"""What OpenCode's sub-agents used: their sessions are in its database, and in no line of its output."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import msgspec

from bursar.agents.counts import AbsurdCount
from bursar.agents.opencode import wire
from bursar.agents.opencode.counts import usage_of
from bursar.agents.unfollowed import open_plain
from bursar.events import AgentEvent, CallReported, LineRejected

DATABASE = "opencode.db"
_DESCENDANTS = (
    "WITH RECURSIVE below(id) AS (SELECT id FROM session WHERE parent_id = ?1"
    " UNION SELECT session.id FROM session JOIN below ON session.parent_id = below.id)"
    " SELECT message.id, message.time_updated, message.data FROM message JOIN below ON message.session_id = below.id"
    " WHERE message.time_updated >= ?2 ORDER BY message.time_updated"
)
_message = msgspec.json.Decoder(wire.StoredMessage)


class NestedSessions:
    """Reads the database while it grows. It is only looked at again when it has changed."""

    def __init__(self, data: Path | None, *, leaves_out_earlier: bool = False) -> None:
        """`leaves_out_earlier`: those that are there at the first look are of earlier processes of the session."""
        self._leaves_out = leaves_out_earlier
        self._path = None if data is None else data / DATABASE
        self._changed = (0, 0)
        self._since = 0
        self._told: dict[str, AgentEvent] = {}

    def poll(self, session_id: str | None) -> tuple[AgentEvent, ...]:
        """Calls of the session's sub-agents that are new or say more than before."""
        if session_id is None or self._path is None or (changed := _changed(self._path)) == self._changed:
            return ()
        try:
            events = tuple(self._read(self._path, session_id))
        except (OSError, apsw.Error):
            return ()  # busy, or being made: it may be readable later
        self._changed = changed
        leaves_out, self._leaves_out = self._leaves_out, False
        return () if leaves_out else events

    def _read(self, path: Path, session_id: str) -> Iterator[AgentEvent]:
        os.close(open_plain(path, follows=True))  # it is the agent's: at a pipe SQLite would wait for ever
        with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
            connection.set_busy_timeout(50)
            rows = connection.execute(_DESCENDANTS, (session_id, self._since)).fetchall()
        for message_id, updated, data in rows:
            self._since = max(self._since, int(updated or 0))
            for event in _events(str(message_id), data):
                if self._told.get(str(message_id)) != event:
                    self._told[str(message_id)] = event
                    yield event


def _events(message_id: str, data: object) -> Iterator[AgentEvent]:
    try:
        stored = _message.decode(data if isinstance(data, str | bytes) else b"")
        if stored.role != "assistant":
            return
        is_final = stored.time is not None and stored.time.completed is not None
        usage = usage_of(stored.tokens) if stored.tokens is not None and is_final else None
        yield CallReported(call_id=message_id, model=None, usage=usage, is_final=is_final, is_side_chain=True)
    except (AbsurdCount, msgspec.MsgspecError) as error:
        yield LineRejected(reason=f"sub-agent: {str(error)[:80]}")


def _changed(path: Path) -> tuple[int, int]:
    """A mark that changes with the database: writes go into the file beside it first."""
    return _modified(path), _modified(path.with_name(f"{path.name}-wal"))


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
