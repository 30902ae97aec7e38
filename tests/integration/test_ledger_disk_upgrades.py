"""A ledger of an earlier release whose upgrade is cut short, by a power cut or a bad disk, at every single step."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from bursar.errors import StoreError
from bursar.testing.power_cut import Disk
from tests.integration.test_ledger_disk_faults import Shown, open_at, show
from tests.integration.test_ledger_releases import FIXTURE

SEED = int(os.environ.get("BURSAR_SEED", "20260301"))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    made = tmp_path / "old" / "state" / "ledger.db"
    made.parent.mkdir(mode=0o700, parents=True)
    connection = apsw.Connection(str(made))
    connection.execute(FIXTURE.read_text(encoding="utf-8"))
    connection.close()
    made.chmod(0o600)
    return made.parent.parent


def shown_at(home: Path) -> Shown:
    ledger = open_at(home)
    assert list(ledger.verify()) == []
    shown = show(ledger)
    ledger.close()
    return shown


def spoil_each_step(old: Path, spoil: Callable[[Disk, int], None]) -> list[tuple[Shown, Shown]]:
    """What the ledger shows after each upgrade that was spoilt: where it was, and on what a power cut left of it."""
    print(f"seed {SEED}")
    found, is_spoilt, step = [], True, 0
    while is_spoilt:
        step += 1
        home, left = old.parent / str(step), old.parent / f"left-{step}"
        shutil.copytree(old, home)
        with Disk(str(home), random.Random(SEED + step)) as disk:
            spoil(disk, step)
            try:
                open_at(home).close()
                is_spoilt = disk.steps >= step
            except StoreError:
                is_spoilt = True
            disk.leave(str(left))
        found.append((shown_at(home), shown_at(left)))
        shutil.rmtree(home)
        shutil.rmtree(left)
    return found


@pytest.mark.parametrize("how", ["power cut", "full", "broken"])
def test_an_upgrade_that_was_cut_short_is_made_up_for(old: Path, how: str) -> None:
    def spoil(disk: Disk, step: int) -> None:
        if how == "power cut":
            disk.cut_at(step)
        else:
            disk.fail_at(step, apsw.FullError if how == "full" else apsw.IOError)

    sound = old.parent / "sound"
    shutil.copytree(old, sound)
    expected = shown_at(sound)
    found = spoil_each_step(old, spoil)
    print(f"{len(found)} steps")
    assert len(found) > 10
    assert all(shown == (expected, expected) for shown in found)
