"""Whole runs through crashes, full disks, dead supervisors, turned clocks and agents of every kind."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from bursar.testing.simulated_record import Record
from bursar.testing.simulated_scenario import Luck, draw_luck
from bursar.testing.simulation import MOST_LIVES, crash_once, simulate
from tests.simulation.seeds import FIRST_SEED, check_seeds, findings

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


def with_lost_locks(more: Callable[[int, int], Luck]) -> Callable[[int], Record]:
    """Of most conductors the lock is lost, sooner or later; `more` is what befalls them besides."""

    def draw(seed: int, life: int) -> Luck:
        dice = random.Random(f"{seed}/locks/{life}")
        after = dice.choice((0.0, 0.05, 1.0, 5.0, 20.0, 100.0, 400.0)) * dice.random()
        return replace(more(seed, life), lock_lost_after=after if life < MOST_LIVES // 2 else None)

    return lambda seed: simulate(seed, luck=draw)


def count_seconds(seeds: Iterable[int], run: Callable[[int], Record]) -> int:
    """Those runs are as they must be; how many conductors began beside another one."""
    records: list[Record] = []

    def kept(seed: int) -> Record:
        records.append(run(seed))
        return records[-1]

    check_seeds(seeds, kept)
    return sum(life.is_second for record in records for life in record.lives)


def test_two_conductors_of_one_run_lose_and_invent_nothing() -> None:
    print(f"seeds {FIRST_SEED} to {FIRST_SEED + 19}")
    assert count_seconds(range(FIRST_SEED, FIRST_SEED + 20), with_lost_locks(lambda seed, life: Luck())) > 20


def test_two_conductors_without_a_fence_do_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is the fence that holds, and the auditor that looks."""
    monkeypatch.setattr("bursar.journal.fence.Fence.check", lambda fence, rows: None)
    assert any(findings(with_lost_locks(lambda seed, life: Luck()), range(FIRST_SEED, FIRST_SEED + 10)))


@pytest.mark.faults
@pytest.mark.timeout(2400)
def test_a_thousand_runs_of_two_conductors_lose_and_invent_nothing() -> None:
    print(f"seeds {FIRST_SEED} to {FIRST_SEED + SEEDS - 1}")
    print(count_seconds(range(FIRST_SEED, FIRST_SEED + SEEDS // 2), with_lost_locks(lambda seed, life: Luck())))
    print(count_seconds(range(FIRST_SEED + SEEDS // 2, FIRST_SEED + SEEDS), with_lost_locks(draw_luck)))


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
