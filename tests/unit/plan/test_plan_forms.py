"""Plans whose tasks are written as headings or features, or not at all; and what stands in a task without elements."""

from __future__ import annotations

import pytest

from bursar.plan import Plan, PlanForm, Task, UnreadablePlan, parse_plan
from tests.unit.plan.plan_texts import PLAN_PATH, plan_text, read, task, warnings

HEADINGS = """\
# Plan 3: Search

## Goal

Find things.

## Tasks

### Task 1: Build the index

**Files:** `src/index.py`, `tests/test_index.py`

**What:** Read every note once.

```python
### Task 9: not a task
```

**Verification:** `pytest tests/test_index.py -q`

**Done when:** every note is found

---

### Task 2 — Ask the index

**Files:**

- `src/ask.py` (new)
- `src/cli.py`

**Depends on:** Task 1 (the index)

Ask it.

#### Ranking

Newest first.

## Verification

All of it.
"""


def test_tasks_that_are_headings() -> None:
    plan = read(HEADINGS)
    first, second = plan.tasks
    assert (plan.form, plan.warnings) == (PlanForm.HEADINGS, ())
    assert [(item.number, item.name, item.type) for item in plan.tasks] == [
        ("1", "Build the index", "auto"),
        ("2", "Ask the index", "auto"),
    ]
    assert (first.files, second.files) == (
        ("src/index.py", "tests/test_index.py"),
        ("src/ask.py", "src/cli.py"),
    )
    assert first.action == "**What:** Read every note once.\n\n```python\n### Task 9: not a task\n```"
    assert (first.commands, first.done) == (("pytest tests/test_index.py -q",), "every note is found")
    assert second.action == "Ask it.\n\n#### Ranking\n\nNewest first."
    assert (second.depends_on, second.position.line) == (("1",), 25)


@pytest.mark.parametrize(
    ("heading", "number", "name"),
    [
        ("### Task 1: Add login", "1", "Add login"),
        ("## Task 2 — Add login", "2", "Add login"),
        ("### Task 1-01-01: Add login", "1-01-01", "Add login"),
        ("### T3. Add login", "3", "Add login"),
        ("#### Task 4 - Add login", "4", "Add login"),
        ("### **Task 5: Add login**", "5", "Add login"),
        ("### [x] Task 6: Add login", "6", "Add login"),
        ("### ✅ Task 7: Add login", "7", "Add login"),
        ("### Task 8: Add `login` ✅", "8", "Add `login` ✅"),
    ],
)
def test_a_heading_that_is_a_task(heading: str, number: str, name: str) -> None:
    (found,) = read(f"{heading}\n\nDo it.\n").tasks
    assert (found.number, found.name, found.action) == (number, name, "Do it.")


@pytest.mark.parametrize(
    "heading",
    [
        "# Task 1: Title of the file",
        "### Tasks",
        "### Task list: what to do",
        "Task 1: no heading",
        "### Phase 1: Login",
    ],
)
def test_a_heading_that_is_no_task(heading: str) -> None:
    plan = parse_plan(f"{heading}\n\nDo it.\n", PLAN_PATH)
    assert isinstance(plan, UnreadablePlan)
    assert (plan.draft and plan.draft.form, plan.tasks) == (PlanForm.NONE, ())


def test_elements_win_over_headings() -> None:
    plan = read(plan_text("### Task 1: A\n\n" + task(1), "### Task 2: B\n\n" + task(2)))
    assert (plan.form, [item.name for item in plan.tasks]) == (PlanForm.XML, ["Part 1", "Part 2"])


def test_headings_within_tasks_tags() -> None:
    text = "<tasks>\n\n### Task 1: A\n\nDo A.\n\n### Task 2: B\n\nDo B.\n\n</tasks>\n\nThe end.\n"
    text = text.replace("\n", "\r\n")
    assert [(item.name, item.action) for item in read(text).tasks] == [("A", "Do A."), ("B", "Do B.")]


def test_tag_words_as_decoration() -> None:
    text = """\
## <tasks>

### Task 1: A

**<files>**
- `a.py`
- b.py

**<action>**
Do A.

**<verify>** `make check` **</verify>**

### Task 2: B

<files>c.py</files>
<action>
Do B.
</action>
<done>B works</done>

## </tasks>

The end.
"""
    first, second = read(text).tasks
    assert (first.files, first.action, first.commands) == (("a.py", "b.py"), "Do A.", ("make check",))
    assert (second.files, second.action, second.done) == (("c.py",), "Do B.", "B works")


def test_a_heading_task_for_a_person() -> None:
    text = "### Task 1: Look at it (checkpoint:human-verify)\n\nOpen it.\n\n### Task 2: B\n\n**Type:** `tdd`\n\nDo B.\n"
    first, second = read(text).tasks
    assert (first.is_checkpoint, first.type, second.type, second.is_tdd) == (
        True,
        "checkpoint:human-verify",
        "tdd",
        True,
    )


def test_a_dependency_in_prose_below_a_heading_is_warned_of() -> None:
    text = "### Task 1: A\n\nDo A.\n\n### Task 2: B\n\n**Depends on:** the plan before, and luck\n\nDo B.\n"
    assert warnings(text) == [
        "08-02-PLAN.md:7:1: it is not understood what tasks `the plan before, and luck` are; "
        "this task waits for the one before"
    ]
    assert read(text).tasks[1].depends_on == ("1",)


def test_a_dependency_on_nothing_below_a_heading() -> None:
    text = "### Task 1: A\n\nDo A.\n\n### Task 2: B\n\n**Depends on:** None\n\nDo B.\n"
    assert read(text).tasks[1].depends_on == ()


def test_features_are_tasks_that_begin_with_a_test() -> None:
    text = """\
<feature>
  <name>Signature check</name>
  <files>src/sign.py, tests/test_sign.py</files>
  <behavior>
    - right key → True
  </behavior>
  <implementation>Compare in constant time.</implementation>
</feature>

<feature>
  <name>Replay check</name>
  <implementation>Keep the last ids.</implementation>
</feature>
"""
    plan = read(text)
    first, second = plan.tasks
    assert (plan.form, first.type, first.is_tdd) == (PlanForm.FEATURE, "tdd", True)
    assert (first.name, first.files) == ("Signature check", ("src/sign.py", "tests/test_sign.py"))
    assert (first.action, first.details) == ("Compare in constant time.", {"behavior": "- right key → True"})
    assert second.depends_on == ("1",)


def test_a_feature_that_is_never_closed() -> None:
    plan = parse_plan("<feature>\n<name>A</name>\n<implementation>B</implementation>\n", PLAN_PATH)
    assert isinstance(plan, UnreadablePlan)
    assert [str(problem.message) for problem in plan.problems] == ["this `<feature>` is never closed"]


def test_a_plan_without_tasks_is_shown_and_not_run() -> None:
    plan = parse_plan("---\nphase: 08-features\nplan: 2\nwave: 1\n---\n\n<objective>Later.</objective>\n", PLAN_PATH)
    assert isinstance(plan, UnreadablePlan)
    assert isinstance(plan.draft, Plan)
    assert [problem.message for problem in plan.problems] == ["there is no task in this file"]
    assert (plan.draft.id, plan.draft.form, plan.draft.wave) == ("08-02", PlanForm.NONE, 1)
    assert plan.draft.objective == "Later."


def only(text: str) -> Task:
    (found,) = read(text).tasks
    return found


def test_a_task_with_markdown_in_place_of_elements() -> None:
    found = only('<task type="auto" name="A">\n**Files:** `a.py`\n\nDo A.\n\n**Verify:** `make check`\n</task>\n')
    assert (found.name, found.files, found.action) == ("A", ("a.py",), "Do A.")
    assert found.commands == ("make check",)


def test_labels_in_an_action_are_text() -> None:
    found = only("<task>\n<name>A</name>\n<action>\n**Files:** not these\n</action>\n</task>\n")
    assert (found.files, found.action) == ((), "**Files:** not these")


def test_text_beside_an_action_is_no_action() -> None:
    assert only("<task>\nSome words\n<name>A</name>\n<action>Do it</action>\n</task>\n").action == "Do it"


def test_a_task_without_a_name_is_warned_of_and_called_by_what_it_does() -> None:
    text = "<task>\n<action>Do it\nat once</action>\n</task>"
    assert warnings(text) == ["08-02-PLAN.md:1:1: task 1 has no name"]
    assert (only(text).name, only(text).title) == ("", "Do it at once")


def test_what_other_elements_say_is_kept() -> None:
    extra = "<read_first>a.py</read_first>\n<acceptance_criteria>\n- fast\n</acceptance_criteria>\n"
    assert only(task(extra=extra)).details == {"read_first": "a.py", "acceptance_criteria": "- fast"}
