"""Whole runs through crashes, full disks, dead supervisors, turned clocks and agents of every kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bursar.testing.simulated_record import Record
from bursar.testing.simulation import crash_once, simulate
from tests.simulation.seeds import FIRST_SEED, check_seeds

SEEDS = 1_000
SWEPT = 3  # scenarios in which every single write is crashed at


def test_fifty_runs_lose_and_invent_nothing() -> None:
    print(f"seeds {FIRST_SEED} to {FIRST_SEED + 49}")
    assert check_seeds(range(FIRST_SEED, FIRST_SEED + 50)) > 100, "conductors did die on the way"


@pytest.mark.faults
@pytest.mark.timeout(2400)
def test_a_thousand_runs_lose_and_invent_nothing() -> None:
    print(f"seeds {FIRST_SEED} to {FIRST_SEED + SEEDS - 1}")
    lives = check_seeds(range(FIRST_SEED, FIRST_SEED + SEEDS))
    print(f"{SEEDS} runs, {lives} conductors")


def crashed_everywhere(seed: int) -> int:
    """A run without any other bad luck, crashed at each of its durable writes in turn; how many there are."""

    def crashed(at: int, is_before: bool) -> Callable[[int], Record]:
        return lambda seed: simulate(seed, luck=crash_once(at, is_before=is_before))

    writes = len(crashed(0, False)(seed).lives[0].writes)
    for at in range(1, writes + 1):
        check_seeds([seed], crashed(at, True))
        check_seeds([seed], crashed(at, False))
    return writes


def test_a_crash_at_any_write_of_a_run_is_made_good() -> None:
    assert crashed_everywhere(31) > 30


@pytest.mark.faults
@pytest.mark.timeout(2400)
def test_a_crash_at_any_write_of_several_runs_is_made_good() -> None:
    print([crashed_everywhere(seed) for seed in range(FIRST_SEED, FIRST_SEED + SWEPT)])


def test_a_seed_is_a_run() -> None:
    one, other = (simulate(FIRST_SEED + 7) for _ in range(2))
    assert [(life.ended, life.writes) for life in one.lives] == [(life.ended, life.writes) for life in other.lives]
    assert list(one.machine.truths.values()) == list(other.machine.truths.values())
