"""Calls that are kept together are the same calls: found, compared, replaced and priced as if each had a row."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from bursar.logs import LogIndex, add_up, bundles, open_index, update_index
from bursar.logs import index as module
from bursar.logs.bundles import Bundles
from bursar.logs.call import CallRow, best_of
from bursar.logs.call_id import first_id, message_number
from bursar.logs.columns import from_bytes, to_bytes, to_columns
from tests.unit.logs.transcripts import Transcripts, encode, line, usage


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Transcripts]:
    index = open_index(tmp_path / "state" / "usage.db")
    yield Transcripts(tmp_path, index)
    index.close()


def count(index: LogIndex, table: str) -> int:
    ((number,),) = index.database.query(f"SELECT count(*) FROM {table}")
    return int(number)


def calls_of(index: LogIndex) -> list[tuple[Any, ...]]:
    """Every call with its cost, whether it has a row or is in a bundle.

    Message, request, time, tier, the five counters, cost.
    """
    rows: list[tuple[Any, ...]] = []
    with index.database.snapshot() as connection:
        rows += connection.execute(
            "SELECT message, request, at, service_tier, input_tokens, cache_read_tokens, cache_write_5m_tokens,"
            " cache_write_1h_tokens, output_tokens, nano_usd FROM call"
        ).fetchall()
        for bundle in Bundles(connection).all(connection, unpriced_only=False):
            rows += [(*call[:3], *call[7:13], cost) for call, cost in bundle.rows()]
    return sorted(rows)


def check_sums(logs: Transcripts) -> None:
    """The sums are those of the calls."""
    calls = calls_of(logs.index)
    whole = add_up(row.totals for row in logs.rows())
    assert whole.calls == len(calls)
    assert whole.total_tokens == sum(sum(call[4:9]) for call in calls)
    assert whole.nano_usd == sum(call[9] for call in calls if call[9] is not None)
    assert whole.unpriced == sum(call[9] is None for call in calls)


def test_new_calls_stay_together_until_one_is_met_again(logs: Transcripts) -> None:
    logs.write(encode(*(line(f"m{number}", "r") for number in range(20))))
    logs.write(encode(*(line(f"n{number}", "r") for number in range(20))), "-w-shop/s2.jsonl")
    logs.read()
    assert (count(logs.index, "bundle"), count(logs.index, "call")) == (2, 0)
    check_sums(logs)
    logs.write(encode(line("m7", "r", usage=usage(output_tokens=500))), "-w-shop/s3.jsonl")
    logs.read()
    assert (count(logs.index, "bundle"), count(logs.index, "call")) == (1, 20)
    assert logs.totals()[0] == 40
    assert [call[8] for call in calls_of(logs.index) if call[0] == "m7"] == [500]
    check_sums(logs)


@pytest.mark.parametrize("few", [0, 1 << 30])
@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_reading_gives_the_best_record_of_each_call(
    logs: Transcripts, seed: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    print(f"seed {seed}")
    monkeypatch.setattr(bundles, "_FEW", few)
    monkeypatch.setattr(bundles, "_MOST_BYTES", 2000)
    dice = random.Random(seed)
    expected: list[CallRow] = []
    for number in range(12):
        records = []
        for _ in range(dice.randrange(1, 25)):
            message, output = f"m{dice.randrange(120)}", dice.randrange(1, 90)
            model = dice.choice(("claude-sonnet-4-5", "unknown-1"))
            at = f"2026-11-{dice.randrange(10, 19)}T{dice.randrange(24):02}:00:00Z"
            records.append(line(message, "r", at, model=model, usage=usage(output_tokens=output)))
            expected.append((message, "r", 0, model, "", "", False, "standard", 1000, 200, 20, 10, output, None))
        logs.write(encode(*records), f"-w-shop/s{number}.jsonl")
        if dice.random() < 0.5:
            logs.read()
            check_sums(logs)
    logs.read()
    check_sums(logs)
    best = best_of(expected)
    assert {(call[0], call[8]) for call in calls_of(logs.index)} == {(call[0], call[12]) for call in best}
    assert logs.totals()[0] == len(best)
    assert count(logs.index, "bundle") == count(logs.index, "bundle_calls")


def test_columns_are_the_calls(logs: Transcripts) -> None:
    dice = random.Random(3)
    calls: list[CallRow] = []
    for number in range(200):
        at = 1_790_000_000_000 + number * 200_000
        place = ("/w/shöp", dice.choice(("s1", "s2")))
        tier = dice.choice(("", "bundle"))
        counts = (dice.randrange(1 << 27), dice.randrange(9), 0, 0, dice.randrange(1 << 27))
        told = dice.choice((None, 5))
        head = (f"m{number}", f"r{number}", at, "model-1")
        calls.append((*head, *place, bool(dice.randrange(2)), tier, *counts, told))
    columns = to_columns(calls)
    assert columns is not None
    assert list(from_bytes(to_bytes(columns)).rows()) == calls
    assert sum(run.end - run.start for run in columns.runs) == 200
    assert to_columns([]) is None
    assert to_columns([calls[0], calls[0]]) is None
    assert to_columns([("", *calls[0][1:])]) is None


def test_what_is_read_while_another_process_has_written_is_compared_with_that(
    logs: Transcripts, tmp_path: Path
) -> None:
    other = Transcripts(tmp_path, open_index(tmp_path / "state" / "usage.db"))
    logs.write(encode(line("a", "r"), line("b", "r")))
    logs.read()
    other.write(encode(line("b", "r"), line("c", "r")), "-w-shop/s2.jsonl")
    other.read()
    logs.write(encode(line("c", "r"), line("a", "r")), "-w-shop/s3.jsonl")
    logs.read()
    assert logs.totals()[0] == 3
    check_sums(logs)
    other.index.close()


def test_an_index_of_the_first_release_is_brought_up_to_date(tmp_path: Path) -> None:
    """Its calls are the same, and are still met again; what OpenCode said that they cost is kept as its word."""
    place = tmp_path / "state" / "usage.db"
    sql = (Path(module.__file__).parent / "migrations" / "0001_logs.sql").read_text()
    place.parent.mkdir(mode=0o700)
    connection = apsw.Connection(str(place))
    connection.execute(f"PRAGMA application_id = {module.APPLICATION_ID}").fetchall()
    connection.execute(sql).fetchall()
    connection.execute("PRAGMA user_version = 1").fetchall()
    connection.execute("INSERT INTO session VALUES (1, 'claude', '/w/shop', 's1', 0), (2, 'opencode', '/w', 's2', 0)")
    connection.execute("INSERT INTO model VALUES (1, 'claude-sonnet-4-5')")
    rows: Iterable[tuple[Any, ...]] = [
        (first_id(message_number(name)), session, 1, name, "req_1", 1_790_000_000_000, 0, "", 1000, 200, 20, 10, 50, 7)
        for name, session in (("msg_1", 1), ("msg_2", 2))
    ]
    connection.executemany(f"INSERT INTO call VALUES ({', '.join('?' * 14)})", rows)
    connection.execute(
        "INSERT INTO quarter SELECT at / 900000, session, model, 1, 1000, 200, 20, 10, 50, 7, 0, at, at FROM call"
    )
    connection.close()
    place.chmod(0o600)
    logs = Transcripts(tmp_path, open_index(place))
    logs.write(encode(line("msg_1", "req_1", usage=usage(output_tokens=51)), line("msg_3", "r")))
    update_index(logs.index, logs.environment, prices=None)
    assert logs.totals()[0] == 3
    told = logs.index.database.query("SELECT message, told_nano_usd FROM call ORDER BY message")
    assert told == [("msg_1", None), ("msg_2", 7), ("msg_3", None)]
    check_sums(logs)
    logs.index.close()
