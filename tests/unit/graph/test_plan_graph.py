"""A plan's tasks as a graph."""

from __future__ import annotations

from pathlib import Path

from bursar.graph import Graph, Node, build_graph, check_plan, plan_nodes, render_waves
from bursar.plan import Plan, Position, Task


def plan(*tasks: Task) -> Plan:
    return Plan(path=Path("08-02-PLAN.md"), id="08-02", phase="08", number="02", tasks=tasks)


def task(number: str, *depends_on: str, files: tuple[str, ...] = (), kind: str = "auto") -> Task:
    position = Position(int(number) * 10)
    return Task(number=number, name=f"Part {number}", type=kind, depends_on=depends_on, files=files, position=position)


def test_nodes_carry_what_tasks_say_and_checkpoints_write_nothing() -> None:
    tasks = (task("1", files=("a",)), task("2", "1", files=("a\\b",)), task("3", "2", files=("a",), kind="checkpoint"))
    assert plan_nodes(plan(*tasks)) == [Node("1", (), ("a",)), Node("2", ("1",), ("a/b",)), Node("3", ("2",))]


def test_a_plan_without_cycles_has_no_problems() -> None:
    assert check_plan(plan(task("1"), task("2", "1"))) == ()


def test_every_cycle_is_an_error_at_its_first_task() -> None:
    tasks = (task("1", "3"), task("2", "1"), task("3", "2"), task("4", "5"), task("5", "4"))
    found = check_plan(plan(*tasks))
    assert [str(problem) for problem in found] == [
        "08-02-PLAN.md:10:1: tasks wait for each other: 1 → 3 → 2 → 1",
        "08-02-PLAN.md:40:1: tasks wait for each other: 4 → 5 → 4",
    ]
    assert all(problem.is_error for problem in found)


def test_waves_as_text() -> None:
    tasks = (task("1"), task("2", "1", files=("a",)), task("3", "1", files=("a",)))
    graph = build_graph(plan_nodes(plan(*tasks)))
    assert isinstance(graph, Graph)
    assert render_waves(graph, {"1": "Lay out", "2": "Lend"}) == (
        "wave 1\n  1  Lay out\nwave 2\n  2  Lend  (after 1)\n  3  (after 1, 2)\n3 waits for 2: both write a"
    )
