"""Which phases of a roadmap are to be run, and what they wait for then."""

from __future__ import annotations

from pathlib import Path

from bursar.graph import Node, phases_to_run
from bursar.plan import Phase, PhaseStatus, Position, Roadmap


def roadmap(*phases: Phase) -> Roadmap:
    return Roadmap(path=Path("ROADMAP.md"), phases=phases)


def phase(number: str, *depends_on: str, status: PhaseStatus = PhaseStatus.PLANNED) -> Phase:
    return Phase(number=number, depends_on=depends_on, status=status, position=Position(10 * int(number)))


def test_one_node_for_each_phase_that_is_to_be_done() -> None:
    phases = roadmap(phase("1", status=PhaseStatus.COMPLETE), phase("2", "1"), phase("3", "2", "1"))
    assert phases_to_run(phases) == [Node("2"), Node("3", ("2",))]
    assert phases_to_run(phases, done_too=True) == [Node("1"), Node("2", ("1",)), Node("3", ("2", "1"))]


def test_what_waited_for_a_dropped_phase_waits_for_what_that_one_waited_for() -> None:
    dropped, parked = PhaseStatus.DROPPED, PhaseStatus.PARKED
    phases = roadmap(
        phase("1"),
        phase("2", "1", status=dropped),
        phase("3", "2", status=parked),
        phase("4", "3"),
        phase("5", "4", "2"),
    )
    assert phases_to_run(phases) == [Node("1"), Node("4", ("1",)), Node("5", ("4", "1"))]


def test_dropped_phases_in_a_circle_are_looked_through_once() -> None:
    dropped = PhaseStatus.DROPPED
    phases = roadmap(phase("1", "2", status=dropped), phase("2", "1", status=dropped), phase("3", "1"))
    assert phases_to_run(phases) == [Node("3")]
