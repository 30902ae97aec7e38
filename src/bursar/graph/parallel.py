"""Which phases can run side by side, whether the tokens that are left allow it, and what it would save. Pure."""

from __future__ import annotations

import heapq
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bursar.graph.model import Graph, Node
from bursar.plan import Phase, PhaseStatus, Roadmap, normal_number

MAX_SIMULATED_PHASES = 1_000
_NOBODY_DOES = (PhaseStatus.DROPPED, PhaseStatus.PARKED)
_NUMBER = re.compile(r"(?:[A-Za-z]+-)?[0-9]{1,9}(?:\.[0-9]{1,9})*[A-Za-z]?")

Groups = tuple[tuple[str, ...], ...]


class Verdict(StrEnum):
    """What the tokens that are left allow a group of phases."""

    CAN_PROCEED = "CAN_PROCEED"
    FALLBACK_SEQUENTIAL = "FALLBACK_SEQUENTIAL"
    BLOCKED = "BLOCKED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelGroup:
    """Phases that wait for the same wave and not for each other.

    Attributes:
        wave: counts the groups of two or more phases, from 1; None for a group of one.
        dependents: the phases that wait for one of them directly, in the order of the roadmap.
    """

    phases: tuple[str, ...]
    wave: int | None
    dependents: tuple[str, ...]

    def __str__(self) -> str:
        """`Phases [2, 3] can run in parallel (Wave 1), Phase [4] depends on them`."""
        if self.wave is None:
            return f"Phase {_listed(self.phases)} runs by itself"
        able = f"Phases {_listed(self.phases)} can run in parallel (Wave {self.wave})"
        if not self.dependents:
            return able
        one = len(self.dependents) == 1
        return f"{able}, Phase{'' if one else 's'} {_listed(self.dependents)} depend{'s' if one else ''} on them"


def phases_to_run(roadmap: Roadmap, *, done_too: bool = False) -> list[Node]:
    """One node for each phase that is to be done; those that were dropped or put off are left out.

    What waited for a phase that is left out waits for what that one waited for.

    Args:
        done_too: completed phases are among them.
    """
    phases = {phase.number: phase for phase in roadmap.phases}
    without = _NOBODY_DOES if done_too else (*_NOBODY_DOES, PhaseStatus.COMPLETE)
    left = {number for number, phase in phases.items() if phase.status not in without}
    return [Node(number, _nearest(phases, number, left)) for number in phases if number in left]


def parallel_groups(graph: Graph) -> tuple[ParallelGroup, ...]:
    """The waves of a roadmap's graph, in order. They are for people: what is ready may run, whatever its group."""
    groups: list[ParallelGroup] = []
    wave = 0
    for phases in graph.waves():
        wave += len(phases) > 1
        waiting = {dependent for phase in phases for dependent in graph.dependents(phase)}
        dependents = tuple(node.key for node in graph.nodes if node.key in waiting)
        groups.append(ParallelGroup(phases=phases, wave=wave if len(phases) > 1 else None, dependents=dependents))
    return tuple(groups)


def judge_group(needed: int, available: int | None, *, falls_back: bool) -> Verdict:
    """Whether a group that needs so many tokens can run side by side; None is no limit.

    Args:
        falls_back: without enough tokens its phases run one after the other, rather than not at all.
    """
    if available is None or available >= needed:
        return Verdict.CAN_PROCEED
    return Verdict.FALLBACK_SEQUENTIAL if falls_back else Verdict.BLOCKED


def parse_groups(text: str) -> Groups:
    """The groups that `1,2:3,4` means: first 1 and 2, then 3 and 4; numbers without leading zeros.

    Raises:
        ValueError: something in it is no phase, stands twice, or is missing; the message says what.
    """
    groups = tuple(tuple(_phase(name) for name in group.split(",")) for group in text.split(":"))
    phases = [phase for group in groups for phase in group]
    if len(phases) > MAX_SIMULATED_PHASES:
        raise ValueError(f"there are more than {MAX_SIMULATED_PHASES} phases")
    twice = next((phase for number, phase in enumerate(phases) if phase in phases[:number]), None)
    if twice is not None:
        raise ValueError(f"phase {twice} stands in it twice")
    return groups


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A phase of a group that cannot run there: it waits for `dependency`, which runs with it or later."""

    phase: str
    dependency: str


def find_misplaced(groups: Groups, depends_on: Mapping[str, Sequence[str]]) -> Misplaced | None:
    """The first phase that stands before or beside something it depends on; None where all is in order."""
    place = {phase: number for number, group in enumerate(groups) for phase in group}
    for phase, number in place.items():
        for name in depends_on.get(phase, ()):
            if place.get(name, -1) >= number:
                return Misplaced(phase, name)
    return None


@dataclass(frozen=True, slots=True)
class Duration:
    """Minutes of some phases side by side, and one after the other."""

    parallel: float
    sequential: float


def simulate_group(minutes: Sequence[float], slots: int) -> Duration:
    """How long phases take that start in this order, each as soon as one of the slots is free."""
    free = [0.0] * min(slots, len(minutes))
    for each in minutes:
        heapq.heappush(free, heapq.heappop(free) + each)
    return Duration(max(free, default=0.0), sum(minutes))


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


def _phase(name: str) -> str:
    stripped = name.strip()
    if not stripped:
        raise ValueError("a phase is missing")
    if not _NUMBER.fullmatch(stripped):
        raise ValueError(f"`{stripped[:40]}` is no number of a phase")
    return normal_number(stripped)


def _listed(phases: Sequence[str]) -> str:
    return f"[{', '.join(phases)}]"
