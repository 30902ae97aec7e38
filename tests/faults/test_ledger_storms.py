"""64 processes on budgets of a few calls: never past a limit, nothing refused that fits, and nothing left over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.ledger_storms import Truth, storm

SEED = int(os.environ.get("BURSAR_SEED", "20260301"))
PROCESSES = 64


def check(truth: Truth) -> None:
    print(f"{truth.grants} grants, {truth.denials} denials")
    assert truth.overshoots == 0
    assert truth.false_refusals == 0
    assert truth.denials >= PROCESSES * len(truth.limits)
    assert min(truth.taken[name] / limit for name, limit in truth.limits.items()) >= 0.9


def test_a_small_storm(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    check(storm(tmp_path / "state" / "ledger.db", SEED, processes=PROCESSES, calls=(1, 3, 20)))


@pytest.mark.faults
@pytest.mark.parametrize("number", range(4))
def test_storms_on_budgets_of_one_to_twenty_calls(tmp_path: Path, number: int) -> None:
    print(f"seed {SEED + number}")
    check(storm(tmp_path / "state" / "ledger.db", SEED + number, processes=PROCESSES, calls=range(1, 21)))
