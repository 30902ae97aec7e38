"""What a plan can be told of its tasks: as they would be run today, and nothing that changes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bursar.graph import Graph, build_graph, plan_nodes
from bursar.plan import ContextMode, Metrics, Plan, Task, TaskAnnotation, TokenRange
from bursar.routing import choose_annotations, choose_complexity, choose_route, choose_subagent, effective_model


def made(number: int = 1, *, files: tuple[str, ...] = ("a.py",), name: str = "Build it") -> Task:
    return Task(number=str(number), name=name, files=files, action="Write it.")


def annotated(*tasks: Task) -> dict[str, TaskAnnotation]:
    graph = build_graph(plan_nodes(Plan(path=Path("p"), id="1-1", phase="1", number="1", tasks=tasks)))
    assert isinstance(graph, Graph)
    return choose_annotations(tasks, graph)


@pytest.mark.parametrize(
    ("task", "subagent"),
    [
        (made(), "general-purpose"),
        (made(name="Explore the code"), "general-purpose"),
        (made(files=(".planning/phases/09-x/09-01-PLAN.md",)), "plan"),
        (made(files=(".planning/ROADMAP.md", "README.md")), "general-purpose"),
        (made(files=(), name="Explore the code"), "explore"),
        (made(files=(), name="review what is there"), "explore"),
        (made(files=(), name="Reading lists"), "general-purpose"),
        (made(files=(), name="Plan the migration"), "plan"),
        (replace(made(files=(), name="Deploy"), commands=("make deploy",)), "bash"),
        (made(files=(), name="Deploy"), "general-purpose"),
    ],
)
def test_the_subagent(task: Task, subagent: str) -> None:
    assert choose_subagent(task) == subagent


@pytest.mark.parametrize(
    ("task", "model"),
    [
        (made(), "sonnet"),
        (replace(made(), complexity=3), "haiku"),
        (replace(made(), complexity=9), "opus"),
        (replace(made(), subagent="explore"), "haiku"),
        (replace(made(), model="opus", complexity=1), "opus"),
        (replace(made(), model="Haiku"), "haiku"),
        (replace(made(), model="claude-opus-4-1"), "claude-opus-4-1"),
        (replace(made(), type="checkpoint:decision"), None),
    ],
)
def test_the_model_is_the_one_of_today(task: Task, model: str | None) -> None:
    assert effective_model(task) == model


@pytest.mark.parametrize("files", range(10))
@pytest.mark.parametrize("length", [10, 2_000, 9_000])
@pytest.mark.parametrize("model", [None, "haiku", "sonnet", "opus", "some-model"])
def test_being_written_down_changes_no_route(files: int, length: int, model: str | None) -> None:
    """The complexity alone leads to the same tier as well, so that dropping one attribute changes nothing either."""
    task = replace(made(files=tuple(f"{n}.py" for n in range(files))), action="x" * length, model=model)
    annotation = annotated(task)["1"]
    today = choose_route(task).model_or_tier
    written = replace(
        task, model=annotation.model, complexity=annotation.complexity, subagent=annotation.subagent or ""
    )
    assert choose_route(written).model_or_tier == today
    if model != "some-model":
        assert choose_route(replace(written, model=None)).model_or_tier == today


def test_complexity_grows_with_files_and_text_within_the_tier() -> None:
    sizes = [made(files=tuple(map(str, range(n)))) for n in (0, 1, 2, 4, 7, 30)]
    assert [choose_complexity(task) for task in sizes] == [4, 4, 5, 6, 6, 6]
    assert choose_complexity(replace(sizes[-1], action="x" * 5_000)) == 8
    assert choose_complexity(replace(sizes[-1], action="x" * 5_000, model="haiku")) == 3
    assert choose_complexity(replace(sizes[-1], complexity=1)) == 1


def test_tokens_are_the_authors_or_a_guess() -> None:
    own = replace(made(), metrics=Metrics(estimated_tokens=TokenRange(5, 8)))
    assert annotated(own)["1"].estimated_tokens == TokenRange(5, 8)
    assert annotated(replace(made(), complexity=5))["1"].estimated_tokens == TokenRange(12_000, 50_000)
    assert annotated(replace(made(), complexity=1))["1"].estimated_tokens == TokenRange(5_000, 20_000)
    assert annotated(replace(made(), complexity=10))["1"].estimated_tokens == TokenRange(22_000, 88_000)
    capped = replace(made(), complexity=5, metrics=Metrics(token_budget=3))
    assert annotated(capped)["1"].estimated_tokens == TokenRange(1, 3)


def test_what_may_run_beside_another() -> None:
    one, two, three = made(1), made(2, files=("b",)), made(3, files=("c",))
    chain = annotated(one, replace(two, depends_on=("1",)), replace(three, depends_on=("2",)))
    assert [item.is_parallel for item in chain.values()] == [False, False, False]
    fan = annotated(one, replace(two, depends_on=("1",)), replace(three, depends_on=("1",)))
    assert [item.is_parallel for item in fan.values()] == [False, True, True]
    loose = annotated(one, replace(two, depends_on=("1",)), three)
    assert [item.is_parallel for item in loose.values()] == [True, True, True]
    same_file = annotated(one, replace(two, files=("a.py",)))
    assert [item.is_parallel for item in same_file.values()] == [False, False]


def test_a_checkpoint_has_a_place_and_nothing_else() -> None:
    gate = replace(made(2, files=()), type="checkpoint:human-verify", depends_on=("1",))
    assert annotated(made(1), gate)["2"] == TaskAnnotation(is_parallel=False, depends_on=("1",))
    assert annotated(made(1))["1"].context_mode is ContextMode.FRESH
