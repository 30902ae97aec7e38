"""What the history teaches, what is shared of it, and that a bad row hurts none of the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import pytest

from bursar.errors import StoreError
from bursar.history import (
    History,
    Observation,
    Refused,
    build_statistics,
    check_observation,
    export_lines,
    facts_of,
    learn,
    open_history,
    parse_lines,
    write_statistics,
)
from bursar.plan import Task
from tests.unit.history.test_history import SEEN

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def seen(number: int, **rest: Any) -> Observation:
    """An attempt that took about as much as others."""
    took = 40_000 + 1_000 * (number % 7)
    known = replace(
        SEEN, key=f"r/{number}", tokens=took, nano_usd=took * 1_000, at=f"2026-03-01T10:{number:02d}:00+00:00"
    )
    return replace(known, task_type="api-impl", digest=f"d{number}", facts={"files": number % 3}, **rest)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = open_history(tmp_path / "history.db")
    yield opened
    opened.close()


def test_what_estimates_need_is_kept(history: History) -> None:
    history.record(seen(1))
    assert history.observations() == [seen(1)]


def test_a_history_from_before_types_were_kept_goes_on(tmp_path: Path) -> None:
    (first,) = Path(__file__).parents[3].glob("src/bursar/history/migrations/0001_*.sql")
    path = tmp_path / "history.db"
    opened = open_history(path)
    opened.close()
    connection = apsw.Connection(str(path))
    connection.execute("DROP TABLE observation; DROP TABLE correction; DROP TABLE quarantine")
    connection.execute(first.read_text())
    connection.execute("PRAGMA user_version = 1")
    connection.execute(
        "INSERT INTO observation VALUES ('k', '2026-03-01T10:00:00+00:00', '/p', '1', '1', 'g', 5, 'a', 'm',"
        " 'succeeded', 7, NULL, 1, 1.0)"
    )
    connection.close()
    opened = open_history(path)
    (old,) = opened.observations()
    assert (old.tokens, old.task_type, old.facts) == (7, "unknown", {})
    opened.record(seen(1))
    assert len(opened.observations()) == 2
    opened.close()


def test_a_file_that_is_no_history_is_refused(tmp_path: Path) -> None:
    (tmp_path / "history.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with pytest.raises(StoreError):
        open_history(tmp_path / "history.db")


@pytest.mark.parametrize(
    "sets",
    [
        "tokens = -1",
        "facts = 'nonsense'",
        "facts = '{\"a\": null}'",
        "at = 'yesterday'",
        "complexity = 77",
        "wall_seconds = 9e999",
    ],
)
def test_a_row_that_somebody_wrote_past_us_is_passed_over(tmp_path: Path, history: History, sets: str) -> None:
    history.record_all([seen(1), seen(2)])
    connection = apsw.Connection(str(tmp_path / "history.db"))
    connection.execute(f"UPDATE observation SET {sets} WHERE key = 'r/1'")
    connection.close()
    read = history.read()
    assert (list(read.observations), read.unbelievable) == ([seen(2)], 1)


def test_only_the_newest_and_only_a_project(history: History) -> None:
    history.record_all([seen(1), seen(2), seen(3, project="/other")])
    assert [each.key for each in history.read(latest=2).observations] == ["r/2", "r/3"]
    assert [each.key for each in history.observations(project="/other")] == ["r/3"]


def test_a_correction_goes_for_earlier_and_later_attempts(history: History) -> None:
    history.record(seen(1))
    history.correct("d1", "architecture")
    history.record(seen(1, key="r/again"))
    history.record(seen(2))
    assert [each.task_type for each in history.observations()] == ["architecture", "architecture", "api-impl"]
    history.correct("d1", "file-read")
    assert history.corrections() == {"d1": "file-read"}


def test_what_is_forgotten_is_gone(history: History) -> None:
    history.record_all([seen(1), seen(2)])
    assert history.forget(["r/1", "r/9"]) == 1
    assert [each.key for each in history.observations()] == ["r/2"]


def test_what_is_refused_is_kept_apart(history: History) -> None:
    refused = Refused("x", 3, "text" * 1000, "because")
    history.refuse([refused, refused])
    assert history.refused() == [replace(refused, text=refused.text[:2000])]
    assert history.observations() == []


def test_files_of_one_name_may_refuse_different_rows_at_one_line(history: History) -> None:
    refused = [Refused("x", 3, text, "because") for text in ("a", "b")]
    for each in refused:
        history.refuse([each])
    assert history.refused() == refused
    history.refuse([Refused("y", 3, "a", "because")])
    assert history.forget_refused("x") == 2
    assert [each.origin for each in history.refused()] == ["y"]


def test_where_all_is_forgotten_nothing_is_left(history: History) -> None:
    history.record(seen(1))
    history.correct("d1", "architecture")
    history.refuse([Refused("x", 3, "a", "because")])
    history.clear()
    assert (history.observations(), history.corrections(), history.refused()) == ([], {}, [])


def test_what_others_say_of_a_project_is_not_its_own(history: History) -> None:
    history.record_all([seen(1), seen(2, origin="colleague")])
    assert [each.key for each in history.observations(project="/p")] == ["r/1"]
    assert len(history.observations()) == 2


@pytest.mark.parametrize("at", ["2026-03-01T13:30:00+05:00", "20260301T083000Z", "2026-W09-7T08:30Z"])
def test_instants_are_ordered_however_they_were_written(history: History, at: str) -> None:
    early = json.dumps(ROW | {"key": "early", "at": at}).encode()
    late = json.dumps(ROW | {"key": "late", "at": "2026-03-01T09:00:00.000+00:00"}).encode()
    history.record_all(parse_lines([late, early], "x", NOW).observations)
    assert [(each.key, each.at[:16]) for each in history.observations()] == [
        ("early", "2026-03-01T08:30"),
        ("late", "2026-03-01T09:00"),
    ]


def test_exported_and_imported_it_is_the_same_but_for_folders(history: History) -> None:
    lines = [line.encode() for line in export_lines([seen(1), seen(2)])]
    assert b"/p" not in b"".join(lines)
    parsed = parse_lines(lines, "colleague", NOW)
    assert parsed.refused == []
    told = parsed.observations[0]
    assert replace(told, project="/p", origin="") == seen(1)
    assert (told.origin, told.project) == ("colleague", parsed.observations[1].project)
    assert history.record_all(parsed.observations) == 2
    assert history.record_all(parsed.observations) == 0
    assert len({tuple(export_lines(parsed.observations)), tuple(line.decode() for line in lines)}) == 1


ROW = json.loads(next(iter(export_lines([seen(1)]))))


@pytest.mark.parametrize(
    ("wrong", "because"),
    [
        ({"tokens": -1}, "`tokens`"),
        ({"tokens": 10**40}, "`tokens`"),
        ({"tokens": 1.5}, "`tokens`"),
        ({"tokens": True}, "`tokens`"),
        ({"nano_usd": "5"}, "`nano_usd`"),
        ({"wall_seconds": float("nan")}, "`wall_seconds`"),
        ({"outcome": "great"}, "`outcome`"),
        ({"key": ""}, "`key`"),
        ({"key": None}, "`key`"),
        ({"model": "\x1b[31m"}, "`model`"),
        ({"model": "m" * 501}, "`model`"),
        ({"complexity": 11}, "`complexity`"),
        ({"at": "2026-03-01"}, "`at`"),
        ({"at": "2031-01-01T00:00:00+00:00"}, "future"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "first year"),
        ({"facts": [1]}, "`facts`"),
        ({"facts": {"a": "b"}}, "`facts`"),
        ({"facts": {str(n): n for n in range(33)}}, "`facts`"),
        ({"surprise": 1}, "no field"),
        ({"task_type": "x|y|z"}, "`task_type`"),
    ],
)
def test_a_row_that_cannot_be_believed_is_refused_by_itself(wrong: dict[str, Any], because: str) -> None:
    good = json.dumps(ROW).encode()
    parsed = parse_lines([good, json.dumps(ROW | wrong).encode(), good], "x", NOW)
    assert len(parsed.observations) == 2
    (refused,) = parsed.refused
    assert refused.line == 2
    assert because in refused.reason


@pytest.mark.parametrize("line", [b"[]", b"{", b"\xff\xfe", b"[" * 15_000, b'{"key": 1}', b'"' + b"x" * 20_000 + b'"'])
def test_what_is_no_row_at_all_is_refused(line: bytes) -> None:
    parsed = parse_lines([b"", line], "x", NOW)
    assert parsed.observations == []
    assert [each.line for each in parsed.refused] == [2]


def test_an_observation_of_ours_is_believed() -> None:
    assert check_observation(seen(1), not_after=NOW) is None


def test_estimates_come_from_what_attempts_took() -> None:
    known = learn([seen(number) for number in range(30)])
    key = replace(build_key_of(seen(3)), task="new")
    said = known.estimator.estimate(key)
    assert 35_000 < said.p10 < 43_000 < said.p90 < 52_000
    assert known.estimator.estimate(replace(key, measure="cost_usd")).p50 == pytest.approx(0.043, rel=0.1)
    assert known.success.estimate(key).rate > 0.95
    assert (known.observations, known.priced_attempts) == (30, {"sonnet": 30})


def build_key_of(observation: Observation) -> Any:
    from bursar.history import key_of

    return key_of(observation, "tokens")


def test_interrupted_attempts_teach_nothing_and_stopped_ones_count_as_those_that_went_further() -> None:
    whole = [seen(number) for number in range(20)]
    cut = [replace(seen(20 + number), outcome="stopped", tokens=5_000) for number in range(20)]
    gone = [replace(seen(40 + number), outcome="interrupted", tokens=1) for number in range(10)]
    known = learn([*whole, *cut, *gone])
    assert known.observations == 40
    assert known.estimator.estimate(build_key_of(seen(50))).p10 > 30_000
    assert known.success.estimate(build_key_of(seen(50))).rate > 0.9


def test_the_statistics_are_those_of_the_design(tmp_path: Path) -> None:
    attempts = [
        replace(SEEN, tokens=100, wall_seconds=2.0),
        replace(SEEN, tokens=300, wall_seconds=4.0, outcome="failed"),
        replace(SEEN, tokens=9, outcome="interrupted"),
        replace(SEEN, tokens=5, complexity=7),
    ]
    path = write_statistics(tmp_path, build_statistics(attempts))
    assert path.name == ".token-stats.json"
    found = json.loads(path.read_text())
    assert found["unknown|-|sonnet"] == {
        "count": 2,
        "total_tokens": 400,
        "min_tokens": 100,
        "max_tokens": 300,
        "avg_duration": 3.0,
        "success_rate": 0.5,
    }
    assert list(found) == ["unknown|-|sonnet", "unknown|7|sonnet"]
    assert [each.name for each in tmp_path.iterdir()] == [".token-stats.json"]


def test_a_type_that_was_corrected_goes_for_routes_too() -> None:
    task = Task(number="1", name="Write the tests", files=("tests/test_a.py",), digest="d1")
    assert facts_of(task, "/p").kind == "test-write"
    assert facts_of(task, "/p", {"d1": "architecture"}).kind == "architecture"
