"""Bad plans: what is said, and where, to the column."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bursar.plan import Position, UnreadablePlan, parse_plan, read_plan
from tests.unit.plan.plan_texts import PLAN_PATH, plan_text, problems, read, task

FRONT = "front matter is not YAML that can be read: "


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("- `x`\n", "2:3: " + FRONT + "found character that cannot start any token"),
        ("phase: 1\nplan: 2\nphase: 3\n", "4:1: " + FRONT + "the key `phase` stands here a second time"),
        ("a:\n  b: 1\n  b: 2\n", "4:3: " + FRONT + "the key `b` stands here a second time"),
        ("a: &x [1]\nb: [*x, *x]\n", "3:5: " + FRONT + "aliases (`*x`) are not accepted"),
        ("a: !!python/object:os.system x\n", "2:4: " + FRONT + "tags are not accepted"),
        ("a: !custom {}\n", "2:4: " + FRONT + "tags are not accepted"),
        ("just words\n", "2:1: " + FRONT + "it should be `key: value` lines"),
        ("? [a, b]\n: c\n", "2:3: " + FRONT + "a key must be text"),
        ("a: " + "[" * 70 + "]" * 70 + "\n", "2:67: " + FRONT + "it is nested deeper than 64 levels"),
        (
            "".join(f"a{n}: 1\n" for n in range(501)) + "b: `\n",
            "503:4: " + FRONT + "found character that cannot start any",
        ),
        ("a: [1,\nb: [*x]\n", "3:5: " + FRONT + "aliases (`*x`) are not accepted"),
        ("a: [1,\nb: 1\nb: 2\n", "4:1: " + FRONT + "the key `b` stands here a second time"),
        ("a: " + "x" * 70_000 + "\n", "1:1: front matter is longer than 64 KiB"),
    ],
)
def test_front_matter_that_is_not_plain_yaml(front: str, expected: str) -> None:
    found = problems(plan_text(task(), front=front))
    assert found[-1].startswith(f"08-02-PLAN.md:{expected}")


@pytest.mark.parametrize(
    ("front", "expected", "left"),
    [
        (
            'phase: "Document\\("\n',
            "2:17: unknown escape character; `phase` is read as `Document\\(`",
            {"phase": "Document\\("},
        ),
        ("a: [1,\nplan: 2\n", "3:1: did not find expected node content; `a` is left out", {"plan": "2"}),
        ("a: \x07\nplan: 2\n", "2:4: control characters are not allowed; `a` is left out", {"plan": "2"}),
        ("plan: `2`\n", "2:7: found character that cannot start any token; `plan` is read as `2`", {"plan": "2"}),
        (
            'depends_on: ["01-01"] (types, and more)\nwave: 2\n',
            "2:23: did not find expected key; `depends_on` is read as `01-01`",
            {"depends_on": ["01-01"], "wave": "2"},
        ),
        (
            'files_modified:\n  - @a.py\n  - "b.py" new\n  - \'c.py\nwave: 2\n',
            "3:5: found character that cannot start any token; `files_modified` is read as `@a.py, b.py, c.py`",
            {"files_modified": ["@a.py", "b.py", "c.py"], "wave": "2"},
        ),
        (
            'must_haves:\n  truths:\n    - "a" b\nwave: 2\n',
            "4:11: did not find expected '-' indicator; `must_haves` is left out",
            {"wave": "2"},
        ),
    ],
)
def test_front_matter_that_is_no_yaml_is_read_key_by_key(front: str, expected: str, left: dict[str, object]) -> None:
    plan = read(plan_text(task(), front=front))
    place, _, words = expected.partition(": ")
    (found,) = [str(warning) for warning in plan.warnings]
    assert found.startswith(f"{PLAN_PATH}:{place}: {FRONT}")
    assert found.endswith(words)
    assert plan.front_matter == left


def test_a_tab_after_a_colon_is_a_blank() -> None:
    assert read(plan_text(task(), front="phase: \t08\n")).phase == "08"


def test_front_matter_that_is_never_closed() -> None:
    found = problems("---\nphase: 1\n\n" + task())
    assert found == ["08-02-PLAN.md:1:1: front matter is opened here and never closed"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1:1: there is no `<task>` in this file"]),
        ("# Plan\n\n### Task 1: Add login\n", ["3:1: task 1 has no action"]),
        ("<task>\n<name>A</name>\n</task>", ["1:1: task 1 has no action"]),
        ("<task>\n<action>Do it</action>\n</task>", ["1:1: task 1 has no name"]),
        ("<task>\n<name>A</name>\n<action> </action>\n</task>", ["1:1: task 1 has no action"]),
        ("\n  <task>\n<name>A</name>\n<action>B</action>\n", ["2:3: this `<task>` is never closed"]),
        (
            "<task>\n<name>A</name>\n<action>B</action>\n<task>\n<name>C</name>\n<action>D</action>\n</task>",
            ["1:1: this `<task>` is never closed"],
        ),
        (
            "<task>\n<name>A</name>\n  <action>B\n</task>",
            ["1:1: task 1 has no action", "3:3: `<action>` is never closed"],
        ),
        ('<task type="auto>\n<name>A</name>\n</task>\n' + task(1), ["1:1: this `<task>` tag cannot be read"]),
        (
            task(attributes='estimated-complexity="11"'),
            ["1:19: estimated-complexity is `11`, not a whole number from 1 to 10"],
        ),
        (
            task(attributes='estimated-complexity="0"'),
            ["1:19: estimated-complexity is `0`, not a whole number from 1 to 10"],
        ),
        (
            task(attributes='estimated-complexity="hard"'),
            ["1:19: estimated-complexity is `hard`, not a whole number from 1 to 10"],
        ),
        (
            task(attributes='estimated-complexity="5.5"'),
            ["1:19: estimated-complexity is `5.5`, not a whole number from 1 to 10"],
        ),
        (task(1) + task(1), ["6:1: task number 1 is taken: line 1 has it already"]),
        (task(1) + task("01"), ["6:1: task number 01 is taken: line 1 has it already"]),
        (task(1) + task(2, attributes='depends-on="9"'), ["6:1: task 2 depends on `9`, which is no task of this plan"]),
        (task(1) + task(2, attributes='depends-on="2"'), ["6:1: task 2 depends on itself"]),
    ],
)
def test_one_thing_wrong(text: str, expected: list[str]) -> None:
    assert problems(text) == [f"08-02-PLAN.md:{line}" for line in expected]


@pytest.mark.parametrize("budget", ["0", "-5", "lots", "", "1.5", "8k", "NaN", "1e3", "9" * 400, "٣"])
def test_a_token_budget_that_is_no_whole_number_above_0(budget: str) -> None:
    text = task(extra=f"<metrics>\n  <token-budget>{budget}</token-budget>\n</metrics>\n")
    (found,) = problems(text)
    assert found.startswith("08-02-PLAN.md:6:3: `<token-budget>` is `")
    assert found.endswith("not a whole number above 0")


def test_a_token_budget_that_is_never_closed_is_not_overlooked() -> None:
    text = task(extra="<metrics><token-budget>8000</tokenbudget></metrics>\n")
    assert problems(text) == ["08-02-PLAN.md:5:10: `<token-budget>` is never closed"]


def test_six_problems_of_a_plan_are_all_reported_at_once() -> None:
    text = plan_text(
        task(1, attributes='estimated-complexity="eleven"'),
        task(2, attributes='depends-on="7"'),
        task(2),
        task(4, action=""),
        task(5, extra="<metrics><token-budget>none</token-budget></metrics>\n"),
        front="phase: 08\nphase: 09\n",
    )
    assert problems(text) == [
        "08-02-PLAN.md:3:1: front matter is not YAML that can be read: the key `phase` stands here a second time",
        "08-02-PLAN.md:8:19: estimated-complexity is `eleven`, not a whole number from 1 to 10",
        "08-02-PLAN.md:14:1: task 2 depends on `7`, which is no task of this plan",
        "08-02-PLAN.md:20:1: task number 2 is taken: line 14 has it already",
        "08-02-PLAN.md:26:1: task 4 has no action",
        "08-02-PLAN.md:36:10: `<token-budget>` is `none`, not a whole number above 0",
    ]


def test_what_could_be_read_is_handed_back_beside_the_problems() -> None:
    plan = parse_plan(task(1) + task(2, action=""), PLAN_PATH)
    assert isinstance(plan, UnreadablePlan)
    assert [item.name for item in plan.tasks] == ["Part 1", "Part 2"]


def test_an_unknown_dependency_names_the_nearest_task() -> None:
    plan = parse_plan(task(1) + task(5) + task(6, attributes='depends-on="4"'), PLAN_PATH)
    assert isinstance(plan, UnreadablePlan)
    assert plan.problems[0].hint == "did you mean `5`?"


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "08-02-PLAN.md").write_text(task())
    path = tmp_path / "08-03-PLAN.md"
    plan = read_plan(path)
    assert isinstance(plan, UnreadablePlan)
    assert str(plan.problems[0]) == f"{path}:1:1: no such file"
    assert plan.problems[0].hint == f"there is {tmp_path / '08-02-PLAN.md'}"


def test_a_directory_is_told_from_a_plan_and_a_plan_in_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "08-02-PLAN.md").write_text(task())
    plan = read_plan(tmp_path)
    assert isinstance(plan, UnreadablePlan)
    assert str(plan.problems[0]) == f"{tmp_path}:1:1: is a directory, not a plan file"
    assert plan.problems[0].hint == f"name a plan in it, such as {tmp_path / '08-02-PLAN.md'}"


def test_an_empty_directory_still_gets_a_hint(tmp_path: Path) -> None:
    plan = read_plan(tmp_path)
    assert isinstance(plan, UnreadablePlan)
    assert plan.problems[0].hint == "name a PLAN.md file"


def test_a_file_of_50_mb_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "PLAN.md"
    with open(path, "wb") as file:
        file.truncate(50 * 1024 * 1024)
    plan = read_plan(path)
    assert isinstance(plan, UnreadablePlan)
    assert str(plan.problems[0]) == f"{path}:1:1: is 50.0 MiB large; a plan has at most 4 MiB"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"# plan\nab\0cd", "2:3: is a binary file (it holds a NUL byte)"),
        (b"\x7fELF\x02\x01\x01\0", "1:8: is a binary file (it holds a NUL byte)"),
        (b"# plan\ngr\xfc\xdfe\n", "2:3: is not UTF-8: byte 0xfc"),
        ("Grüße, 你".encode() + b"\xff", "1:9: is not UTF-8: byte 0xff"),
        (b"\xef\xbb\xbfab\xe4", "1:3: is not UTF-8: byte 0xe4"),
        ("plan".encode("utf-16"), "1:4: is a binary file (it holds a NUL byte)"),
    ],
)
def test_bytes_that_are_no_text(data: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "PLAN.md"
    path.write_bytes(data)
    plan = read_plan(path)
    assert isinstance(plan, UnreadablePlan)
    assert [str(problem) for problem in plan.problems] == [f"{path}:{expected}"]


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "PLAN.md"
    os.mkfifo(path)
    plan = read_plan(path)
    assert isinstance(plan, UnreadablePlan)
    assert str(plan.problems[0]) == f"{path}:1:1: is not a regular file"


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "file/below"])
def test_a_path_that_cannot_be_is_a_problem_not_an_exception(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    plan = read_plan(tmp_path / name)
    assert isinstance(plan, UnreadablePlan)
    assert plan.problems[0].position == Position(1, 1)


def test_more_than_10_000_headings_are_refused() -> None:
    text = "".join(f"### Task {number}: A\n\nB\n" for number in range(1, 10_002))
    assert problems(text)[-1] == "08-02-PLAN.md:30001:1: there are more than 10,000 tasks"


def test_a_task_of_too_many_elements_is_refused() -> None:
    text = "<task>\n<name>A</name>\n<action>B</action>\n" + "<files>a</files>\n" * 1_000 + "</task>\n"
    assert problems(text)[0] == "08-02-PLAN.md:1:1: this `<task>` has more than 1,000 elements"


def test_more_than_10_000_tasks_are_refused() -> None:
    text = "<task><name>A</name><action>B</action></task>\n" * 10_001
    assert problems(text)[-1] == "08-02-PLAN.md:10001:1: there are more than 10,000 tasks"


@pytest.mark.parametrize("tag", ["<task>", "</task>"])
def test_a_file_full_of_task_tags_is_refused_at_once(tag: str) -> None:
    assert problems(f"{tag}\n" * 40_001) == ["08-02-PLAN.md:1:1: there are more than 40,000 `<task>` tags"]


def test_a_list_of_files_that_is_no_list_is_refused() -> None:
    assert problems(task(files="a," * 40_000)) == ["08-02-PLAN.md:3:3: `<files>` is longer than 64 KiB"]
