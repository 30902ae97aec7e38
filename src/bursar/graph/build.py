"""Nodes → `Graph`, or the cycle that forbids it. Linear in nodes, dependencies and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_

from bursar.errors import InternalError
from bursar.graph.conflicts import find_conflicts
from bursar.graph.model import Conflict, Cycle, Graph, Node


def build_graph(nodes: Sequence[Node]) -> Graph | Cycle:
    """The graph of `nodes`, or the first cycle among them.

    Raises:
        InternalError: two nodes share a key, or a dependency names no node. Readers of plans report both to their
            authors, so that none arrives here.
    """
    depends_on = _dependencies(nodes)
    dependents = _reversed(depends_on)
    wave = _waves(depends_on, dependents)
    if len(wave) < len(depends_on):
        return _cycles(depends_on, wave)[0]
    rank = {key: (wave[key], position) for position, key in enumerate(depends_on)}
    conflicts = _conflicts(nodes, rank, depends_on)
    return Graph(
        nodes=tuple(nodes),
        wave=wave,
        conflicts=conflicts,
        # Every edge leads from a lower rank to a higher one: a dependency to a later wave, a conflict by its making.
        order=tuple(sorted(depends_on, key=rank.__getitem__)),
        waits_for=_extended(depends_on, [(conflict.second, conflict.first) for conflict in conflicts]),
        waited_for_by=_extended(dependents, [(conflict.first, conflict.second) for conflict in conflicts]),
    )


def find_cycles(nodes: Sequence[Node]) -> tuple[Cycle, ...]:
    """Cycles among `nodes` that share no node, at least one if there is any, in the order of their first nodes.

    Raises:
        InternalError: as `build_graph`.
    """
    depends_on = _dependencies(nodes)
    return _cycles(depends_on, _waves(depends_on, _reversed(depends_on)))


def _dependencies(nodes: Sequence[Node]) -> dict[str, tuple[str, ...]]:
    depends_on = {node.key: tuple(dict.fromkeys(node.depends_on)) for node in nodes}
    if len(depends_on) < len(nodes):
        raise InternalError("two nodes of a graph share a key")
    for names in depends_on.values():
        if not all(map(depends_on.__contains__, names)):
            unknown = next(name for name in names if name not in depends_on)
            raise InternalError(f"a node depends on `{unknown}`, which is no node")
    return depends_on


def _reversed(edges: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {key: [] for key in edges}
    for key, names in edges.items():
        for name in names:
            found[name].append(key)
    return {key: tuple(names) for key, names in found.items()}


def _extended(edges: Mapping[str, tuple[str, ...]], more: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The edges, and after them those of the pairs."""
    added: dict[str, list[str]] = {}
    for key, name in more:
        added.setdefault(key, []).append(name)
    return {**edges, **{key: (*edges[key], *names) for key, names in added.items()}}


def _waves(depends_on: Mapping[str, Sequence[str]], dependents: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The wave of every node that waits for no cycle."""
    missing = {key: len(names) for key, names in depends_on.items()}
    ready = [key for key, count in missing.items() if count == 0]
    wave: dict[str, int] = {}
    for key in ready:  # grows while it is walked
        wave[key] = 1 + max(map(wave.__getitem__, depends_on[key]), default=0)
        for dependent in dependents[key]:
            missing[dependent] -= 1
            if missing[dependent] == 0:
                ready.append(dependent)
    return wave


def _cycles(depends_on: Mapping[str, tuple[str, ...]], wave: Mapping[str, int]) -> tuple[Cycle, ...]:
    """Follow from each node without a wave its first dependency without one: every such walk ends in a cycle."""
    position = {key: index for index, key in enumerate(depends_on)}
    following = {
        key: next(name for name in names if name not in wave) for key, names in depends_on.items() if key not in wave
    }
    cycles: list[list[str]] = []
    walked: dict[str, str] = {}  # node → the start of the walk that met it first
    for start in following:
        key, path = start, []
        while key not in walked:
            walked[key] = start
            path.append(key)
            key = following[key]
        if walked[key] == start and path:
            cycles.append(path[path.index(key) :])
    return tuple(sorted((_from_first(cycle, position) for cycle in cycles), key=lambda cycle: position[cycle.path[0]]))


def _from_first(cycle: list[str], position: Mapping[str, int]) -> Cycle:
    start = min(range(len(cycle)), key=lambda index: position[cycle[index]])
    return Cycle((*cycle[start:], *cycle[:start]))


def _conflicts(
    nodes: Sequence[Node], rank: Mapping[str, tuple[int, int]], depends_on: Mapping[str, tuple[str, ...]]
) -> tuple[Conflict, ...]:
    """One edge between each two nodes that `find_conflicts` wants ordered and that no dependency orders yet.

    As rank only rises along every edge, no cycle can arise.
    """
    pairs = find_conflicts(sorted(nodes, key=lambda node: rank[node.key]))
    unsure = {(first, second) for first, second in pairs if rank[first][0] < rank[second][0]}
    ordered = _ordered_pairs(unsure, rank, depends_on)
    found = sorted(pairs.keys() - ordered, key=lambda pair: (rank[pair[0]], rank[pair[1]]))
    return tuple(_conflict(pair, pairs[pair]) for pair in found)


def _conflict(pair: tuple[str, str], claims: tuple[str, str]) -> Conflict:
    first, second = (claim or "." for claim in claims)
    return Conflict(*pair, first, None if first == second else second)


def _ordered_pairs(
    pairs: set[tuple[str, str]], rank: Mapping[str, tuple[int, int]], depends_on: Mapping[str, tuple[str, ...]]
) -> set[tuple[str, str]]:
    """Those of `pairs` of which the second waits for the first, directly or through others.

    Each node carries the asked-for nodes that it waits for, and itself, as bits of one integer: one pass answers all.
    """
    direct = {pair for pair in pairs if pair[0] in depends_on[pair[1]]}
    bit = {first: 1 << index for index, first in enumerate(dict.fromkeys(pair[0] for pair in pairs - direct))}
    if not bit:
        return direct
    reached: dict[str, int] = {}
    for key in sorted(depends_on, key=rank.__getitem__):
        reached[key] = reduce(or_, map(reached.__getitem__, depends_on[key]), bit.get(key, 0))
    return direct | {(first, second) for first, second in pairs - direct if reached[second] & bit[first]}
