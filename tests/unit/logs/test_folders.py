"""Folders that have not changed are not listed again, and nothing that comes to them is missed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bursar.logs import open_index
from tests.unit.logs.transcripts import Transcripts, encode, line

LONG_AGO = 1_790_000_000


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Transcripts]:
    index = open_index(tmp_path / "state" / "usage.db")
    yield Transcripts(tmp_path, index)
    index.close()


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    folders: list[str] = []
    scandir = os.scandir

    def listing(folder: str) -> Any:
        folders.append(os.path.basename(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", listing)
    return folders


def settle(logs: Transcripts, at: int = LONG_AGO) -> None:
    """No folder has changed since then."""
    for folder, _, _ in os.walk(logs.root, topdown=False):
        os.utime(folder, (at, at))


def test_only_folders_that_have_changed_are_listed(logs: Transcripts, listed: list[str]) -> None:
    first = logs.write(encode(line("a")))
    logs.write(encode(line("b")), "-w-shop/s1/subagents/agent-1.jsonl")
    logs.write(encode(line("c")), "-w-other/s2.jsonl")
    settle(logs)
    listed.clear()
    logs.read()
    assert sorted(listed) == ["-w-other", "-w-shop", "projects", "s1", "subagents"]
    listed.clear()
    with first.open("ab") as opened:
        opened.write(encode(line("d")))
    logs.read()
    assert (listed, logs.totals()[0]) == ([], 4)
    logs.write(encode(line("e")), "-w-other/s3.jsonl")
    logs.write(encode(line("f")), "-w-shop/s1/subagents/deep/agent-2.jsonl")
    logs.read()
    assert (sorted(listed), logs.totals()[0]) == (["-w-other", "deep", "subagents"], 6)
    assert logs.last.files == 5


def test_a_folder_that_has_just_changed_is_listed_again(logs: Transcripts, listed: list[str]) -> None:
    """Its time of change need not be another after the next change."""
    now = int(logs.write(encode(line("a"))).stat().st_mtime)
    settle(logs, now)
    logs.read()
    logs.write(encode(line("b")), "-w-shop/s2.jsonl")
    settle(logs, now)
    logs.read()
    assert logs.totals()[0] == 2


@pytest.mark.parametrize("end", ["nothing", "folder"])
def test_a_link_may_come_to_have_an_end(logs: Transcripts, tmp_path: Path, end: str) -> None:
    """The folder that the link is in does not change by it."""
    target = tmp_path / "target"
    if end == "folder":
        target.mkdir()
    (logs.write(encode(line("a"))).parent / "s2.jsonl").symlink_to(target)
    settle(logs)
    logs.read()
    if end == "folder":
        target.rmdir()
    target.write_bytes(encode(line("b")))
    logs.read()
    assert logs.totals()[0] == 2


def test_what_cannot_be_read_is_named_each_time(logs: Transcripts) -> None:
    good = logs.write(encode(line("a")))
    (good.parent / os.fsdecode(b"\xff.jsonl")).write_bytes(encode(line("b")))
    settle(logs)
    for _ in range(3):
        assert list(logs.read().values()) == ["its name is not UTF-8"]


def test_folders_and_logs_that_have_gone_are_no_trouble(logs: Transcripts, listed: list[str]) -> None:
    gone = logs.write(encode(line("a")))
    other = logs.write(encode(line("b")), "-w-other/s1.jsonl")
    settle(logs)
    logs.read()
    gone.unlink()
    gone.parent.rmdir()
    logs.write(encode(line("c")), "-w-third/s1.jsonl")
    assert (logs.read(), logs.totals()[0]) == ({}, 3)
    other.unlink()
    settle(logs)  # as if nothing had changed
    listed.clear()
    assert (logs.read(), logs.totals()[0], logs.last.files) == ({}, 3, 1)
    assert "-w-other" in listed


def test_each_agent_has_its_own_folders(tmp_path: Path) -> None:
    """Gemini CLI's logs end otherwise than Claude Code's, and might lie in the same folder."""
    from bursar.logs import update_index
    from tests.unit.logs.transcripts import FlatPrices

    folder = tmp_path / "both" / "projects"
    chats = folder / "shop" / "chats"
    chats.mkdir(parents=True)
    (chats / "session-1.jsonl").write_bytes(encode(line("a")))
    environment = {"HOME": str(tmp_path), "CLAUDE_CONFIG_DIR": str(tmp_path / "both")}
    index = open_index(tmp_path / "state" / "usage.db")
    for place in (chats, chats.parent, folder):
        os.utime(place, (LONG_AGO, LONG_AGO))
    update_index(index, environment, prices=FlatPrices())
    assert index.folders().keys() == {"claude"}
    assert index.folders()["claude"][str(chats)] == LONG_AGO * 10**9
    index.close()
