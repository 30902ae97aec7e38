"""Messages that wait: whole, private, bounded, and once."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bursar.budget import Level
from bursar.notify import Delivery, build_message
from bursar.notify.outbox import Outbox

MESSAGE = build_message(Level.WARNING, "eighty", "shop", {})
FAILED = Delivery(target="slack://…", delivered=False, tries=4, reason="no answer")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "outbox"


@pytest.fixture
def outbox(folder: Path) -> Outbox:
    return Outbox(str(folder))


def targets_of(outbox: Outbox) -> list[str]:
    return [parcel.target for name in outbox.waiting() if (parcel := outbox.read(name)) is not None]


def test_nothing_waits_where_nothing_was_posted(outbox: Outbox) -> None:
    assert outbox.waiting() == []
    assert outbox.take_failures() == []
    outbox.forget(days=1)


def test_a_parcel_for_each_target_in_order(outbox: Outbox) -> None:
    assert outbox.post(MESSAGE, ["a://1", "b://2", "env:C"]) == 0
    outbox.post(MESSAGE, ["d://4"])
    assert targets_of(outbox) == ["a://1", "b://2", "env:C", "d://4"]
    first = outbox.read(outbox.waiting()[0])
    assert first is not None
    assert first.message == MESSAGE


def test_only_the_owner_can_read_it(outbox: Outbox, folder: Path) -> None:
    outbox.post(MESSAGE, ["a://1"], once="x")
    outbox.add_failure(FAILED)
    lock = outbox.lock()
    assert lock is not None
    os.close(lock)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_the_newest_are_dropped_when_there_is_no_room(folder: Path) -> None:
    outbox = Outbox(str(folder), most_waiting=3)
    assert outbox.post(MESSAGE, ["a://1", "b://2"]) == 0
    assert outbox.post(MESSAGE, ["a://3", "b://4"]) == 1
    assert outbox.post(MESSAGE, ["a://5", "b://6"]) == 2
    assert targets_of(outbox) == ["a://1", "b://2", "a://3"]


def test_an_occasion_is_posted_once_per_target_whoever_posts_it(folder: Path) -> None:
    one, other = Outbox(str(folder)), Outbox(str(folder))
    one.post(MESSAGE, ["a://1"], once="eighty at noon")
    other.post(MESSAGE, ["a://1", "b://2"], once="eighty at noon")
    other.post(MESSAGE, ["a://1"], once="eighty at one")
    assert targets_of(one) == ["a://1", "b://2", "a://1"]
    for name in one.waiting():
        one.remove(name)
    one.post(MESSAGE, ["a://1"], once="eighty at noon")
    assert one.waiting() == []


def test_without_an_occasion_everything_is_posted(outbox: Outbox) -> None:
    outbox.post(MESSAGE, ["a://1"])
    outbox.post(MESSAGE, ["a://1"])
    assert len(outbox.waiting()) == 2


def test_old_occasions_are_forgotten(outbox: Outbox, folder: Path) -> None:
    outbox.post(MESSAGE, ["a://1"], once="x")
    outbox.forget(days=1)
    outbox.post(MESSAGE, ["a://1"], once="x")
    assert len(outbox.waiting()) == 1
    for mark in (folder / "posted").iterdir():
        os.utime(mark, (0, 0))
    outbox.forget(days=1)
    outbox.post(MESSAGE, ["a://1"], once="x")
    assert len(outbox.waiting()) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"target": 3}', b"\xff\xfe"])
def test_what_cannot_be_read_is_gone(outbox: Outbox, folder: Path, content: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / "1.json").write_bytes(content)
    assert outbox.read("1.json") is None
    assert outbox.waiting() == []


def test_one_at_a_time_delivers(outbox: Outbox) -> None:
    outbox.post(MESSAGE, ["a://1"])
    lock = outbox.lock()
    assert lock is not None
    assert outbox.lock() is None
    os.close(lock)
    again = outbox.lock()
    assert again is not None
    os.close(again)


def test_failures_are_handed_out_once(outbox: Outbox, folder: Path) -> None:
    outbox.post(MESSAGE, ["a://1"])
    outbox.add_failure(FAILED)
    outbox.add_failure(FAILED)
    with (folder / "undelivered.jsonl").open("ab") as file:
        file.write(b'{"target": "half a li')
    assert outbox.take_failures() == [FAILED, FAILED]
    assert outbox.take_failures() == []


def test_a_folder_that_cannot_be_made_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(OSError):
        Outbox(str(tmp_path / "state" / "outbox")).post(MESSAGE, ["a://1"])
