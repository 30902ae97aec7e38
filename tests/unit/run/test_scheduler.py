"""The scheduler on graphs small enough to follow by eye; `tests/properties/test_scheduler.py` has the others."""

from __future__ import annotations

import pytest

from bursar.graph import Graph, Node, build_graph
from bursar.run.scheduler import Scheduler, Skipped, Standing


def graph_of(*nodes: Node) -> Graph:
    graph = build_graph(nodes)
    assert isinstance(graph, Graph)
    return graph


def test_a_task_is_offered_when_its_last_dependency_is_done() -> None:
    scheduler = Scheduler(graph_of(Node("1"), Node("2"), Node("3", ("1", "2"))))
    assert scheduler.ready() == ["1", "2"]
    scheduler.started("1")
    scheduler.started("2")
    scheduler.done("1")
    assert scheduler.ready() == []
    scheduler.done("2")
    assert scheduler.ready() == ["3"]


def test_a_failure_skips_what_depends_on_it_nearest_first_and_says_why() -> None:
    scheduler = Scheduler(graph_of(Node("1"), Node("2", ("1",)), Node("3", ("2",)), Node("4")))
    scheduler.started("1")
    assert scheduler.failed("1") == [Skipped("2", "1"), Skipped("3", "2")]
    assert scheduler.ready() == ["4"]
    assert scheduler.standing("3") is Standing.SKIPPED


def test_a_failure_does_not_skip_who_was_only_ordered_behind_it_by_a_file() -> None:
    scheduler = Scheduler(graph_of(Node("1", files=("a",)), Node("2", files=("a",))))
    assert scheduler.ready() == ["1"]
    scheduler.started("1")
    assert scheduler.failed("1") == []
    assert scheduler.ready() == ["2"]


def test_a_task_that_is_to_be_done_again_is_on_offer_again_and_before_who_waits_for_its_file() -> None:
    scheduler = Scheduler(graph_of(Node("1", files=("a",)), Node("2", files=("a",)), Node("3", ("1",))))
    scheduler.started("1")
    scheduler.reopened("1")
    assert scheduler.ready() == ["1"]
    assert scheduler.standing("1") is Standing.OPEN


def test_a_task_that_was_adopted_too_early_and_is_to_be_done_again_waits_for_its_turn() -> None:
    scheduler = Scheduler(graph_of(Node("1", files=("a",)), Node("2", ("1",), ("a",))))
    scheduler.started("2")
    scheduler.reopened("2")
    assert scheduler.ready() == ["1"]


def test_a_skipped_writer_does_not_let_a_later_one_pass_an_earlier_one_that_runs() -> None:
    nodes = (Node("0"), Node("1", files=("a",)), Node("2", ("0",), ("a",)), Node("3", ("1b",), ("a",)), Node("1b"))
    scheduler = Scheduler(graph_of(*nodes))
    scheduler.done("1b")
    scheduler.started("1")
    scheduler.started("0")
    assert scheduler.failed("0") == [Skipped("2", "0")]
    assert scheduler.ready() == []
    scheduler.done("1")
    assert scheduler.ready() == ["3"]


def test_a_writer_that_was_done_before_does_not_let_its_neighbours_run_together() -> None:
    nodes = (Node("1", files=("a",)), Node("2", files=("a",)), Node("3", files=("a",)))
    assert Scheduler(graph_of(*nodes), done=["2"]).ready() == ["1"]


@pytest.mark.parametrize("event", ["started", "done", "failed"])
def test_an_event_that_cannot_happen_is_refused(event: str) -> None:
    scheduler = Scheduler(graph_of(Node("1")), done=["1"])
    with pytest.raises(ValueError, match="task 1 is done"):
        getattr(scheduler, event)("1")


def test_tasks_in_a_folder_that_another_writes_run_side_by_side_and_never_beside_it() -> None:
    files = ("src/a.py", "src/b.py", "src/", "src/*.py", "src/c.ts", "docs/d.md")
    graph = build_graph([Node(str(number), files=(file,)) for number, file in enumerate(files, start=1)])
    assert isinstance(graph, Graph)
    scheduler = Scheduler(graph)
    assert sorted(scheduler.ready()) == ["1", "2", "6"]
    scheduler.started("1")
    scheduler.done("1")
    assert sorted(scheduler.ready()) == ["2", "6"]
    scheduler.failed("2")
    assert sorted(scheduler.ready()) == ["3", "6"]
    scheduler.started("3")
    assert scheduler.ready() == ["6"]
    scheduler.done("3")
    assert sorted(scheduler.ready()) == ["4", "5", "6"]


def test_an_adopted_writer_of_a_folder_stands_before_those_in_it() -> None:
    graph = build_graph([Node("1", files=("src/a.py",)), Node("2", files=("src/b.py",)), Node("3", files=("src/",))])
    assert isinstance(graph, Graph)
    scheduler = Scheduler(graph)
    scheduler.started("3")
    assert scheduler.ready() == []
    scheduler.done("3")
    assert sorted(scheduler.ready()) == ["1", "2"]
