"""OpenCode that ends with an error before it has asked any model: its database proves that nothing was sent."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from bursar.agents import open_reader
from bursar.metering import Meter

ERROR = {"type": "error", "sessionID": "ses_1", "error": {"name": "UnknownError", "data": {"message": "Unexpected"}}}
STEP = {"type": "step_start", "sessionID": "ses_1", "part": {"messageID": "msg_1"}}


def meter_of(home: Path, *lines: object) -> Meter:
    reader, meter = open_reader("opencode", {"HOME": str(home)}), Meter("anthropic/m")
    events = [event for line in lines for event in reader.feed_line(json.dumps(line).encode())]
    for event in (*events, *reader.finish()):
        meter.feed(event)
    return meter


def put_messages(home: Path, roles: Sequence[str], session: str = "ses_1") -> None:
    folder = home / ".local/share/opencode"
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "opencode.db")) as connection, connection:
        connection.execute("CREATE TABLE message (id TEXT, session_id TEXT, data TEXT)")
        rows = [(str(number), session, json.dumps({"role": role})) for number, role in enumerate(roles)]
        connection.executemany("INSERT INTO message VALUES (?, ?, ?)", rows)


def test_nothing_was_asked(tmp_path: Path) -> None:
    put_messages(tmp_path, ["user"])
    meter = meter_of(tmp_path, ERROR)
    assert meter.unknown_call() is None
    assert meter.ended is not None
    assert meter.ended.message == "Unexpected (no model was asked: see `bursar agent doctor opencode`)"


@pytest.mark.parametrize("roles", [["user", "assistant"], [], ["user", "who knows"]])
def test_what_is_not_proven_is_unknown(tmp_path: Path, roles: Sequence[str]) -> None:
    put_messages(tmp_path, roles)
    assert meter_of(tmp_path, ERROR).unknown_call() is not None


def test_a_session_that_is_not_in_it_proves_nothing(tmp_path: Path) -> None:
    put_messages(tmp_path, ["user"], "ses_2")
    assert meter_of(tmp_path, ERROR).unknown_call() is not None


def test_a_step_was_asked_for_whatever_the_database_has(tmp_path: Path) -> None:
    put_messages(tmp_path, ["user"])
    assert meter_of(tmp_path, STEP, ERROR).unknown_call() is not None


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be taken for one" * 100])
def test_a_database_that_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".local/share/opencode").mkdir(parents=True)
    (tmp_path / ".local/share/opencode/opencode.db").write_bytes(content)
    assert meter_of(tmp_path, ERROR).unknown_call() is not None
