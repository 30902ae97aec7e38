"""Which model a task is given by the documented rules."""

from __future__ import annotations

import pytest

from bursar.plan import Task
from bursar.routing import choose_route


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (Task(number="1", name="x"), "medium"),
        (Task(number="1", name="x", model="haiku"), "small"),
        (Task(number="1", name="x", model="Sonnet"), "medium"),
        (Task(number="1", name="x", model="opus", complexity=1), "large"),
        (Task(number="1", name="x", model="claude-sonnet-4-5"), "claude-sonnet-4-5"),
        (Task(number="1", name="x", complexity=1), "small"),
        (Task(number="1", name="x", complexity=3), "small"),
        (Task(number="1", name="x", complexity=4), "medium"),
        (Task(number="1", name="x", complexity=8), "medium"),
        (Task(number="1", name="x", complexity=9), "large"),
        (Task(number="1", name="x", complexity=10), "large"),
        (Task(number="1", name="x", subagent="explore"), "small"),
        (Task(number="1", name="x", subagent="explore", complexity=9), "large"),
    ],
)
def test_the_plan_goes_before_complexity_and_complexity_before_the_middle(task: Task, expected: str) -> None:
    route = choose_route(task)
    assert route.model_or_tier == expected
    assert route.reason
