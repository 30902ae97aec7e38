"""Graphs of any shape against a plain, slow reading of what they mean."""

from __future__ import annotations

from itertools import combinations, pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.graph import Cycle, Graph, Node, build_graph, find_cycles

KEYS = [str(number) for number in range(8)]
ANY_NODES = st.lists(st.sampled_from(KEYS), unique=True, max_size=8).flatmap(
    lambda keys: st.tuples(
        *(
            st.builds(
                Node,
                st.just(key),
                st.lists(st.sampled_from(keys), max_size=3).map(tuple),
                st.lists(st.sampled_from("abc"), max_size=2).map(tuple),
            )
            for key in keys
        )
    )
)
FORWARD_NODES = st.integers(0, 12).flatmap(
    lambda count: st.tuples(
        *(
            st.builds(
                Node,
                st.just(str(number)),
                st.lists(st.integers(0, number - 1).map(str), max_size=3).map(tuple) if number else st.just(()),
                st.lists(st.sampled_from("abcd"), max_size=2).map(tuple),
            )
            for number in range(count)
        )
    )
)


def reachable(edges: dict[str, set[str]], start: str) -> set[str]:
    """Everything that `start` waits for, directly or through others."""
    found: set[str] = set()
    waiting = list(edges[start])
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting.extend(edges[key])
    return found


def dependency_edges(nodes: tuple[Node, ...]) -> dict[str, set[str]]:
    return {node.key: set(node.depends_on) for node in nodes}


@given(ANY_NODES)
@settings(max_examples=300)
def test_a_cycle_is_found_if_and_only_if_some_node_waits_for_itself(nodes: tuple[Node, ...]) -> None:
    edges = dependency_edges(nodes)
    has_cycle = any(key in reachable(edges, key) for key in edges)
    cycles = find_cycles(nodes)
    assert isinstance(build_graph(nodes), Cycle) == has_cycle == bool(cycles)
    for cycle in cycles:
        assert all(after in edges[key] for key, after in zip(cycle.path, cycle.path[1:] + cycle.path[:1], strict=True))
        assert len(set(cycle.path)) == len(cycle.path)
    assert not any(set(one.path) & set(other.path) for one, other in combinations(cycles, 2))


@given(FORWARD_NODES)
@settings(max_examples=300)
def test_waves_hold_every_node_once_and_are_longest_paths(nodes: tuple[Node, ...]) -> None:
    graph = build_graph(nodes)
    assert isinstance(graph, Graph)
    assert sorted(key for wave in graph.waves() for key in wave) == sorted(node.key for node in nodes)
    for node in nodes:
        assert graph.wave[node.key] == 1 + max((graph.wave[name] for name in node.depends_on), default=0)


def longest_chain(edges: dict[str, set[str]], key: str) -> int:
    """Nodes in the longest chain that ends at `key`, by following every chain there is."""
    return 1 + max((longest_chain(edges, name) for name in edges[key]), default=0)


@given(FORWARD_NODES, st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_waves_are_longest_chains_in_whatever_order_nodes_stand(nodes: tuple[Node, ...], shuffler: Random) -> None:
    shuffled = list(nodes)
    shuffler.shuffle(shuffled)
    graph = build_graph(shuffled)
    assert isinstance(graph, Graph)
    edges = dependency_edges(nodes)
    assert dict(graph.wave) == {key: longest_chain(edges, key) for key in edges}
    rows = graph.waves()
    assert [key for row in rows for key in row] == sorted(
        (node.key for node in shuffled), key=lambda key: graph.wave[key]
    )


@given(FORWARD_NODES)
@settings(max_examples=300)
def test_two_writers_of_a_file_never_run_at_once_and_only_they_are_held_up(nodes: tuple[Node, ...]) -> None:
    graph = build_graph(nodes)
    assert isinstance(graph, Graph)
    declared = dependency_edges(nodes)
    edges = {key: set(graph.dependencies(key)) for key in declared}
    position = {key: index for index, key in enumerate(graph.order)}
    assert sorted(graph.order) == sorted(declared)
    assert all(position[name] < position[key] for key, names in edges.items() for name in names)
    for one, other in combinations(nodes, 2):
        if set(one.files) & set(other.files):
            assert one.key in reachable(edges, other.key) or other.key in reachable(edges, one.key)
    files = {node.key: set(node.files) for node in nodes}
    for conflict in graph.conflicts:
        assert conflict.file in files[conflict.first] & files[conflict.second]
        assert conflict.first not in reachable(declared, conflict.second)
        assert conflict.second not in reachable(declared, conflict.first)
    extra = {(key, name) for key, names in edges.items() for name in names - declared[key]}
    assert extra == {(conflict.second, conflict.first) for conflict in graph.conflicts}


@given(FORWARD_NODES, st.lists(st.integers(0, 9), min_size=12, max_size=12))
def test_the_critical_path_is_a_heaviest_chain(nodes: tuple[Node, ...], weights: list[int]) -> None:
    graph = build_graph(nodes)
    assert isinstance(graph, Graph)
    heaviest: dict[str, float] = {}
    for key in graph.order:
        heaviest[key] = weights[int(key)] + max((heaviest[name] for name in graph.dependencies(key)), default=0)
    path = graph.critical_path(lambda key: weights[int(key)])
    assert sum(weights[int(key)] for key in path) == max(heaviest.values(), default=0)
    assert all(before in graph.dependencies(key) for before, key in pairwise(path))


def test_ten_thousand_nodes_that_share_files_are_linked() -> None:
    """Not a timing: with all pairs of writers, or a search per pair, this takes minutes and gigabytes."""
    nodes = [
        Node(str(n), tuple(str(n - step) for step in (1, 7, 50) if n % 10 and n >= step), (f"f{n % 3}", f"g{n // 2}"))
        for n in range(10_000)
    ]
    graph = build_graph(nodes)
    assert isinstance(graph, Graph)
    assert len(graph.order) == 10_000
    assert len(graph.conflicts) < 30_000
