"""Nodes → `Graph`, or the cycle that forbids it. Linear in nodes, dependencies and files."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence

from bursar.errors import InternalError
from bursar.graph.model import Conflict, Cycle, Graph, Node


def build_graph(nodes: Sequence[Node]) -> Graph | Cycle:
    """The graph of `nodes`, or the first cycle among them.

    Raises:
        InternalError: two nodes share a key, or a dependency names no node. Readers of plans report both to their
            authors, so that none arrives here.
    """
    depends_on = _dependencies(nodes)
    wave = _waves(depends_on)
    if len(wave) < len(depends_on):
        return _cycles(depends_on, wave)[0]
    rank = {key: (wave[key], position) for position, key in enumerate(depends_on)}
    conflicts = _conflicts(nodes, rank, depends_on)
    edges = {key: dict.fromkeys(names) for key, names in depends_on.items()}
    for conflict in conflicts:
        edges[conflict.second][conflict.first] = None
    waits_for = {key: tuple(names) for key, names in edges.items()}
    return Graph(
        nodes=tuple(nodes),
        wave=wave,
        conflicts=conflicts,
        # Every edge leads from a lower rank to a higher one: a dependency to a later wave, a conflict by its making.
        order=tuple(sorted(depends_on, key=rank.__getitem__)),
        waits_for=waits_for,
        waited_for_by=_reversed(waits_for),
    )


def find_cycles(nodes: Sequence[Node]) -> tuple[Cycle, ...]:
    """Cycles among `nodes` that share no node, at least one if there is any, in the order of their first nodes.

    Raises:
        InternalError: as `build_graph`.
    """
    depends_on = _dependencies(nodes)
    return _cycles(depends_on, _waves(depends_on))


def _dependencies(nodes: Sequence[Node]) -> dict[str, tuple[str, ...]]:
    depends_on = {node.key: tuple(dict.fromkeys(node.depends_on)) for node in nodes}
    if len(depends_on) < len(nodes):
        raise InternalError("two nodes of a graph share a key")
    unknown = next((name for names in depends_on.values() for name in names if name not in depends_on), None)
    if unknown is not None:
        raise InternalError(f"a node depends on `{unknown}`, which is no node")
    return depends_on


def _reversed(edges: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {key: [] for key in edges}
    for key, names in edges.items():
        for name in names:
            found[name].append(key)
    return {key: tuple(names) for key, names in found.items()}


def _waves(depends_on: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """The wave of every node that waits for no cycle."""
    dependents = _reversed(depends_on)
    missing = {key: len(names) for key, names in depends_on.items()}
    ready = [key for key, count in missing.items() if count == 0]
    wave: dict[str, int] = {}
    for key in ready:  # grows while it is walked
        wave[key] = 1 + max((wave[name] for name in depends_on[key]), default=0)
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
    """One edge between each two writers of a file that follow one another by rank and that nothing orders yet.

    Consecutive pairs are enough: the writers of a file form a chain, partly of dependencies. As rank only rises along
    every edge, no cycle can arise.
    """
    pairs = _consecutive_writers(nodes, rank)
    unsure = [pair for pair in pairs if rank[pair.first][0] < rank[pair.second][0]]
    ordered = _ordered_pairs({(pair.first, pair.second) for pair in unsure}, rank, depends_on)
    found = {(pair.first, pair.second): pair for pair in reversed(pairs) if (pair.first, pair.second) not in ordered}
    return tuple(sorted(found.values(), key=lambda conflict: (rank[conflict.first], rank[conflict.second])))


def _consecutive_writers(nodes: Sequence[Node], rank: Mapping[str, tuple[int, int]]) -> list[Conflict]:
    last_writer: dict[str, str] = {}
    pairs: list[Conflict] = []
    for node in sorted(nodes, key=lambda node: rank[node.key]):
        for file in dict.fromkeys(posixpath.normpath(file) for file in node.files):
            if file in last_writer:
                pairs.append(Conflict(last_writer[file], node.key, file))
            last_writer[file] = node.key
    return pairs


def _ordered_pairs(
    pairs: set[tuple[str, str]], rank: Mapping[str, tuple[int, int]], depends_on: Mapping[str, tuple[str, ...]]
) -> set[tuple[str, str]]:
    """Those of `pairs` of which the second waits for the first, directly or through others.

    Each node carries the set of asked-for nodes it waits for as the bits of one integer: one pass answers all pairs.
    """
    direct = {pair for pair in pairs if pair[0] in depends_on[pair[1]]}
    bit = {first: 1 << index for index, first in enumerate(dict.fromkeys(pair[0] for pair in pairs - direct))}
    if not bit:
        return direct
    before: dict[str, int] = {}
    for key in sorted(depends_on, key=rank.__getitem__):
        reached = 0
        for name in depends_on[key]:
            reached |= before[name] | bit.get(name, 0)
        before[key] = reached
    return direct | {(first, second) for first, second in pairs - direct if before[second] & bit[first]}
