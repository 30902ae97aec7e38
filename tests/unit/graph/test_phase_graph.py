"""A roadmap's phases as a graph."""

from __future__ import annotations

from pathlib import Path

from bursar.graph import Node, check_roadmap, phase_nodes
from bursar.plan import Phase, PhaseStatus, Position, Roadmap


def roadmap(*phases: Phase) -> Roadmap:
    return Roadmap(path=Path("ROADMAP.md"), phases=phases)


def phase(number: str, *depends_on: str, status: PhaseStatus = PhaseStatus.PLANNED) -> Phase:
    return Phase(number=number, depends_on=depends_on, status=status, position=Position(10 * int(number)))


def test_one_node_for_each_phase() -> None:
    assert phase_nodes(roadmap(phase("1"), phase("2", "1"))) == [Node("1"), Node("2", ("1",))]


def test_what_waited_for_a_dropped_phase_waits_for_what_that_one_waited_for() -> None:
    dropped, parked = PhaseStatus.DROPPED, PhaseStatus.PARKED
    phases = roadmap(
        phase("1"),
        phase("2", "1", status=dropped),
        phase("3", "2", status=parked),
        phase("4", "3"),
        phase("5", "4", "2"),
    )
    assert phase_nodes(phases) == [Node("1"), Node("4", ("1",)), Node("5", ("4", "1"))]
    assert [node.key for node in phase_nodes(phases, without=())] == ["1", "2", "3", "4", "5"]


def test_dropped_phases_in_a_circle_are_looked_through_once() -> None:
    dropped = PhaseStatus.DROPPED
    phases = roadmap(phase("1", "2", status=dropped), phase("2", "1", status=dropped), phase("3", "1"))
    assert phase_nodes(phases) == [Node("3")]
    assert check_roadmap(phases) == ()
    assert len(check_roadmap(phases, without=())) == 1


def test_every_cycle_is_an_error_at_its_first_phase() -> None:
    found = check_roadmap(roadmap(phase("1", "3"), phase("2", "1"), phase("3", "2"), phase("4", "4")))
    assert [str(problem) for problem in found] == [
        "ROADMAP.md:10:1: phases wait for each other: 1 → 3 → 2 → 1",
        "ROADMAP.md:40:1: phases wait for each other: 4 → 4",
    ]
