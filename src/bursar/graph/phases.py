"""A roadmap's phases as a graph: cycles, what can start, and what a phase still waits for."""

from __future__ import annotations

from bursar.graph.build import find_cycles
from bursar.graph.model import Node
from bursar.plan import Phase, PhaseStatus, Problem, Roadmap

_DONE = frozenset({PhaseStatus.COMPLETE, PhaseStatus.DROPPED})


def phase_nodes(roadmap: Roadmap) -> list[Node]:
    """One node for each phase; which files a phase writes is not known."""
    return [Node(phase.number, phase.depends_on) for phase in roadmap.phases]


def check_roadmap(roadmap: Roadmap) -> tuple[Problem, ...]:
    """An error for each cycle of dependencies, at its first phase in the file."""
    positions = {phase.number: phase.position for phase in roadmap.phases}
    return tuple(
        Problem(
            roadmap.path,
            positions[cycle.path[0]],
            f"phases wait for each other: {cycle.drawing}",
            hint="take one of these out of a `Depends on` line",
        )
        for cycle in find_cycles(phase_nodes(roadmap))
    )


def awaited_phases(roadmap: Roadmap, phase: Phase) -> tuple[Phase, ...]:
    """The dependencies of a phase that are not done. A phase that was dropped is not waited for."""
    numbered = {other.number: other for other in roadmap.phases}
    return tuple(numbered[number] for number in phase.depends_on if numbered[number].status not in _DONE)


def startable_phases(roadmap: Roadmap) -> tuple[Phase, ...]:
    """The phases whose dependencies are all done, the one to take first at the head.

    What has been begun goes before what has not, then what the longest chain of unfinished phases waits for, then what
    comes first in the roadmap. Parked phases are left out.
    """
    numbered = {phase.number: phase for phase in roadmap.phases}
    open_phases = [phase for phase in roadmap.phases if phase.status not in _DONE]
    startable = [
        phase
        for phase in open_phases
        if phase.status.is_to_do and all(numbered[number].status in _DONE for number in phase.depends_on)
    ]
    if len(startable) < 2:
        return tuple(startable)
    chains = _chains(open_phases)
    begun = PhaseStatus.IN_PROGRESS
    return tuple(sorted(startable, key=lambda phase: (phase.status is not begun, -chains.get(phase.number, 0))))


def _chains(phases: list[Phase]) -> dict[str, int]:
    """How many of `phases` form the longest chain that waits for each of them; 0 for those that wait in a cycle."""
    waiting: dict[str, list[str]] = {phase.number: [] for phase in phases}
    waited_for_by = dict.fromkeys(waiting, 0)
    for phase in phases:
        for number in phase.depends_on:
            if number in waiting:
                waiting[phase.number].append(number)
                waited_for_by[number] += 1
    chains: dict[str, int] = {}
    ready = [number for number, count in waited_for_by.items() if count == 0]
    for number in ready:  # grows while it is walked
        chains.setdefault(number, 0)
        for awaited in waiting[number]:
            chains[awaited] = max(chains.get(awaited, 0), chains[number] + 1)
            waited_for_by[awaited] -= 1
            if waited_for_by[awaited] == 0:
                ready.append(awaited)
    return chains
