"""A roadmap's phases as a graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bursar.graph.build import find_cycles
from bursar.graph.model import Node
from bursar.plan import Phase, PhaseStatus, Problem, Roadmap

NOBODY_DOES = (PhaseStatus.DROPPED, PhaseStatus.PARKED)


def phase_nodes(roadmap: Roadmap, without: Collection[PhaseStatus] = NOBODY_DOES) -> list[Node]:
    """One node for each phase but those of the states in `without`: dropped or put off, unless said otherwise.

    What waited for a phase that is left out waits for what that one waited for.
    """
    phases = {phase.number: phase for phase in roadmap.phases}
    left = {number for number, phase in phases.items() if phase.status not in without}
    return [Node(number, _nearest(phases, number, left)) for number in phases if number in left]


def check_roadmap(roadmap: Roadmap, without: Collection[PhaseStatus] = NOBODY_DOES) -> tuple[Problem, ...]:
    """An error for each cycle among the phases of `phase_nodes`, at its first phase in the file."""
    positions = {phase.number: phase.position for phase in roadmap.phases}
    return tuple(
        Problem(roadmap.path, positions[cycle.path[0]], f"phases wait for each other: {cycle.drawing}")
        for cycle in find_cycles(phase_nodes(roadmap, without))
    )


def _nearest(phases: Mapping[str, Phase], number: str, left: Collection[str]) -> tuple[str, ...]:
    """What a phase waits for among those that are left, looking through the others, in the author's order."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    waiting = list(reversed(phases[number].depends_on))
    while waiting:
        name = waiting.pop()
        if name in left:
            found[name] = None
        elif name in phases and name not in seen:
            seen.add(name)
            waiting += reversed(phases[name].depends_on)
    return tuple(found)
