"""kill −9 of conductor, spawner, supervisors, running gits or all of them, at random moments of whole roadmaps."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.roadmap_kills import kill_until

SEED = int(os.environ.get("BURSAR_SEED", "20260307"))
KILLS = int(os.environ.get("BURSAR_RUN_KILLS", "30"))


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_kills_lose_and_invent_nothing(tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    print(dict(kill_until(tmp_path, KILLS, SEED)))
