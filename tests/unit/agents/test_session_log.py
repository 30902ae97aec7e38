"""A log that grows: found when it is there, read to its end, whatever happens to its file meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bursar.agents.log_follower import LogFollower
from bursar.agents.session_log import SessionLog
from bursar.events import AgentEvent, CallReported, LineRejected
from bursar.usage import Usage


def read_line(line: bytes) -> Iterator[AgentEvent]:
    """`ID TOKENS` is a call; anything else raises."""
    call_id, tokens = line.decode().split()
    yield CallReported(call_id=call_id, model=None, usage=Usage(output_tokens=int(tokens)), is_final=True)


def calls_of(events: tuple[AgentEvent, ...]) -> list[str]:
    return [event.call_id for event in events if isinstance(event, CallReported)]


def test_lines_come_when_they_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a 1\nb ")
    log = SessionLog(lambda: path, read_line)
    assert calls_of(log.poll()) == ["a"]
    assert log.poll() == ()
    with path.open("ab") as file:
        file.write(b"2\nc 3")
    assert calls_of(log.poll()) == ["b"]
    assert calls_of(log.close()) == ["c"]
    assert (log.close(), log.total) == ((), Usage(output_tokens=6))


def test_a_call_told_twice_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a 1\na 5\na 5\n")
    log = SessionLog(lambda: path, read_line)
    assert calls_of(log.poll()) == ["a", "a", "a"]
    assert log.total == Usage(output_tokens=5)


def test_what_cannot_be_read_is_rejected_and_the_rest_counts(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x\n\xff\n" + b"y" * (17 << 20) + b"\na 1\n")
    events = SessionLog(lambda: path, read_line).poll()
    assert [type(event) for event in events] == [LineRejected, LineRejected, LineRejected, CallReported]


def test_a_file_that_is_moved_or_deleted_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a 1\n")
    log = SessionLog(lambda: path, read_line)
    assert calls_of(log.poll()) == ["a"]
    with path.open("ab") as file:
        path.unlink()
        file.write(b"b 2\n")
    assert calls_of(log.poll()) == ["b"]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """The session's folder may be writable for the agent's tools: what they link to is none of our business."""
    (tmp_path / "other").write_bytes(b"a 1\n")
    (tmp_path / "log").symlink_to(tmp_path / "other")
    log = SessionLog(lambda: tmp_path / "log", read_line)
    assert (log.poll(), log.is_found) == ((), False)


def test_a_log_that_is_not_there_is_not_looked_for_at_every_line(tmp_path: Path) -> None:
    """Else a loud agent without a log would keep its supervisor busy; once it is there, it is found."""
    looked: list[int] = []
    path = tmp_path / "log"

    def find() -> Path | None:
        looked.append(1)
        return path if path.exists() else None

    log = SessionLog(find, read_line)
    for _ in range(10_000):
        assert log.poll() == ()
    assert 1 < len(looked) < 600
    path.write_bytes(b"a 1\n")
    assert calls_of(tuple(event for _ in range(21) for event in log.poll())) == ["a"]


def test_at_the_end_it_is_looked_for_once_more(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = SessionLog(lambda: path if path.exists() else None, read_line)
    for _ in range(100):
        log.poll()
    path.write_bytes(b"a 1\n")
    assert calls_of(log.close()) == ["a"]


def test_a_follower_that_was_closed_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"a\n")
    follower = LogFollower(tmp_path / "log")
    assert follower.close() == [b"a"]
    assert (follower.poll(), follower.close()) == ([], [])


def test_a_pipe_in_the_place_of_a_log_holds_nobody_up(tmp_path: Path) -> None:
    """The agent can make one in its home: its supervisor would wait there, and no limit would be kept."""
    os.mkfifo(tmp_path / "log.jsonl")
    with pytest.raises(OSError, match="it is no plain file"):
        LogFollower(tmp_path / "log.jsonl")
