"""Order, waves, conflicts, cycles and the critical path of small graphs."""

from __future__ import annotations

import pytest

from bursar.errors import InternalError
from bursar.graph import Conflict, Cycle, Graph, Node, build_graph, find_cycles


def graph_of(*nodes: Node) -> Graph:
    graph = build_graph(nodes)
    assert isinstance(graph, Graph)
    return graph


DIAMOND = (Node("1"), Node("2", ("1",)), Node("3", ("1",)), Node("4", ("2", "3")))


def test_nothing_at_all() -> None:
    graph = graph_of()
    assert (graph.waves(), graph.conflicts, graph.order, graph.critical_path()) == ((), (), (), ())


def test_waves_by_longest_path() -> None:
    graph = graph_of(*DIAMOND, Node("5", ("1", "4")), Node("6"))
    assert graph.waves() == (("1", "6"), ("2", "3"), ("4",), ("5",))
    assert graph.dependencies("5") == ("1", "4")
    assert graph.dependents("1") == ("2", "3", "5")


def test_a_dependency_may_stand_later_in_the_file() -> None:
    graph = graph_of(Node("1", ("2",)), Node("2"))
    assert graph.waves() == (("2",), ("1",))
    assert graph.order == ("2", "1")


def test_a_dependency_named_twice_is_one_edge() -> None:
    assert graph_of(Node("1"), Node("2", ("1", "1"))).dependencies("2") == ("1",)


def test_two_writers_of_a_file_are_ordered_as_in_the_file() -> None:
    graph = graph_of(Node("1", files=("a", "b")), Node("2", files=("b",)), Node("3", files=("c",)))
    assert graph.conflicts == (Conflict("1", "2", "b"),)
    assert graph.dependencies("2") == ("1",)
    assert graph.dependents("1") == ("2",)
    assert graph.waves() == (("1", "2", "3"),)


def test_two_files_in_common_are_one_conflict() -> None:
    graph = graph_of(Node("1", files=("a", "b")), Node("2", files=("b", "a")))
    assert [(conflict.first, conflict.second) for conflict in graph.conflicts] == [("1", "2")]


def test_spellings_of_one_path_are_one_file() -> None:
    graph = graph_of(Node("1", files=("./src//a.py",)), Node("2", files=("src/x/../a.py",)))
    assert graph.conflicts == (Conflict("1", "2", "src/a.py"),)


def test_writers_that_a_dependency_orders_are_no_conflict() -> None:
    assert graph_of(Node("1", files=("a",)), Node("2", ("1",), ("a",))).conflicts == ()


def test_writers_that_dependencies_order_through_others_are_no_conflict() -> None:
    graph = graph_of(Node("1", files=("a",)), Node("2", ("1",)), Node("3", ("2",), ("a",)))
    assert graph.conflicts == ()


def test_writers_in_different_waves_that_nothing_orders_are_a_conflict() -> None:
    graph = graph_of(Node("1"), Node("2", ("1",), ("a",)), Node("3", files=("a",)))
    assert graph.conflicts == (Conflict("3", "2", "a"),)
    assert graph.order == ("1", "3", "2")


def test_three_writers_form_a_chain() -> None:
    graph = graph_of(*(Node(key, files=("a",)) for key in "123"))
    assert graph.conflicts == (Conflict("1", "2", "a"), Conflict("2", "3", "a"))


def test_conflicts_never_close_a_cycle() -> None:
    # 1 and 4 write `a`, 3 and 2 write `b`, and 4 leads to 3: by place in the file 1 → 4 → 3 and 2 → 3 must hold.
    graph = graph_of(
        Node("1", ("3",), ("a",)), Node("2", files=("b",)), Node("3", ("4",), ("b",)), Node("4", files=("a",))
    )
    position = {key: index for index, key in enumerate(graph.order)}
    assert all(position[name] < position[key] for key in position for name in graph.dependencies(key))


@pytest.mark.parametrize(
    ("nodes", "drawing"),
    [
        ([Node("1", ("1",))], "1 → 1"),
        ([Node("1", ("2",)), Node("2", ("1",))], "1 → 2 → 1"),
        ([Node("1", ("3",)), Node("2", ("1",)), Node("3", ("2",))], "1 → 3 → 2 → 1"),
        ([Node("0"), Node("1", ("0", "2")), Node("2", ("3",)), Node("3", ("2",))], "2 → 3 → 2"),
    ],
)
def test_a_cycle_is_drawn_from_its_first_node(nodes: list[Node], drawing: str) -> None:
    cycle = build_graph(nodes)
    assert isinstance(cycle, Cycle)
    assert cycle.drawing == drawing


def test_cycles_that_share_no_node_are_all_found() -> None:
    nodes = [Node("1", ("2",)), Node("2", ("1",)), Node("3"), Node("4", ("5", "1")), Node("5", ("4",))]
    assert [cycle.drawing for cycle in find_cycles(nodes)] == ["1 → 2 → 1", "4 → 5 → 4"]


def test_critical_path_counts_nodes_or_their_weight() -> None:
    graph = graph_of(*DIAMOND, Node("5"))
    assert graph.critical_path() == ("1", "2", "4")
    assert graph.critical_path(lambda key: 9.0 if key == "3" else 1.0) == ("1", "3", "4")
    assert graph.critical_path(lambda key: 99.0 if key == "5" else 1.0) == ("5",)


def test_critical_path_counts_conflicts() -> None:
    graph = graph_of(Node("1", files=("a",)), Node("2", files=("a",)), Node("3"))
    assert graph.critical_path() == ("1", "2")


@pytest.mark.parametrize("nodes", [[Node("1"), Node("1")], [Node("1", ("2",))]])
def test_names_that_the_reader_should_have_refused(nodes: list[Node]) -> None:
    with pytest.raises(InternalError):
        build_graph(nodes)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("src/api/*.py", "src/api/users.py"),
        ("src/api/", "src/api/v1/users.py"),
        ("src/api", "src/api/v1/users.py"),
        ("src/**/*.py", "src/api/v1/users.py"),
        ("**/*.test.ts", "src/api/users.test.ts"),
        ("src/components/*", "src/components/forms/Field.tsx"),
        ("src/*.{ts,tsx}", "src/app.tsx"),
        ("src/api/*.py", "src/*/users.py"),
        ("src/**/*.py", "**/users.py"),
        ("src/", "src/**/*.py"),
        ("docs/", "docs/"),
        (".", "anything.md"),
        ("v1.2", "v1.2/notes.md"),
        ("{a/b,c}/*.py", "a/b/x.py"),
    ],
)
def test_a_pattern_or_folder_that_covers_what_another_writes_is_a_conflict(one: str, other: str) -> None:
    expected = "2 waits for 1: both write docs" if one == other else None
    for files in ((one, other), (other, one)):
        (conflict,) = graph_of(Node("1", files=files[:1]), Node("2", files=files[1:])).conflicts
        assert str(conflict) == (
            expected or f"2 waits for 1: {files[0].rstrip('/')} and {files[1].rstrip('/')} overlap"
        )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("src/api/*.py", "src/api/users.ts"),
        ("src/api/*.py", "src/app.py"),
        ("src/api/*.py", "src/web/*.py"),
        ("src/api/", "src/api.py"),
        ("src/api", "src/apix/y.py"),
        ("src/**/*.test.ts", "src/api/users.ts"),
        ("src/*.py", "src/**/*.test.ts"),
        ("src/**/generated/x.py", "src/x.py"),
        ("*.md", "docs/README.md"),
        ("a*b", "ab*c"),
        # Names of files in real projects, not patterns:
        ("app/[...slug]/page.tsx", "app/s/page.tsx"),
        ("app/[id]/page.tsx", "app/d/page.tsx"),
        ("src/{a,b}.ts", "src/a.ts"),
    ],
)
def test_what_cannot_be_one_file_is_no_conflict(one: str, other: str) -> None:
    assert graph_of(Node("1", files=(one,)), Node("2", files=(other,))).conflicts == ()


def test_files_beside_each_other_wait_for_the_folder_and_not_for_each_other() -> None:
    files = ("src/", "src/a.py", "src/b.py", "src/", "src/c.py")
    graph = graph_of(*(Node(str(number), files=(file,)) for number, file in enumerate(files, start=1)))
    assert [(c.first, c.second) for c in graph.conflicts] == [
        ("1", "2"),
        ("1", "3"),
        ("2", "4"),
        ("3", "4"),
        ("4", "5"),
    ]


def test_files_beside_each_other_wait_for_the_pattern_and_not_for_each_other() -> None:
    files = ("src/*.py", "src/a.py", "src/b.py", "src/*.py", "src/c.ts")
    graph = graph_of(*(Node(str(number), files=(file,)) for number, file in enumerate(files, start=1)))
    assert [(c.first, c.second) for c in graph.conflicts] == [("1", "2"), ("1", "3"), ("2", "4"), ("3", "4")]


def test_a_node_with_a_folder_and_a_file_in_it_does_not_wait_for_itself() -> None:
    assert graph_of(Node("1", files=("src/", "src/a.py", "src/*.py"))).conflicts == ()
    graph = graph_of(Node("1", files=("src/a.py", "src/")), Node("2", files=("src/*.py", "src/a.py", "src/")))
    assert [(c.first, c.second) for c in graph.conflicts] == [("1", "2")]


@pytest.mark.parametrize("path", ["x" * 5000, "a/" * 3000 + "x.py", "/" * 100, "../" * 100 + "x", "*" * 5000])
def test_a_path_that_no_file_system_has_is_only_data(path: str) -> None:
    graph = graph_of(Node("1", files=(path,)), Node("2", files=(path,)), Node("3", files=("y.py",)))
    assert ("1", "2") in [(c.first, c.second) for c in graph.conflicts]


def test_a_node_with_a_pattern_in_a_folder_and_the_folder_has_all_of_it() -> None:
    graph = graph_of(Node("1", files=("src/*.py", "src/")), Node("2", files=("src/x.ts",)))
    assert [(c.first, c.second) for c in graph.conflicts] == [("1", "2")]
