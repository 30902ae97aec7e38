"""kill −9 at any point, thousands of times: no acknowledged hold is lost, doubled or half done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.ledger_kills import kill_many

SEED = int(os.environ.get("BURSAR_SEED", "20260301"))
KILLS = int(os.environ.get("BURSAR_KILLS", "4000"))


@pytest.mark.faults
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("at_once", [1, 4])
def test_thousands_of_kills_lose_nothing(tmp_path: Path, at_once: int) -> None:
    print(f"seed {SEED}, {KILLS // 2} kills, {at_once} writers at once")
    tally = kill_many(tmp_path / "ledger" / "ledger.db", KILLS // 2, SEED + at_once, at_once=at_once)
    print(tally)
    assert tally.written  # or the kills never met a write
    assert tally.unwritten
