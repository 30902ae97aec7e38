"""The disk whose power can be cut: what was synced survives, and what was not survives in every way there is."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from bursar.testing.power_cut import Disk, PowerCut

FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_WAL
OLD, NEW = b"o" * 1500, b"n" * 1500

Lives = Callable[[Disk, apsw.VFSFile], None]


def opened(disk: Disk, path: Path) -> apsw.VFSFile:
    file: apsw.VFSFile = disk._vfs.xOpen(str(path), [FLAGS, 0])
    return file


def left_over(folder: Path, live: Lives, *, is_lying: bool = False, is_named: bool = True) -> set[bytes | None]:
    """What is found of a file of three sectors after each of many power cuts; None where it is not there."""
    found: set[bytes | None] = set()
    for seed in range(150):
        home, left = folder / f"{seed}", folder / f"{seed}-left"
        home.mkdir(parents=True)
        (home / "db").touch()  # a write-ahead log takes its mode from it
        if is_named:
            (home / "db-wal").write_bytes(OLD)
        with Disk(str(home), random.Random(seed), is_lying=is_lying) as disk:
            file = opened(disk, home / "db-wal")
            live(disk, file)
            file.xClose()
            disk.leave(str(left))
        found.add((left / "db-wal").read_bytes() if (left / "db-wal").exists() else None)
    return found


def test_what_was_synced_is_there(tmp_path: Path) -> None:
    def live(_: Disk, file: apsw.VFSFile) -> None:
        file.xWrite(NEW, 0)
        file.xSync(apsw.SQLITE_SYNC_NORMAL)

    assert left_over(tmp_path / "sound", live) == {NEW}
    assert left_over(tmp_path / "new", live, is_named=False) == {NEW}
    assert left_over(tmp_path / "lying", live, is_lying=True) > {OLD, NEW}


def test_what_was_not_synced_is_old_or_new_or_torn_in_any_order(tmp_path: Path) -> None:
    found = left_over(tmp_path, lambda _, file: file.xWrite(NEW, 0))
    whole = {tuple(each[spot : spot + 512] for spot in (0, 512, 1024)) for each in found if each is not None}
    assert {OLD, NEW} < found
    assert {(NEW[:512], OLD[:512], NEW[:476]), (OLD[:512], NEW[:512], OLD[:476])} < whole
    assert any(b"no" in sector or b"on" in sector for sectors in whole for sector in sectors)
    assert {len(each or b"") for each in found} == {1500}


def test_a_size_and_a_name_that_were_not_synced_may_be_lost(tmp_path: Path) -> None:
    grown = left_over(tmp_path / "grown", lambda _, file: file.xWrite(NEW, 1500))
    assert {OLD, OLD + NEW, OLD + bytes(1500)} < grown
    shrunk = left_over(tmp_path / "shrunk", lambda _, file: file.xTruncate(7))
    assert shrunk == {OLD, OLD[:7]}
    assert {None, b"", NEW} < left_over(tmp_path / "named", lambda _, file: file.xWrite(NEW, 0), is_named=False)

    def remove(disk: Disk, file: apsw.VFSFile) -> None:
        path = next(iter(disk._contents))
        disk._vfs.xDelete(path, False)

    assert left_over(tmp_path / "removed", remove) == {OLD, None}


def test_after_the_cut_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "db").touch()
    with Disk(str(tmp_path), random.Random(1)) as disk:
        file = opened(disk, tmp_path / "db-wal")
        file.xWrite(OLD, 0)
        disk.cut_at(1)
        for _ in range(2):
            with pytest.raises(PowerCut):
                file.xWrite(NEW, 0)
        with pytest.raises(PowerCut):
            file.xSync(apsw.SQLITE_SYNC_NORMAL)
        with pytest.raises(OSError, match="no power"), (tmp_path / "db-wal").open("rb") as plain:
            os.fsync(plain.fileno())
        assert disk.is_off
        file.xClose()
    assert (tmp_path / "db-wal").read_bytes() == OLD


def test_outside_of_it_everything_is_as_before(tmp_path: Path) -> None:
    before, names = os.fsync, apsw.vfs_names()
    with Disk(str(tmp_path / "disk"), random.Random(1)) as disk:
        assert apsw.vfs_names()[1:] == names
        elsewhere = apsw.Connection(str(tmp_path / "elsewhere.db"))
        elsewhere.execute("CREATE TABLE t (x)")
        elsewhere.close()
        assert disk.steps == 0
    assert (os.fsync, apsw.vfs_names()) == (before, names)
