"""Writes a plan value as the documented format has it; for tests, as nothing in the product writes whole plans."""

from __future__ import annotations

import json

from bursar.plan import Metrics, Plan, Task, TokenRange


def render_plan(plan: Plan) -> str:
    """A plan file that reads back as `plan`, places and digests apart."""
    front = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in plan.front_matter.items())
    context = "".join(f"@{path}\n" for path in plan.context_paths)
    tasks = "\n".join(map(render_task, plan.tasks))
    return (
        f"---\n{front}---\n\n<objective>\n{plan.objective}\n</objective>\n\n"
        f"<context>\n{context}</context>\n\n<tasks>\n\n{tasks}\n</tasks>\n"
    )


def render_task(task: Task) -> str:
    """One task element, every field said outright."""
    attributes = {
        "type": task.type,
        "subagent": task.subagent,
        "model": task.model,
        "parallel": "can-parallelize" if task.is_parallel else "sequential",
        "estimated-complexity": task.complexity,
        "depends-on": ",".join(task.depends_on),
        "context-mode": task.context_mode,
    }
    said = "".join(f' {name}="{encoded(str(value))}"' for name, value in attributes.items() if value is not None)
    children = [
        f"  <name>Task {task.number}: {encoded(task.name)}</name>",
        f"  <files>{encoded(', '.join(task.files))}</files>",
        f"  <action>{task.action}</action>",
        f"  <verify>{task.verify}</verify>",
        f"  <done>{task.done}</done>",
        *_metrics(task.metrics),
    ]
    return f"<task{said}>\n" + "\n".join(children) + "\n</task>\n"


def encoded(text: str) -> str:
    """Text in which nothing passes for a tag."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text


def _metrics(metrics: Metrics) -> list[str]:
    if metrics == Metrics():
        return []
    minutes = metrics.estimated_minutes
    parts = {
        "estimated-tokens": _range(metrics.estimated_tokens),
        "estimated-duration": None if minutes is None else f"{minutes[0]}-{minutes[1]}min",
        "estimated-by": metrics.estimated_by,
        "token-budget": metrics.token_budget,
        "complexity-breakdown": "".join(f"<{k}>{v}</{k}>" for k, v in metrics.complexity_breakdown.items()) or None,
    }
    said = [f"    <{name}>{value}</{name}>" for name, value in parts.items() if value is not None]
    return ["  <metrics>", *said, "  </metrics>"]


def _range(tokens: TokenRange | None) -> str | None:
    return None if tokens is None else f"{tokens.low}-{tokens.high}"
