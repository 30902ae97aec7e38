"""Logs of Codex, Gemini CLI and OpenCode, in the shapes that the CLIs themselves have written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from bursar.logs import (
    LogIndex,
    ReadingResult,
    Totals,
    UsageRow,
    Wanted,
    add_up,
    open_index,
    rows_by_session,
    update_index,
)
from tests.unit.logs.transcripts import FlatPrices

AT = "2026-11-18T10:00:00.000Z"
FIXTURES = Path(__file__).parents[1] / "agents" / "fixtures"


class Home:
    """A home in which agents leave logs, and the index of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index: LogIndex = open_index(folder / "state" / "usage.db")
        self.last = ReadingResult()

    def write(self, name: str, *lines: object) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines), encoding="utf-8")
        return path

    def rows(self) -> list[UsageRow]:
        self.last = update_index(self.index, {"HOME": str(self.folder)}, prices=FlatPrices())
        return rows_by_session(self.index, Wanted())

    def used(self) -> tuple[int, int, int, int, int]:
        """Calls, input, cache reads, cache writes, output."""
        return counts(add_up(row.totals for row in self.rows()))


def counts(totals: Totals) -> tuple[int, int, int, int, int]:
    return (
        totals.calls, totals.input_tokens, totals.cache_read_tokens, totals.cache_write_tokens, totals.output_tokens,
    )  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    made.index.close()


def codex_usage(given: int = 1230, cached: int = 200, written: int = 30, output: int = 50) -> dict[str, int]:
    return {
        "input_tokens": given,
        "cached_input_tokens": cached,
        "cache_write_input_tokens": written,
        "output_tokens": output,
        "reasoning_output_tokens": 7,
        "total_tokens": given + output,
    }


def codex_line(kind: str, **payload: Any) -> dict[str, Any]:
    return {"timestamp": AT, "type": kind, "payload": payload}


def meta(name: str, parent: str | None = None) -> dict[str, Any]:
    return codex_line("session_meta", id=name, cwd="/w/shop", cli_version="0.169.0", forked_from_id=parent)


def record(response: str, **usage: int) -> dict[str, Any]:
    return codex_line("token_usage_record", response_id=response, thread_id="t", usage=codex_usage(**usage))


def total(calls: int, last: bool = True) -> dict[str, Any]:
    """The running total after so many calls that are all alike."""
    whole = {name: calls * count for name, count in codex_usage().items()}
    info: dict[str, Any] = {"total_token_usage": whole, "model_context_window": 258400}
    if last:
        info["last_token_usage"] = codex_usage()
    return codex_line("event_msg", type="token_count", info=info, rate_limits=None)


TURN = codex_line("turn_context", model="gpt-5.2-codex", cwd="/w/shop", turn_id="1")
ROLLOUT = ".codex/sessions/2026/11/18/rollout-2026-11-18T10-00-00-{}.jsonl"
ONE_CALL = (1, 1000, 200, 30, 50)


def test_codex_records_count_and_totals_beside_them_do_not(home: Home) -> None:
    home.write(ROLLOUT.format("a"), meta("a"), TURN, record("r1"), total(1), record("r2"), total(2), total(2))
    (row,) = home.rows()
    assert counts(row.totals) == (2, 2000, 400, 60, 100)
    assert (row.label, row.source, row.project, list(row.models)) == ("a", "codex", "/w/shop", ["gpt-5.2-codex"])


@pytest.mark.parametrize("last", [True, False])
def test_codex_totals_count_once_however_often_they_are_written(home: Home, last: bool) -> None:
    lines = [meta("a"), TURN, codex_line("event_msg", type="token_count", info=None), total(1, last), total(1, last)]
    path = home.write(ROLLOUT.format("a"), *lines)
    assert home.used() == ONE_CALL
    home.write(ROLLOUT.format("a"), *lines, total(1, last), total(2, last), total(2, last))
    assert home.used() == (2, 2000, 400, 60, 100)
    assert path.exists()


def test_codex_state_goes_on_where_reading_stopped(home: Home) -> None:
    """Model, folder and running total are in lines that were read the last time."""
    path = home.write(ROLLOUT.format("a"), meta("a"), TURN, total(1, last=False))
    home.rows()
    with path.open("a") as file:
        file.write(json.dumps(total(2, last=False)) + "\n")
    (row,) = home.rows()
    assert counts(row.totals) == (2, 2000, 400, 60, 100)
    assert (row.project, list(row.models)) == ("/w/shop", ["gpt-5.2-codex"])


@pytest.mark.parametrize("has_parents_heading", [True, False])
def test_a_codex_fork_repeats_its_parent_and_goes_on(home: Home, has_parents_heading: bool) -> None:
    home.write(ROLLOUT.format("a"), meta("a"), TURN, total(1), total(2))
    replay = [meta("a")] if has_parents_heading else []
    home.write(ROLLOUT.format("b"), meta("b", "a"), *replay, TURN, total(1), total(2), total(3))
    assert home.used() == (3, 3000, 600, 90, 150)
    home.write(ROLLOUT.format("c"), meta("c", "a"), TURN, record("r1"))
    home.write(ROLLOUT.format("d"), meta("d", "c"), TURN, record("r1"), record("r2"))
    assert home.used() == (5, 5000, 1000, 150, 250)


@pytest.mark.parametrize("order", ["abcd", "badc"])
def test_a_fork_of_a_codex_fork_repeats_what_both_have_used(home: Home, order: str) -> None:
    """Its log need not name the first thread; the log of the one between them does, archived or not."""
    threads = {
        "a": (meta("a"), TURN, total(1), total(2)),
        "b": (meta("b", "a"), TURN, total(1), total(2), total(3)),
        "c": (meta("c", "b"), TURN, total(1), total(2), total(3), total(4)),
        "d": (meta("d", "c"), TURN, total(1), total(2), total(3), total(4), total(5)),
    }
    archived = ".codex/archived_sessions/rollout-2026-11-18T10-00-00-b.jsonl"
    for number, name in enumerate(order):
        home.write(archived if name == "b" else ROLLOUT.format(name), *threads[name])
        if number % 2:
            home.rows()
    assert home.used()[0] == 5


def test_codex_threads_that_were_forked_in_a_circle_are_nobodys(home: Home) -> None:
    home.write(ROLLOUT.format("a"), meta("a", "b"), TURN, total(1))
    home.write(ROLLOUT.format("b"), meta("b", "a"), TURN, total(1))
    home.write(ROLLOUT.format("c"), {"type": "session_meta"}, TURN, total(1))
    home.write(ROLLOUT.format("e"), meta("e", "c"), TURN, total(1))
    assert home.used()[0] == 4


def test_codex_ids_that_a_server_gives_again_are_other_calls(home: Home) -> None:
    home.write(ROLLOUT.format("a"), meta("a"), TURN, record("r1"))
    home.write(ROLLOUT.format("b"), meta("b"), TURN, record("r1", output=51))
    assert home.used()[0] == 2


def test_codex_lines_that_cannot_be_are_named(home: Home) -> None:
    odd = [record("r1", cached=5000), record("r2", output=-1), {**record("r3"), "timestamp": "soon"}]
    path = home.write(ROLLOUT.format("a"), meta("a"), TURN, *odd, record("r4"))
    assert home.used() == ONE_CALL
    assert home.last.refused == {str(path): 3}


def test_what_codex_says_of_its_limits_is_kept(home: Home) -> None:
    told = total(1)
    told["payload"]["rate_limits"] = {
        "primary": {"used_percent": 12.5, "window_minutes": 300, "resets_at": 1_795_000_000},
        "secondary": {"used_percent": 1_795_000_000, "window_minutes": 10080},
    }
    home.write(ROLLOUT.format("a"), meta("a"), TURN, told)
    home.rows()
    rows = home.index.database.query("SELECT source, minutes, percent, resets_at FROM plan_limit")
    assert rows == [("codex", 300, 12.5, 1_795_000_000)]


def gemini(name: str, **tokens: int) -> dict[str, Any]:
    counted = {"input": 1230, "output": 50, "cached": 200, "thoughts": 0, "tool": 0, "total": 1280} | tokens
    return {"id": name, "timestamp": AT, "type": "gemini", "model": "gemini-3-pro-preview", "tokens": counted}


CHAT = ".gemini/tmp/shop/chats/session-2026-11-18T10-00-3f1c2a64.jsonl"


def test_the_last_line_of_a_gemini_message_counts(home: Home) -> None:
    (home.folder / ".gemini/tmp/shop").mkdir(parents=True)
    (home.folder / ".gemini/tmp/shop/.project_root").write_text("/w/shop\n")
    patch = {"$set": {"lastUpdated": AT, "messages": [gemini("b", thoughts=7, tool=3)]}}
    home.write(CHAT, {"sessionId": "s1", "kind": "main"}, gemini("a", output=1), gemini("a"), patch, gemini("b"))
    (row,) = home.rows()
    assert counts(row.totals) == (2, 2060, 400, 0, 100)
    assert (row.label, row.source, row.project) == ("s1", "gemini", "/w/shop")


def test_thoughts_and_what_tools_gave_are_billed_on_top(home: Home) -> None:
    home.write(CHAT, gemini("a", thoughts=100, tool=10))
    assert home.used() == (1, 1040, 200, 0, 150)


def test_an_older_gemini_chat_is_one_file(home: Home) -> None:
    user = {"id": "u", "type": "user", "content": "tokens"}
    path = CHAT.removesuffix("l")
    home.write(path, {"sessionId": "s1", "messages": [user, gemini("a")]})
    home.write(".gemini/tmp/shop/logs.json", [{"sessionId": "s1", "message": "hello"}])
    assert home.used() == (1, 1030, 200, 0, 50)
    home.write(path, {"sessionId": "s1", "messages": [user, gemini("a"), gemini("b")]})
    assert home.used() == (2, 2060, 400, 0, 100)


SCHEMA = """
CREATE TABLE session (id TEXT PRIMARY KEY, directory TEXT NOT NULL);
CREATE TABLE message (
    id TEXT PRIMARY KEY, session_id TEXT NOT NULL, time_created INTEGER, time_updated INTEGER, data TEXT NOT NULL
);
INSERT INTO session VALUES ('ses_1', '/w/shop');
"""


def opencode_message(cost: float = 0, **tokens: Any) -> dict[str, Any]:
    counted = {"input": 1000, "output": 50, "reasoning": 7, "cache": {"read": 200, "write": 30}} | tokens
    return {
        "role": "assistant",
        "modelID": "claude-haiku-4-5",
        "providerID": "anthropic",
        "cost": cost,
        "tokens": counted,
        "time": {"created": 1_795_000_000_000},
    }


class OpencodeDatabase:
    """As OpenCode has it: with a log of writes, and open while it is read."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / ".local/share/opencode/opencode.db"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = apsw.Connection(str(self.path))
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute(SCHEMA)

    def put(self, name: str, updated: int, data: object) -> None:
        row = (name, "ses_1", updated, updated, data if isinstance(data, str) else json.dumps(data))
        self.connection.execute("INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?)", row)


def test_opencodes_database_is_read_while_it_is_written(home: Home) -> None:
    database = OpencodeDatabase(home.folder)
    database.put("m1", 10, opencode_message())
    database.put("m2", 11, {"role": "user"})
    database.put("m3", 12, opencode_message(output=0, input=0, reasoning=0, cache={"read": 0, "write": 0}))
    (row,) = home.rows()
    assert counts(row.totals) == (1, 1000, 200, 30, 57)
    assert (row.label, row.source, row.project) == ("ses_1", "opencode", "/w/shop")
    assert home.used()[0] == 1
    assert home.last.changed == 0
    database.put("m3", 13, opencode_message())
    database.put("m1", 10, opencode_message())
    assert home.used() == (2, 2000, 400, 60, 114)
    database.connection.close()


def test_opencodes_own_cost_counts_where_there_is_no_price(home: Home) -> None:
    database = OpencodeDatabase(home.folder)
    database.put("m1", 10, opencode_message(cost=0.25) | {"modelID": "unknown-model"})
    (row,) = home.rows()
    assert (row.totals.nano_usd, row.totals.unpriced) == (250_000_000, 0)
    database.connection.close()


def test_opencode_messages_that_cannot_be_are_named_and_so_is_another_database(home: Home) -> None:
    database = OpencodeDatabase(home.folder)
    for name, data in (("m1", "no json"), ("m2", opencode_message(input=-1)), ("m3", opencode_message(cache=3))):
        database.put(name, 10, data)
    other = home.folder / ".local/share/opencode/opencode-dev.db"
    other.write_bytes(b"SQLite format 3\0" + os.urandom(4096))
    assert home.used() == (1, 1000, 0, 0, 57)
    assert home.last.refused == {str(database.path): 2}
    assert list(home.last.unreadable) == [str(other)]
    database.connection.close()


def test_opencode_messages_in_files(home: Home) -> None:
    place = ".local/share/opencode/storage/message/ses_1/{}.json"
    home.write(place.format("m1"), opencode_message() | {"id": "m1", "sessionID": "ses_1", "path": {"cwd": "/w/shop"}})
    home.write(place.format("m2"), {"id": "m2", "role": "user"})
    (row,) = home.rows()
    assert counts(row.totals) == (1, 1000, 200, 30, 57)
    assert (row.label, row.project) == ("ses_1", "/w/shop")


def test_files_and_database_of_one_message_count_once(home: Home) -> None:
    """OpenCode moved its messages into the database, and left the files."""
    place = ".local/share/opencode/storage/message/ses_1/m1.json"
    home.write(place, opencode_message() | {"id": "m1", "sessionID": "ses_1"})
    database = OpencodeDatabase(home.folder)
    database.put("m1", 10, opencode_message())
    assert home.used()[0] == 1
    database.connection.close()


@pytest.mark.parametrize(("agent", "place"), [("codex", ROLLOUT.format("x")), ("gemini", CHAT)])
@pytest.mark.parametrize("case", ["success-with-tools", "kill-in-a-tool", "term-in-a-reply", "refused-once-429"])
def test_what_the_real_clis_have_written(home: Home, agent: str, place: str, case: str) -> None:
    """Recorded logs, cut at every few bytes, come to the same; each call of the fake model used 1280 tokens or 1989."""
    data = (FIXTURES / agent / f"{case}.log.jsonl").read_bytes()
    path = home.folder / place
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    whole = home.used()
    assert sum(whole[1:]) in {1280 * calls + 1989 * last for calls in range(4) for last in (0, 1)}
    path.unlink()
    other = Home(home.folder / "again")
    again = other.folder / place
    again.parent.mkdir(parents=True)
    for end in range(0, len(data) + 997, 997):
        again.write_bytes(data[:end])
        other.rows()
    assert other.used() == whole
    other.index.close()
