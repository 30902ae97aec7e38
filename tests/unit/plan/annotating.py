"""Annotating a text in a test, with values that say where they come from."""

from __future__ import annotations

from pathlib import Path

from bursar.plan import (
    Annotated,
    ContextMode,
    Plan,
    TaskAnnotation,
    TokenRange,
    annotate,
    dependency_lines,
    explain_dependencies,
    parse_plan,
)
from tests.unit.plan.plan_texts import PLAN_PATH


def annotations_of(plan: Plan) -> dict[str, TaskAnnotation]:
    """One of everything for each task, and the order that the plan has."""
    return {
        task.number: TaskAnnotation(
            subagent="general-purpose",
            model="sonnet",
            is_parallel=False,
            complexity=5,
            depends_on=task.depends_on,
            context_mode=ContextMode.FRESH,
            estimated_tokens=TokenRange(12_000, 50_000),
        )
        for task in plan.tasks
    }


def section_of(plan: Plan) -> list[str]:
    """The lines of a dependency graph in which every task is a wave of its own."""
    models = dict.fromkeys((task.number for task in plan.tasks), "sonnet")
    waves = [[task.number] for task in plan.tasks]
    return dependency_lines(plan.tasks, waves, models=models, reasons=explain_dependencies(plan.tasks))


def annotated(text: str, path: Path = PLAN_PATH) -> Annotated:
    """The text with annotations; fails where it holds no plan or cannot be annotated."""
    plan = parse_plan(text, path)
    assert isinstance(plan, Plan), [str(problem) for problem in plan.problems]
    result = annotate(text, plan, annotations_of(plan), section_of(plan))
    assert isinstance(result, Annotated), str(result)
    return result
