"""Many simulated runs, and what to type to see the first bad one again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from bursar.testing.simulated_audit import audit
from bursar.testing.simulated_record import Record
from bursar.testing.simulation import simulate

FIRST_SEED = int(os.environ.get("BURSAR_SEED", "20260301"))


def check_seeds(seeds: Iterable[int], run: Callable[[int], Record] = simulate) -> int:
    """Every one of these runs is as it must be; how many conductors they took.

    Raises:
        AssertionError: one is not; it says which, what is wrong, and how to repeat it.
    """
    lives = 0
    for seed in seeds:
        record = run(seed)
        wrong = audit(record)
        assert not wrong, "\n  ".join([f"python -m bursar.testing.simulation {seed}", *wrong])
        lives += len(record.lives)
    return lives


def findings(run: Callable[[int], Record], seeds: Iterable[int]) -> Iterator[str]:
    """What the auditor says, without names and numbers, of runs in which something is wrong on purpose."""
    for seed in seeds:
        for wrong in audit(run(seed)):
            yield "".join(filter(str.isalpha, wrong))
