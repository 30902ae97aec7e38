"""A short loop of kill −9; the long one is in tests/faults."""

from __future__ import annotations

import os
from pathlib import Path

from tests.faults.ledger_kills import kill_many

SEED = int(os.environ.get("BURSAR_SEED", "20260301"))


def test_forty_kills_lose_nothing(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    kill_many(tmp_path / "ledger" / "ledger.db", 40, SEED, look_every=10)
