"""kill −9 of the conductor at random moments of real runs of fifty tasks: a resume finishes each as if nothing was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.conductor_kills import kill_conductors

SEED = int(os.environ.get("BURSAR_SEED", "20260301"))
KILLS = int(os.environ.get("BURSAR_CONDUCTOR_KILLS", "50"))


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_fifty_kills_of_the_conductor_lose_and_repeat_nothing(tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    killed = kill_conductors(tmp_path, KILLS, SEED)
    print(f"{killed.conductors} conductors were killed while {killed.agents} agents were at work")
    assert killed.conductors == KILLS
    assert killed.agents > KILLS // 5
