"""Small plans to read: written for the tests, after the shapes that real ones have."""

from __future__ import annotations

from pathlib import Path

from bursar.plan import Plan, UnreadablePlan, parse_plan

PLAN_PATH = Path("phases/08-features/08-02-PLAN.md")


def task(
    number: int | str = 1,
    *,
    attributes: str = "",
    name: str | None = None,
    files: str = "src/a.py",
    action: str = "Write it.",
    extra: str = "",
) -> str:
    """A task element; `name` is the whole title, label and all."""
    title = f"Task {number}: Part {number}" if name is None else name
    return (
        f'<task type="auto"{" " + attributes if attributes else ""}>\n'
        f"  <name>{title}</name>\n  <files>{files}</files>\n"
        f"  <action>{action}</action>\n{extra}</task>\n"
    )


def plan_text(*tasks: str, front: str = "phase: 08-features\nplan: 02\n") -> str:
    """A whole plan file around task elements; the first task begins on line 7 when `front` has two lines."""
    return f"---\n{front}---\n\n<tasks>\n\n" + "\n".join(tasks) + "\n</tasks>\n"


def read(text: str, path: Path = PLAN_PATH) -> Plan:
    """The plan that `text` holds; fails with its problems where it holds none."""
    plan = parse_plan(text, path)
    assert isinstance(plan, Plan), [str(problem) for problem in plan.problems]
    return plan


def problems(text: str, path: Path = PLAN_PATH) -> list[str]:
    """Every problem of a text that must not be readable, as printed, without the path's folder."""
    plan = parse_plan(text, path)
    assert isinstance(plan, UnreadablePlan)
    return [str(problem).removeprefix("phases/08-features/") for problem in plan.problems]


def warnings(text: str, path: Path = PLAN_PATH) -> list[str]:
    """Every warning of a text that can be read."""
    return [str(warning).removeprefix("phases/08-features/") for warning in read(text, path).warnings]
