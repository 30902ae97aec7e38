"""Which tasks a task waits for, by what it says or does not say."""

from __future__ import annotations

import pytest

from tests.unit.plan.plan_texts import plan_text, problems, read, task

PARALLEL = 'parallel="can-parallelize"'


def depends_on(*attributes: str) -> list[tuple[str, ...]]:
    return [
        item.depends_on for item in read(plan_text(*(task(n, attributes=a) for n, a in enumerate(attributes, 1)))).tasks
    ]


def test_without_a_word_each_waits_for_the_one_before() -> None:
    assert depends_on("", "", "") == [(), ("1",), ("2",)]


def test_a_parallel_task_waits_for_nothing() -> None:
    assert depends_on("", PARALLEL, PARALLEL) == [(), (), ()]


def test_a_sequential_task_waits_for_the_whole_run_of_parallel_ones_and_the_one_before_it() -> None:
    assert depends_on("", PARALLEL, PARALLEL, "", "") == [(), (), (), ("1", "2", "3"), ("4",)]


def test_a_run_at_the_start_and_a_second_run() -> None:
    assert depends_on(PARALLEL, PARALLEL, "", PARALLEL, "") == [(), (), ("1", "2"), (), ("3", "4")]


def test_an_empty_list_means_no_dependencies() -> None:
    assert depends_on("", 'depends-on=""', 'depends-on="[]"', 'depends-on="none"') == [(), (), (), ()]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1,2", ("1", "2")),
        ("1, 2", ("1", "2")),
        ("1 2", ("1", "2")),
        ("1 and 2", ("1", "2")),
        ("Task 3", ("3",)),
        ("Tasks 1, 3", ("1", "3")),
        ("Task 1, Task 2", ("1", "2")),
        ("task-1", ("1",)),
        ("task_2", ("2",)),
        ("#2", ("2",)),
        ("[1, 3]", ("1", "3")),
        ("['1']", ("1",)),
        ("01", ("1",)),
        ("1-3", ("1", "2", "3")),
        ("2–3", ("2", "3")),
        ("3,1,3", ("3", "1")),
        ("None", ()),
        ("n/a", ()),
    ],
)
def test_wordings(value: str, expected: tuple[str, ...]) -> None:
    text = plan_text(task(1), task(2), task(3), task(4, attributes=f"depends-on='{value.replace(chr(39), '&apos;')}'"))
    assert read(text).tasks[3].depends_on == expected


def test_labels_and_ids_both_name_a_task() -> None:
    text = plan_text(
        task("16-01-1"),
        task(name="Second", attributes='id="setup-task-2"'),
        task("7", attributes='id="T7" depends-on="16-01-1, setup-task-2"'),
        task("8", attributes='depends-on="T7"'),
    )
    assert [item.depends_on for item in read(text).tasks] == [(), ("16-01-1",), ("16-01-1", "setup-task-2"), ("7",)]


@pytest.mark.parametrize(
    ("value", "unknown"),
    [
        ("9", "9"),
        ("1,x", "x"),
        ("Task 12", "12"),
        ("1-9", "1-9"),
        ("0", "0"),
        ("-1", "-1"),
        ("first", "first"),
        ("02-01", "02-01"),
    ],
)
def test_unknown_names_are_errors_at_the_task(value: str, unknown: str) -> None:
    text = plan_text(task(1), task(2, attributes=f'depends-on="{value}"'))
    assert problems(text) == [f"08-02-PLAN.md:14:1: task 2 depends on `{unknown}`, which is no task of this plan"]


def test_every_unknown_name_is_reported() -> None:
    assert len(problems(plan_text(task(1, attributes='depends-on="7,8,9"')))) == 3


def test_a_cycle_is_left_to_the_graph() -> None:
    assert depends_on('depends-on="2"', 'depends-on="1"') == [("2",), ("1",)]
