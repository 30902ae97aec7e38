"""What of a task is known before it runs."""

from __future__ import annotations

from bursar.estimation.key import Key
from bursar.estimation.task_types import choose_task_type
from bursar.plan import Task


def build_key(task: Task, measure: str, *, model: str, project: str, type_: str | None = None) -> Key:
    """The task as estimates know it; `type_` goes before what is inferred."""
    return Key(
        measure=measure,
        model=model,
        type=type_ or choose_task_type(task),
        complexity=task.complexity,
        project=project,
        task=task.digest,
        facts=task_facts(task),
    )


def task_facts(task: Task) -> dict[str, float]:
    """Counts and sizes that the plan gives away; none of what it says."""
    return {
        "files": len(task.files),
        "action_characters": len(task.action),
        "commands": len(task.commands),
        "waits_for": len(task.depends_on),
    }
