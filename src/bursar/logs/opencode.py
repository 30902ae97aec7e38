"""Messages of OpenCode → calls: from its database, which is only read, and from a file for each, before it had one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import apsw

from bursar.logs.call import CallRow
from bursar.logs.files import LogFile, database_state
from bursar.logs.index import FileMark
from bursar.logs.reading import NewCalls, mark_of, read_whole
from bursar.logs.values import RefusedLine, clean, milliseconds, whole
from bursar.money import nano_usd_from_decimal

_BUSY_MS = 2000
_LARGEST_ROW = 64 << 20
_MOST_USD = 1_000_000


def read(file: LogFile, mark: FileMark | None) -> NewCalls:
    """What is new in a database, or in a file that is one message.

    Raises:
        OSError: it cannot be read.
    """
    if file.path.endswith(".json"):
        status, data = read_whole(file.path)
        found, refused = _calls([_Row("", "", "", data)])
        return NewCalls(mark, mark_of(file.path, status), found, refused)
    since = int(mark.state) if mark is not None and mark.state.isdigit() else 0
    size, changed = database_state(file.path)
    try:
        rows, latest = _rows(file.path, since)
    except apsw.Error as error:
        raise OSError(0, f"cannot be read as a database of OpenCode ({error})") from error
    found, refused = _calls(rows)
    return NewCalls(mark, FileMark(file.path, size, changed, state=str(latest)), found, refused)


class _Row(NamedTuple):
    """A message as it is kept; what the columns do not say may be in `data`, which is JSON."""

    name: Any
    session: Any
    folder: Any
    data: Any


def _rows(path: str, since: int) -> tuple[list[_Row], int]:
    """Messages that were written since a time of the database's own, and the latest time.

    Raises:
        apsw.Error: it is none of OpenCode's, or cannot be read.
    """
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    connection = apsw.Connection(f"file:{quoted}?mode=ro", flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    try:
        connection.set_busy_timeout(_BUSY_MS)
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, _LARGEST_ROW)
        connection.execute("PRAGMA trusted_schema = OFF")
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'message' AND type = 'table'").fetchall():
            return [], 0
        rows: Any = connection.execute(
            "SELECT message.id, message.session_id, session.directory, message.data, message.time_updated FROM message"
            " LEFT JOIN session ON session.id = message.session_id WHERE message.time_updated >= ? ORDER BY message.id",
            (since,),
        ).fetchall()
    finally:
        connection.close()
    latest = max((row[4] for row in rows if isinstance(row[4], int)), default=since)
    return [_Row(*row[:4]) for row in rows], max(latest, since)


def _calls(rows: list[_Row]) -> tuple[list[CallRow], int]:
    calls: list[CallRow] = []
    refused = 0
    for row in rows:
        try:
            calls += _call(row, json.loads(row.data))
        except (ValueError, TypeError, RecursionError, RefusedLine):
            refused += 1
    return calls, refused


def _call(row: _Row, value: Any) -> Iterator[CallRow]:
    """The call that a message is, if it is an answer with a count.

    Raises:
        RefusedLine: it cannot have been.
    """
    tokens = value.get("tokens") if isinstance(value, dict) else None
    if not isinstance(tokens, dict) or value.get("role") != "assistant":
        return
    cache, time, path = _table(tokens, "cache"), _table(value, "time"), _table(value, "path")
    given, output, reasoning = (whole(tokens.get(key) or 0) for key in ("input", "output", "reasoning"))
    read, written = (whole(cache.get(key) or 0) for key in ("read", "write"))
    if not (given or output or reasoning or read or written):
        return  # still being answered
    name, session = _text(row.name) or _text(value.get("id")), _text(row.session) or _text(value.get("sessionID"))
    place = (_text(path.get("cwd")) or _text(row.folder), session, False, "")
    head = (name, "", milliseconds(time.get("created")), _text(value.get("modelID")))
    yield *head, *place, given, read, written, 0, output + reasoning, _nano_usd(value.get("cost"))


def _nano_usd(usd: Any) -> int | None:
    """What the log says that a call cost; a cost of 0 means that OpenCode knew no price."""
    if isinstance(usd, bool) or not isinstance(usd, int | float) or not 0 < usd < _MOST_USD:
        return None
    try:
        return nano_usd_from_decimal(Decimal(repr(usd)))
    except InvalidOperation:
        return None


def _table(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    return clean(value) if isinstance(value, str) else ""
