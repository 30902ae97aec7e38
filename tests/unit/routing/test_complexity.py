"""The documented indicators of complexity, one by one, and the author's own word."""

from __future__ import annotations

import pytest

from bursar.plan import Task
from bursar.routing import Complexity, score_task, score_text


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ({}, 5),
        ({"action": "Read the module"}, 3),
        ({"action": "Read the module and implement it"}, 5),
        ({"name": "Fix the parser", "files": 1}, 3),
        ({"name": "Fix the parser", "files": 2}, 5),
        ({"name": "Fix the parser", "files": 1, "done": "the regex matches"}, 5),
        ({"action": "Add a field"}, 4),
        ({"action": "Add complex rules"}, 5),
        ({"action": "Choose the architecture"}, 8),
        ({"action": "A large-scale refactor"}, 8),
        ({"name": "Refactor the store", "files": 3}, 7),
        ({"name": "Refactor the store", "files": 2}, 5),
        ({"action": "Investigate why"}, 7),
        ({"name": "Refactor all", "files": 9, "action": "Research a design for a new layer"}, 10),
        ({"name": "Fix a typo", "action": "Review, then add the comma"}, 1),
    ],
)
def test_each_indicator_has_its_points(text: dict[str, str | int], score: int) -> None:
    scored = score_text(**text)  # type: ignore[arg-type]
    assert scored.score == score
    assert scored.reason.startswith("5 to begin with")


def test_reasons_name_what_was_found() -> None:
    assert score_text(action="Add a field").reason == "5 to begin with, -1 a plain addition (`add`)"


def test_the_authors_word_goes_first() -> None:
    task = Task(number="1", name="x", action="Choose the architecture", complexity=2)
    assert score_task(task) == Complexity(2, is_authors=True)
    assert score_task(task).reason == "the plan says so"
