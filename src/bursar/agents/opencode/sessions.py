"""Whether OpenCode has asked a model at all: its database has a message of the model's before the request is made."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import apsw

from bursar.agents.opencode.nested_sessions import DATABASE
from bursar.agents.unfollowed import open_plain

_ROLES = (
    "SELECT count(*), count(*) FILTER (WHERE json_extract(data, '$.role') = 'user') FROM message WHERE session_id = ?"
)


def has_asked(data: Path | None, session_id: str | None) -> bool:
    """False only where the database proves it: the session is in it, with the user's words and nothing else."""
    if data is None or session_id is None:
        return True
    try:
        os.close(open_plain(data / DATABASE, follows=True))  # at a pipe SQLite would wait for ever
        with closing(apsw.Connection(str(data / DATABASE), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
            connection.set_busy_timeout(50)
            (messages, of_user) = connection.execute(_ROLES, (session_id,)).fetchall()[0]
    except (OSError, apsw.Error):
        return True
    return not messages or messages != of_user
