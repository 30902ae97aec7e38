"""What an agent may take of the machine: counted, added up, cut."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bursar.processes import descendants
from bursar.supervision.limits import AttemptLimits, CappedLog, LimitWatch, cut_file


def wait_for_sum(watch: LimitWatch, now: float = 0.0) -> str:
    """What the first whole look says."""
    for second in range(10_000):
        if (said := watch.excess_of_disk(now + second)) or (watch.seconds_left(now + second) or 0) > 1:
            return said
        os.sched_yield()
    raise AssertionError("it never finished")


def test_processes_below_are_counted_every_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below one of its own: others that run in this process may have left some below it."""
    watch = LimitWatch(AttemptLimits(processes=3), [])
    start = "p = [subprocess.Popen(['sleep', '60']) for _ in range(4)]"
    program = f"import subprocess, sys; {start}; print(flush=True); sys.stdin.read(); [q.kill() for q in p]"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        monkeypatch.setattr("bursar.supervision.limits.descendants", lambda _: descendants(parent.pid))
        assert watch.excess_of_processes(10.0) == "4 processes at once, where 3 are allowed"
        assert watch.excess_of_processes(11.9) == "", "it is not time yet"
        assert watch.seconds_left(11.5) == 0.5
        assert watch.excess_of_processes(12.0)
        parent.communicate()
    assert watch.excess_of_processes(20.0) == ""


def test_what_lies_in_its_folders_is_added_up(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file").write_bytes(b"x" * 300_000)
    (tmp_path / "link").symlink_to("/")
    assert "bytes on disk, where 200,000 are allowed" in wait_for_sum(
        LimitWatch(AttemptLimits(disk_bytes=200_000), [tmp_path])
    )
    assert wait_for_sum(LimitWatch(AttemptLimits(disk_bytes=2_000_000), [tmp_path, tmp_path / "gone"])) == ""


def test_without_limits_nobody_looks() -> None:
    watch = LimitWatch(AttemptLimits(), [])
    assert (watch.excess_of_processes(0), watch.excess_of_disk(0), watch.seconds_left(0)) == ("", "", None)


def test_a_full_log_takes_no_more_and_says_so(tmp_path: Path) -> None:
    log = CappedLog(tmp_path / "log", 10)
    for line in (b"12345\n", b"1234567\n", b"1\n"):
        log.write(line)
    log.close()
    assert log.left_out == 10
    assert (tmp_path / "log").read_text() == '12345\n\n{"type": "bursar_cut", "left_out_bytes": 10}\n'


def test_a_log_without_a_limit_takes_all(tmp_path: Path) -> None:
    log = CappedLog(tmp_path / "log", 0)
    log.write(b"x" * 100_000)
    log.close()
    assert (tmp_path / "log").stat().st_size == 100_000


def test_a_file_that_others_append_to_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "stderr.log"
    with path.open("ab", buffering=0) as other:
        other.write(b"x" * 500)
        assert cut_file(path, 100) == 400
        other.write(b"y")
    assert path.read_bytes() == b"x" * 100 + b"y", "nothing in between"
    assert cut_file(path, 0) == cut_file(tmp_path / "none", 5) == 0
