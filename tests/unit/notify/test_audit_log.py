"""The audit log: every event one line, whoever writes; and no trouble for whoever does."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bursar.budget import Alert, Amount, Level
from bursar.clock import SystemClock
from bursar.notify import AuditLog
from bursar.usage import Usage

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LABELS = {"run": "r", "task": "1"}
ALERT = Alert(budget="b", period_id="2026-03", percent=80, level=Level.WARNING, at=NOON, message="eighty")


class NoonClock(SystemClock):
    """It is always noon."""

    def now(self) -> datetime:
        return NOON


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "audit.jsonl"


@pytest.fixture
def log(path: Path) -> AuditLog:
    return AuditLog(str(path), NoonClock())


def test_an_alert(log: AuditLog, path: Path) -> None:
    log.alert(ALERT, LABELS)
    log.alert(ALERT)
    first, second = read(path)
    assert first == {
        "at": "2026-03-01T12:00:00.000+00:00",
        "event": "alert",
        "pid": os.getpid(),
        "budget": "b",
        "period": "2026-03",
        "threshold_percent": 80,
        "level": "warning",
        "message": "eighty",
        "labels": LABELS,
    }
    assert second == first | {"labels": {}}


def test_usage_and_the_end_of_a_hold(log: AuditLog, path: Path) -> None:
    log.usage("r/1/1", LABELS, "msg_1", "haiku", Usage(input_tokens=7, cache_read_tokens=5, output_tokens=3), 42)
    log.usage("r/1/1", LABELS, "msg_2", "mystery", Usage(output_tokens=1), None)
    log.settled("r/1/1", LABELS, "overrun", Amount(20, None), Amount(4, 0))
    first, second, end = read(path)
    assert (first["tokens"], first["usage"]["cache_read_tokens"], first["nano_usd"]) == (15, 5, 42)
    assert (second["call"], second["model"], second["nano_usd"]) == ("msg_2", "mystery", None)
    assert (end["event"], end["state"]) == ("settled", "overrun")
    assert (end["charged"]["tokens"], end["charged"]["nano_usd"]) == (20, None)
    assert (end["unknown"]["tokens"], end["unknown"]["nano_usd"]) == (4, 0)
    assert log.lost == 0


def test_only_the_owner_can_read_it(log: AuditLog, path: Path) -> None:
    log.write("x", {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_others_may_read_is_closed_to_them(log: AuditLog, path: Path) -> None:
    path.parent.mkdir()
    path.write_text("")
    path.chmod(0o644)
    log.write("x", {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_path_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log = AuditLog("", NoonClock())
    log.alert(ALERT)
    assert (log.lost, list(tmp_path.iterdir())) == (0, [])


def test_a_line_stays_one_line(log: AuditLog, path: Path) -> None:
    log.write("x", {"text": "a\nb\r\u2028\x00"})
    assert path.read_bytes().count(b"\n") == 1
    assert json.loads(path.read_bytes())["text"] == "a\nb\r\u2028\x00"


def test_full_files_move_on_and_the_oldest_goes(path: Path) -> None:
    log = AuditLog(str(path), NoonClock(), most_bytes=200, kept_files=3)
    for number in range(40):
        log.write("x", {"number": number})
    files = [path, Path(f"{path}.1"), Path(f"{path}.2")]
    numbers = [event["number"] for file in reversed(files) for event in read(file)]
    assert numbers == list(range(numbers[0], 40))
    assert numbers[0] > 0
    assert not Path(f"{path}.3").exists()
    assert all(file.stat().st_size < 400 for file in files)
    assert log.lost == 0


def test_one_file_is_kept_where_one_is_wanted(path: Path) -> None:
    log = AuditLog(str(path), NoonClock(), most_bytes=200, kept_files=1)
    for number in range(10):
        log.write("x", {"number": number})
    assert {each.name for each in path.parent.iterdir()} == {"audit.jsonl", "audit.jsonl.lock"}
    assert read(path)[-1]["number"] == 9


def test_a_file_moved_away_by_somebody_else_is_let_go(log: AuditLog, path: Path) -> None:
    log.write("x", {"number": 1})
    path.rename(path.with_name("mine"))
    log.write("x", {"number": 2})
    assert [event["number"] for event in read(path)] == [2]
    path.unlink()
    log.write("x", {"number": 3})
    assert [event["number"] for event in read(path)] == [3]


def test_many_processes_lose_and_mix_nothing(path: Path) -> None:
    """Eight processes write 200 events each, with a rotation about every thirty."""
    children = [_fork_writer(path, writer, events=200) for writer in range(8)]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 8
    seen = [(event["writer"], event["number"]) for file in path.parent.glob("audit.jsonl*") for event in _events(file)]
    assert sorted(seen) == [(writer, number) for writer in range(8) for number in range(200)]


def _events(file: Path) -> list[dict[str, Any]]:
    return [] if file.suffix == ".lock" else read(file)


def _fork_writer(path: Path, writer: int, *, events: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    log = AuditLog(str(path), SystemClock(), most_bytes=4000, kept_files=1000)
    for number in range(events):
        log.write("x", {"writer": writer, "number": number})
    os._exit(min(log.lost, 1))


def _under_a_file(path: Path) -> None:
    path.parent.write_text("a file")


def _is_a_folder(path: Path) -> None:
    path.mkdir(parents=True)


def _is_a_symlink(path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(path.with_name("elsewhere"))


def _is_a_pipe(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)


@pytest.mark.parametrize("spoil", [_under_a_file, _is_a_folder, _is_a_symlink, _is_a_pipe])
def test_a_log_that_cannot_be_written_is_nobodys_trouble(log: AuditLog, path: Path, spoil: Any) -> None:
    spoil(path)
    log.alert(ALERT)
    log.write("x", {})
    assert log.lost == 2
    assert log.problem
    assert not path.with_name("elsewhere").exists()


@pytest.mark.parametrize("value", ["\ud800", object(), float])
def test_facts_that_cannot_be_written_down_are_counted(log: AuditLog, path: Path, value: object) -> None:
    log.write("x", {"value": value})
    log.write("x", {"value": "good"})
    assert [event["value"] for event in read(path)] == ["good"]
    assert log.lost == 1


def test_a_full_disk_leaves_no_stump_that_swallows_the_next_line(
    log: AuditLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_write, is_full = os.write, [True]

    def write(descriptor: int, data: bytes) -> int:
        if is_full and len(data) > 1:
            is_full.clear()
            return real_write(descriptor, data[: len(data) // 2])
        return real_write(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    log.write("x", {"number": 1})
    log.write("x", {"number": 2})
    stump, whole = path.read_text().splitlines()
    assert json.loads(whole)["number"] == 2
    with pytest.raises(ValueError):
        json.loads(stump)
    assert (log.lost, log.problem) == (1, os.strerror(28))
