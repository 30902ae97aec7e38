"""A plan's tasks as a graph, and the graph as text."""

from __future__ import annotations

from collections.abc import Mapping

from bursar.graph.build import find_cycles
from bursar.graph.model import Graph, Node
from bursar.plan import Plan, Problem


def plan_nodes(plan: Plan) -> list[Node]:
    """One node for each task. A checkpoint writes nothing: a person acts there, before or after the agents."""
    return [
        Node(task.number, task.depends_on, () if task.is_checkpoint else tuple(map(_normal, task.files)))
        for task in plan.tasks
    ]


def check_plan(plan: Plan) -> tuple[Problem, ...]:
    """An error for each cycle of dependencies, at its first task in the file."""
    positions = {task.number: task.position for task in plan.tasks}
    return tuple(
        Problem(plan.path, positions[cycle.path[0]], f"tasks wait for each other: {cycle.drawing}")
        for cycle in find_cycles(plan_nodes(plan))
    )


def render_waves(graph: Graph, names: Mapping[str, str] | None = None) -> str:
    """The waves with their nodes, a line each, and the conflicts that order nodes of their own accord."""
    names = names or {}
    lines: list[str] = []
    for number, keys in enumerate(graph.waves(), start=1):
        lines.append(f"wave {number}")
        for key in keys:
            waits = ", ".join(graph.dependencies(key))
            name = f"  {names[key]}" if names.get(key) else ""
            lines.append(f"  {key}{name}" + (f"  (after {waits})" if waits else ""))
    lines += map(str, graph.conflicts)
    return "\n".join(lines)


def _normal(file: str) -> str:
    return file.replace("\\", "/")
