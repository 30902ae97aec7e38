"""Paths, folders and patterns against a plain reading of what they mean, over every path of a small world."""

from __future__ import annotations

import re
from functools import cache
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.graph import Graph, Node, build_graph, conflicts
from bursar.graph.claims import may_meet, parse_claim, shape_of

NAMES = ("a", "b", "ab", "a.x", "b.x")
WORLD = ["/".join(names) for depth in (1, 2, 3, 4) for names in product(NAMES, repeat=depth)]
SEGMENTS = st.sampled_from([*NAMES, "*", "a*", "*b", "**", "*.x", "a?", "a*b*"])
ENTRIES = st.builds(
    lambda segments, slash: "/".join(segments) + slash,
    st.lists(SEGMENTS, min_size=1, max_size=3),
    st.sampled_from(["", "", "/"]),
)
NODES = st.lists(st.lists(ENTRIES, max_size=3).map(tuple), max_size=8).flatmap(
    lambda files: st.tuples(
        *(
            st.builds(
                Node,
                st.just(str(number)),
                st.lists(st.integers(0, number - 1).map(str), max_size=2).map(tuple) if number else st.just(()),
                st.just(entries),
            )
            for number, entries in enumerate(files)
        )
    )
)


def expression(entry: str) -> re.Pattern[str]:
    """What the entry matches to the letter, written as one would by hand; `**` at the end is something, not nothing."""
    pieces, segments = [], entry.rstrip("/").split("/")
    for number, segment in enumerate(segments, start=1):
        if segment == "**":
            pieces.append(r"(?:[^/]+/)" + ("+" if number == len(segments) else "*"))
        else:
            pieces.append("".join({"*": "[^/]*", "?": "[^/]"}.get(sign, re.escape(sign)) for sign in segment) + "/")
    return re.compile("".join(pieces))


def claimed(entry: str) -> set[str]:
    """The paths of the world that the entry claims: what it matches, and what lies in what it matches."""
    matches = expression(entry).fullmatch
    return {path for path in WORLD if any(matches(above) for above in prefixes(path))}


def prefixes(path: str) -> list[str]:
    names = path.split("/")
    return ["/".join(names[:count]) + "/" for count in range(1, len(names) + 1)]


@cache
def matched(entry: str) -> set[str]:
    """The paths of the world that the entry matches itself."""
    return {path for path in WORLD if expression(entry).fullmatch(path + "/")}


def meet(one: str, other: str) -> bool:
    shapes = [
        shape_of(claim.text, is_pattern=claim.is_pattern, is_whole=claim.is_whole)
        for claim in map(parse_claim, (one, other))
    ]
    assert may_meet(*shapes) == may_meet(*reversed(shapes))
    return may_meet(*shapes)


@given(ENTRIES, ENTRIES)
@settings(max_examples=500, deadline=None)
def test_two_entries_that_match_one_path_meet(one: str, other: str) -> None:
    if matched(one) & matched(other):
        assert meet(one, other)


@given(ENTRIES, st.sampled_from([path for path in WORLD if path.endswith(".x")]))
@settings(max_examples=500, deadline=None)
def test_an_entry_meets_a_file_only_if_it_claims_it(entry: str, file: str) -> None:
    if "**" in entry or "?" in entry:
        return  # read more widely than they are meant, on purpose
    if meet(entry, file):
        assert file in claimed(entry) or file == entry
    elif parse_claim(entry).is_whole:
        assert file not in claimed(entry)


@pytest.mark.parametrize("comparisons", [0, 12, 50_000])
@given(NODES)
@settings(max_examples=200, deadline=None)
def test_whatever_may_write_one_path_is_ordered_however_few_patterns_are_compared(
    comparisons: int, nodes: tuple[Node, ...]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conflicts, "MAX_COMPARISONS", comparisons)
        graph = build_graph(nodes)
    assert isinstance(graph, Graph)
    position = {key: index for index, key in enumerate(graph.order)}
    before: dict[str, set[str]] = {}
    for key in graph.order:
        assert all(position[name] < position[key] for name in graph.dependencies(key))
        before[key] = {name for direct in graph.dependencies(key) for name in (direct, *before[direct])}
    paths = {node.key: set().union(*map(matched, node.files)) for node in nodes}
    for one, other in combinations(paths, 2):
        if paths[one] & paths[other]:
            assert one in before[other] or other in before[one]


@given(NODES)
@settings(max_examples=200, deadline=None)
def test_only_nodes_with_claims_that_may_meet_are_held_up(nodes: tuple[Node, ...]) -> None:
    graph = build_graph(nodes)
    assert isinstance(graph, Graph)
    for conflict in graph.conflicts:
        # With a slash: some other node may show that a path is a folder.
        assert meet(conflict.file + "/", (conflict.other or conflict.file) + "/")
