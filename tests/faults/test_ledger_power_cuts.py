"""The power goes: what was acknowledged is there, what was in flight is there wholly or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.ledger_power_cuts import cut_many

SEED = int(os.environ.get("BURSAR_SEED", "20260301"))
CUTS = int(os.environ.get("BURSAR_CUTS", "6000"))


def test_hundreds_of_power_cuts_lose_nothing(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    tally = cut_many(tmp_path, 240, SEED)
    print(tally)
    assert tally.written  # or the cuts never met a write
    assert tally.unwritten


@pytest.mark.faults
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(2))
def test_thousands_of_power_cuts_lose_nothing(tmp_path: Path, part: int) -> None:
    print(f"seed {SEED + 1 + part}, {CUTS // 2} cuts")
    tally = cut_many(tmp_path, CUTS // 2, SEED + 1 + part)
    print(tally)
    assert tally.written
    assert tally.unwritten


def test_a_ledger_that_does_not_sync_each_commit_is_caught(tmp_path: Path) -> None:
    """The control: if the cuts found nothing here, finding nothing above would mean nothing."""
    print(f"seed {SEED}")
    tally = cut_many(tmp_path, 240, SEED, synchronous="NORMAL", stop_at_loss=True)
    print(tally)
    assert "was acknowledged" in tally.loss


def test_a_disk_that_only_says_it_has_synced_is_caught(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    tally = cut_many(tmp_path, 240, SEED, is_lying=True, stop_at_loss=True)
    print(tally)
    assert tally.loss
