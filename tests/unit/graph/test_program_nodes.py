"""Tasks of several plans in one graph: files that two plans may write put them in order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bursar.graph import Graph, build_graph, program_nodes
from bursar.plan import Part, Plan, Task, build_program


def part(plan_id: str, *tasks: Task, writes: Sequence[str] = ()) -> Part:
    plan = Plan(
        path=Path(f"{plan_id}-PLAN.md"), id=plan_id, phase="", number="", tasks=tasks, files_modified=tuple(writes)
    )
    return Part(plan=plan)


def files_of(*parts: Part) -> dict[str, tuple[str, ...]]:
    program = build_program(parts, {}, id_="x", path=Path("x"))
    return {node.key: node.files for node in program_nodes(program)}


def task(number: str, *files: str, after: Sequence[str] = (), kind: str = "auto") -> Task:
    return Task(number=number, name=number, files=files, depends_on=tuple(after), type=kind)


def test_a_file_that_one_plan_alone_writes_orders_nothing() -> None:
    found = files_of(part("1-01", task("1", "a"), task("2"), writes=["a", "b"]), part("1-02", task("1"), writes=["c"]))
    assert found == {"1-01/1": ("a",), "1-01/2": (), "1-02/1": ()}


def test_tasks_without_files_write_what_their_plans_share() -> None:
    one = part("1-01", task("1", "a"), task("2"), task("3", kind="checkpoint:decision"), writes=["a", "s"])
    found = files_of(one, part("1-02", task("1", "b"), writes=["b", "s"]))
    assert found == {"1-01/1": ("a",), "1-01/2": ("s",), "1-01/3": (), "1-02/1": ("b", "s")}


def test_a_task_of_another_plan_may_write_it_too() -> None:
    found = files_of(part("1-01", task("1"), writes=["src/"]), part("1-02", task("1", "src/x.py")))
    assert found == {"1-01/1": ("src/",), "1-02/1": ("src/x.py",)}


def test_edges_between_plans_lead_from_the_last_tasks_to_the_first() -> None:
    one = part("1-01", task("1"), task("2", after=["1"]), task("3", after=["1"]))
    two = part("1-02", task("1"), task("2", after=["1"]))
    program = build_program([one, two], {"1-02": ["1-01", "1-00"]}, id_="x", path=Path("x"))
    graph = build_graph(program_nodes(program))
    assert isinstance(graph, Graph)
    assert graph.dependencies("1-02/1") == ("1-01/2", "1-01/3")
    assert graph.dependencies("1-02/2") == ("1-02/1",)
    assert program.numbers_of(two) == ("1-02/1", "1-02/2")


def test_the_digest_is_that_of_all_plans_in_their_order() -> None:
    one, two = part("1-01", task("1")), part("1-02", task("1"))
    digests = {
        build_program(parts, {}, id_="x", path=Path("x")).whole.digest for parts in ([one, two], [two, one], [one])
    }
    assert len(digests) == 3
