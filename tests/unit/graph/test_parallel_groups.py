"""Phases side by side: groups and their sentences, verdicts on tokens, simulations."""

from __future__ import annotations

import pytest

from bursar.graph import (
    Duration,
    Graph,
    Misplaced,
    Node,
    Verdict,
    build_graph,
    find_misplaced,
    judge_group,
    parallel_groups,
    parse_groups,
    simulate_group,
)


def groups_of(*nodes: Node) -> list[str]:
    graph = build_graph(nodes)
    assert isinstance(graph, Graph)
    return [str(group) for group in parallel_groups(graph)]


def test_sentences_count_groups_of_two_or_more_from_1() -> None:
    nodes = (
        Node("1"),
        Node("2", ("1",)),
        Node("3", ("1",)),
        Node("4", ("2", "3")),
        Node("5", ("4",)),
        Node("6", ("4",)),
    )
    assert groups_of(*nodes) == [
        "Phase [1] runs by itself",
        "Phases [2, 3] can run in parallel (Wave 1), Phase [4] depends on them",
        "Phase [4] runs by itself",
        "Phases [5, 6] can run in parallel (Wave 2)",
    ]


def test_several_phases_that_depend_on_a_group() -> None:
    nodes = (Node("1"), Node("2"), Node("2.1", ("2",)), Node("4", ("1", "2.1")), Node("3", ("2",)))
    assert groups_of(*nodes) == [
        "Phases [1, 2] can run in parallel (Wave 1), Phases [2.1, 4, 3] depend on them",
        "Phases [2.1, 3] can run in parallel (Wave 2), Phase [4] depends on them",
        "Phase [4] runs by itself",
    ]


def test_phases_with_different_dependencies_run_side_by_side() -> None:
    """Not only those that depend on the very same phases."""
    nodes = (Node("1"), Node("2"), Node("3", ("1",)), Node("4", ("2",)), Node("5", ("1", "2")))
    assert groups_of(*nodes)[1] == "Phases [3, 4, 5] can run in parallel (Wave 2)"


@pytest.mark.parametrize(
    ("needed", "available", "falls_back", "verdict"),
    [
        (100_000, 150_000, True, Verdict.CAN_PROCEED),
        (100_000, 100_000, True, Verdict.CAN_PROCEED),
        (100_000, 99_999, True, Verdict.FALLBACK_SEQUENTIAL),
        (100_000, 0, True, Verdict.FALLBACK_SEQUENTIAL),
        (100_000, 99_999, False, Verdict.BLOCKED),
        (100_000, 100_000, False, Verdict.CAN_PROCEED),
        (100_000, None, True, Verdict.CAN_PROCEED),
    ],
)
def test_verdicts(needed: int, available: int | None, falls_back: bool, verdict: Verdict) -> None:
    assert judge_group(needed, available, falls_back=falls_back) is verdict


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("1,2:3,4", (("1", "2"), ("3", "4"))),
        (" 01 , 2.10:PROJ-42 ", (("1", "2.10"), ("PROJ-42",))),
        ("12A", (("12A",),)),
    ],
)
def test_groups_as_people_write_them(text: str, groups: object) -> None:
    assert parse_groups(text) == groups


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "a phase is missing"),
        ("1,,2", "a phase is missing"),
        ("1:", "a phase is missing"),
        ("1,2:x", "`x` is no number of a phase"),
        ("1-2", "`1-2` is no number of a phase"),
        ("1,2:02", "phase 2 stands in it twice"),
        ("٣", "`٣` is no number of a phase"),
        (",".join(map(str, range(1001))), "there are more than 1000 phases"),
    ],
)
def test_groups_that_nobody_can_mean(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$"):
        parse_groups(text)


@pytest.mark.parametrize(
    ("groups", "misplaced"),
    [
        ("1:2,3:4", None),
        ("2:3", None),
        ("1,2", Misplaced("2", "1")),
        ("1:2:4:3", Misplaced("4", "3")),
    ],
)
def test_phases_that_stand_beside_or_before_what_they_wait_for(groups: str, misplaced: Misplaced | None) -> None:
    depends_on = {"2": ("1",), "3": ("1",), "4": ("2", "3")}
    assert find_misplaced(parse_groups(groups), depends_on) == misplaced


@pytest.mark.parametrize(
    ("minutes", "slots", "duration"),
    [
        ([], 2, Duration(0, 0)),
        ([20], 2, Duration(20, 20)),
        ([10, 30], 2, Duration(30, 40)),
        ([30, 10, 10], 2, Duration(30, 50)),
        ([10, 10, 30], 2, Duration(40, 50)),
        ([10, 10, 30], 1, Duration(50, 50)),
        ([10, 10, 30], 64, Duration(30, 50)),
    ],
)
def test_phases_start_in_order_as_slots_become_free(minutes: list[float], slots: int, duration: Duration) -> None:
    assert simulate_group(minutes, slots) == duration
