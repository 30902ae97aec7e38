"""The auditor notices when something is wrong: conductors that are spoilt on purpose, each in one way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bursar.run import Conductor, Standing, Status
from bursar.testing.simulated_machine import Machine
from bursar.testing.simulation import Variant, simulate
from tests.simulation.seeds import findings

Spoil = Callable[[Conductor, Machine], None]


def forget_merges(conductor: Conductor, machine: Machine) -> None:
    """A merge that was cut off is taken for one that never was."""
    conductor._place.finish_merge = lambda attempt: False  # type: ignore[method-assign]


def forget_holds(conductor: Conductor, machine: Machine) -> None:
    """What a dead supervisor held is never ended."""
    conductor._attempts.settling.settle = lambda row, outcome: None  # type: ignore[method-assign]


def ignore_conflicts(conductor: Conductor, machine: Machine) -> None:
    """Every task has its turn at once."""
    scheduler = conductor._dispatch._scheduler
    scheduler._turns.has = lambda key: True  # type: ignore[method-assign]
    scheduler._offer(scheduler._standing)


def ignore_dependencies(conductor: Conductor, machine: Machine) -> None:
    """No task waits for another."""
    scheduler = conductor._dispatch._scheduler
    scheduler._waits_for = {key: set() for key in scheduler._waits_for}
    scheduler._offer(scheduler._standing)


def leave_agents_alone(conductor: Conductor, machine: Machine) -> None:
    """An attempt that runs is taken for one that has ended."""
    status = conductor._executor.status

    def look(attempt: object) -> Status:
        said = status(attempt)  # type: ignore[arg-type]
        return Status(Standing.ENDED) if said.standing is Standing.RUNNING else said

    conductor._executor.status = look  # type: ignore[method-assign]


SPOILT: dict[str, tuple[Spoil, str]] = {
    "merges": (forget_merges, "wasmergedtimes"),
    "holds": (forget_holds, "wasforgotten"),
    "conflicts": (ignore_conflicts, "wereatworkatonce"),
    "dependencies": (ignore_dependencies, "withouttheworkoftask"),
    "agents": (leave_agents_alone, "agentsareatwork"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_spoilt_is_noticed(name: str) -> None:
    spoil, words = SPOILT[name]
    assert any(words in each for each in findings(lambda seed: simulate(seed, variant=Variant(spoil)), range(40)))
