"""A short loop of kill −9 during whole runs; the long one is in tests/faults."""

from __future__ import annotations

import os
from pathlib import Path

from tests.faults.run_kills import kill_until

SEED = int(os.environ.get("BURSAR_SEED", "20260301"))


def test_three_kills_lose_and_invent_nothing(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    kill_until(tmp_path, 3, SEED)
