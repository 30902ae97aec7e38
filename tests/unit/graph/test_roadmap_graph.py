"""Phases as a graph: cycles, what can start, and in which order."""

from __future__ import annotations

from pathlib import Path

from bursar.graph import Node, awaited_phases, check_roadmap, phase_nodes, startable_phases
from bursar.plan import Phase, PhaseStatus, Position, Roadmap

DONE, PLANNED, BEGUN = PhaseStatus.COMPLETE, PhaseStatus.PLANNED, PhaseStatus.IN_PROGRESS
DROPPED, PARKED = PhaseStatus.DROPPED, PhaseStatus.PARKED


def roadmap(*phases: tuple[str, str, PhaseStatus]) -> Roadmap:
    """Each phase is its number, what it depends on, and its status."""
    return Roadmap(
        path=Path("ROADMAP.md"),
        phases=tuple(
            Phase(number=number, depends_on=tuple(depends.split()), status=status, position=Position(line))
            for line, (number, depends, status) in enumerate(phases, start=1)
        ),
    )


def startable(*phases: tuple[str, str, PhaseStatus]) -> list[str]:
    return [phase.number for phase in startable_phases(roadmap(*phases))]


def test_nodes_are_phases_with_their_dependencies() -> None:
    assert phase_nodes(roadmap(("1", "", DONE), ("2.1", "1", PLANNED))) == [Node("1"), Node("2.1", ("1",))]


def test_a_cycle_is_drawn_at_its_first_phase() -> None:
    (problem,) = check_roadmap(roadmap(("1", "", DONE), ("2", "4", PLANNED), ("3", "2", PLANNED), ("4", "3", PLANNED)))
    assert str(problem) == "ROADMAP.md:2:1: phases wait for each other: 2 → 4 → 3 → 2"
    assert problem.is_error
    assert check_roadmap(roadmap(("1", "", DONE), ("2", "1", PLANNED))) == ()


def test_a_phase_that_waits_for_itself_is_a_cycle() -> None:
    (problem,) = check_roadmap(roadmap(("1", "1", PLANNED)))
    assert problem.message == "phases wait for each other: 1 → 1"


def test_what_is_done_or_dropped_is_not_waited_for() -> None:
    found = roadmap(("1", "", DONE), ("2", "", DROPPED), ("3", "", PARKED), ("4", "", BEGUN), ("5", "1 2 3 4", PLANNED))
    assert [phase.number for phase in awaited_phases(found, found.phases[4])] == ["3", "4"]


def test_only_what_waits_for_nothing_can_start() -> None:
    assert startable(("1", "", DONE), ("2", "1", PLANNED), ("3", "2", PLANNED), ("4", "", PARKED)) == ["2"]
    assert startable(("1", "", DONE), ("2", "", DROPPED)) == []
    assert startable(("1", "2", PLANNED), ("2", "1", PLANNED), ("3", "2", PLANNED)) == []
    assert startable() == []


def test_first_is_what_the_longest_chain_waits_for() -> None:
    chain = [("1", "", PLANNED), ("2", "", PLANNED), ("3", "2", PLANNED), ("4", "3", PLANNED), ("5", "1", PLANNED)]
    assert startable(*chain) == ["2", "1"]
    assert startable(*chain, ("6", "", BEGUN)) == ["6", "2", "1"]
    assert startable(("2", "", PLANNED), ("1", "", PLANNED)) == ["2", "1"]


def test_phases_that_wait_in_a_cycle_do_not_hide_the_others() -> None:
    phases = [("1", "", PLANNED), ("2", "", PLANNED), ("3", "2 4", PLANNED), ("4", "3", PLANNED)]
    assert startable(*phases) == ["1", "2"]
    assert startable(*phases, ("5", "2", PLANNED)) == ["2", "1"]
