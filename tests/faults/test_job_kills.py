"""kill −9 of conductor, spawner, supervisors or all of them, at random moments of job lists."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.job_kills import kill_until

SEED = int(os.environ.get("BURSAR_SEED", "20260301"))
KILLS = int(os.environ.get("BURSAR_RUN_KILLS", "60"))


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_sixty_kills_lose_and_invent_nothing(tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    killed = kill_until(tmp_path, KILLS, SEED)
    print(dict(killed))
    assert {"conductor", "spawner", "supervisor", "all"} <= set(killed) or KILLS < 20
