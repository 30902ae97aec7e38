"""What of a task is known before it runs: its type, its facts; and how often such work succeeds."""

from __future__ import annotations

from typing import Any

import pytest

from bursar.estimation import SuccessRates, TaskType, build_key, choose_task_type
from bursar.plan import Task


def task(name: str = "", *files: str, **rest: Any) -> Task:
    return Task(number="1", name=name, files=files, **rest)


@pytest.mark.parametrize(
    ("given", "type_"),
    [
        (task("Research rate limits"), "file-read"),
        (task("Something", subagent="explore"), "file-read"),
        (task("Refactor the store", "src/store.py"), "complex-refactor"),
        (task("Migrate to the new client", "src/a.py", "src/b.py"), "complex-refactor"),
        (task("Design the schema", "docs/schema.md"), "architecture"),
        (task("Write down what was decided", "docs/decisions/1.md"), "architecture"),
        (task("Add tests for login", "src/login.py"), "test-write"),
        (task("Login", "tests/test_login.py"), "test-write"),
        (task("Login", "src/login.spec.ts"), "test-write"),
        (task("Add the login endpoint", "src/x.py"), "api-impl"),
        (task("Login", "src/api/login.py"), "api-impl"),
        (task("Login form", "src/form.py"), "simple-impl"),
        (task("Login form"), "unknown"),
        (task(""), "unknown"),
    ],
)
def test_the_type_is_told_by_the_first_words_then_by_the_files(given: Task, type_: str) -> None:
    assert choose_task_type(given) == type_


def test_the_plans_own_word_goes_first_and_nonsense_does_not() -> None:
    assert choose_task_type(task("Refactor", details={"task_type": " API-impl "})) is TaskType.API_IMPL
    assert choose_task_type(task("Refactor", details={"task_type": "hard"})) is TaskType.COMPLEX_REFACTOR


def test_a_key_has_counts_and_no_words() -> None:
    key = build_key(
        task("Secret name", "a", "b", action="secret", digest="d", complexity=4), "tokens", model="m", project="p"
    )
    assert (key.task, key.complexity, key.type, key.model) == ("d", 4, "simple-impl", "m")
    assert key.facts == {"files": 2, "action_characters": 6, "commands": 0, "waits_for": 0}
    assert "secret" not in repr(key).lower()


def test_a_correction_goes_before_everything() -> None:
    assert build_key(task("Refactor"), "tokens", model="m", project="p", type_="file-read").type == "file-read"


def test_success_is_borrowed_from_what_is_alike() -> None:
    rates, easy = SuccessRates(), build_key(task("x"), "tokens", model="good", project="")
    hard = build_key(task("x"), "tokens", model="bad", project="")
    assert (rates.estimate(easy).rate, rates.estimate(easy).observations) == (0.85, 0)
    for _ in range(30):
        rates.observe(easy, True)
        rates.observe(hard, False)
    other = build_key(task("Refactor"), "tokens", model="good", project="")
    rates.observe(other, False)
    assert rates.estimate(easy).rate > 0.85
    assert rates.estimate(hard).rate < 0.2
    assert 0.7 < rates.estimate(other).rate < rates.estimate(easy).rate  # another type, and the same model
    assert (rates.estimate(easy).observations, rates.estimate(other).observations) == (30, 1)
