"""What a well-written plan is read as."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bursar.plan import ContextMode, Metrics, Plan, Position, TokenRange, read_plan
from tests.unit.plan.plan_texts import plan_text, read, task, warnings

COMPLETE = """\
---
phase: 08-features
plan: 02
type: execute
domain: library
---

<objective>
Lend books, and know who has them.

Purpose: the desk stops keeping paper cards.
</objective>

<execution_context>
@~/.planning/how-we-work.md
./summary.md
</execution_context>

<context>
@.planning/PROJECT.md
- @src/lending/
```python
@decorator
def sample(): ...
```
@src/books.py  (the catalogue)
</context>

<task_dependency_graph>
Task 1 → Task 2 → Tasks 3 and 4 → Task 5
</task_dependency_graph>

<tasks>

<task type="auto"
      subagent="general-purpose"
      model="sonnet"
      parallel="sequential"
      depends-on=""
      context-mode="inherited">
  <name>Task 1: Lay out the package</name>
  <files>src/lending/__init__.py, src/lending/loans.py</files>
  <action>Create the package with a Loan class. Keep it <20 lines.</action>
  <verify>python -c "import lending"</verify>
  <done>It can be imported</done>
  <metrics>
    <estimated-tokens>3000-5000</estimated-tokens>
    <estimated-duration>8-12min</estimated-duration>
  </metrics>
</task>

<!-- two at once from here -->

<task type='auto' model='haiku' parallel='can-parallelize' depends-on='1' estimated-complexity='3'>
  <name>Task 2: Lend a book</name>
  <files>src/lending/lend.py</files>
  <action>
    Write lend(book: Book, to: Reader) -> Loan.

      if a && b:
          raise Map<string, boolean>
  </action>
  <verify>lending works and returns a loan</verify>
  <done>Tests pass</done>
  <metrics>
    <estimated-tokens>5k–8k</estimated-tokens>
    <estimated-duration>1-2h</estimated-duration>
    <token-budget>8,000</token-budget>
    <complexity-breakdown>
      <file-reading>2000</file-reading>
      <testing>1500</testing>
    </complexity-breakdown>
  </metrics>
</task>

<task type="auto" parallel="can-parallelize" depends-on="Task 1">
  <name>Task 3: Return a book</name>
  <files>src/lending/give_back.py</files>
  <action>Write it.</action>
</task>

<task type="checkpoint:human-verify" gate="blocking">
  <what-built>The desk</what-built>
  <how-to-verify>Lend a book, give it back.</how-to-verify>
</task>

</tasks>
"""


@pytest.fixture(scope="module")
def complete() -> Plan:
    return read(COMPLETE)


def test_identity_objective_and_context(complete: Plan) -> None:
    assert (complete.id, complete.phase, complete.number) == ("08-02", "08-features", "02")
    assert complete.objective == "Lend books, and know who has them.\n\nPurpose: the desk stops keeping paper cards."
    assert complete.context_paths == (
        "~/.planning/how-we-work.md",
        ".planning/PROJECT.md",
        "src/lending/",
        "src/books.py",
    )
    assert complete.front_matter == {"phase": "08-features", "plan": "02", "type": "execute", "domain": "library"}
    assert complete.warnings == ()


def test_every_attribute_of_a_task(complete: Plan) -> None:
    first, second, third, checkpoint = complete.tasks
    assert (first.number, first.name, first.model) == ("1", "Lay out the package", "sonnet")
    assert first.context_mode is ContextMode.INHERITED
    assert first.position == Position(35, 1)
    assert second.complexity == 3
    assert second.is_parallel
    assert second.context_mode is ContextMode.FRESH
    assert (third.model, third.complexity, third.subagent) == (None, None, "general-purpose")
    assert checkpoint.is_checkpoint
    assert (checkpoint.name, checkpoint.action, checkpoint.number) == ("", "", "4")


def test_every_child_of_a_task(complete: Plan) -> None:
    first, second = complete.tasks[:2]
    assert first.files == ("src/lending/__init__.py", "src/lending/loans.py")
    assert first.action == "Create the package with a Loan class. Keep it <20 lines."
    assert first.commands == ('python -c "import lending"',)
    assert first.done == "It can be imported"
    assert second.action == (
        "Write lend(book: Book, to: Reader) -> Loan.\n\n  if a && b:\n      raise Map<string, boolean>"
    )
    assert (second.verify, second.commands) == ("lending works and returns a loan", ())


def test_metrics(complete: Plan) -> None:
    first, second, third = complete.tasks[:3]
    assert first.metrics == Metrics(estimated_tokens=TokenRange(3000, 5000), estimated_minutes=(8, 12))
    assert second.metrics == Metrics(
        estimated_tokens=TokenRange(5000, 8000),
        estimated_minutes=(60, 120),
        token_budget=8000,
        complexity_breakdown={"file-reading": 2000, "testing": 1500},
    )
    assert third.metrics == Metrics()


def test_dependencies(complete: Plan) -> None:
    # The checkpoint is sequential: it waits for the whole run of parallel tasks, and for task 1 before it.
    assert [task.depends_on for task in complete.tasks] == [(), ("1",), ("1",), ("1", "2", "3")]


def test_windows_line_ends_and_a_byte_order_mark_change_nothing_but_the_digest(complete: Plan, tmp_path: Path) -> None:
    path = tmp_path / "08-02-PLAN.md"
    data = b"\xef\xbb\xbf" + COMPLETE.replace("\n", "\r\n").encode()
    path.write_bytes(data)
    plan = read_plan(path)
    assert isinstance(plan, Plan)
    assert plan.tasks == complete.tasks
    assert plan.objective == complete.objective
    assert plan.digest == hashlib.sha256(data).hexdigest()
    assert complete.digest == hashlib.sha256(COMPLETE.encode()).hexdigest()


def test_a_tasks_digest_is_its_own_text() -> None:
    before = read(plan_text(task(1), task(2)))
    after = read("\n" + plan_text(task(1), task(2, action="Write more.")).replace("<tasks>", "## Tasks\n"))
    assert before.tasks[0].digest == after.tasks[0].digest
    assert before.tasks[1].digest != after.tasks[1].digest


def test_all_digits_in_front_matter_stay_as_written() -> None:
    plan = read(plan_text(task(), front="phase: 12.10\nplan: 08\nwave: 3\nwhen: 2026-05-20\nautonomous: false\n"))
    assert plan.front_matter == {
        "phase": "12.10",
        "plan": "08",
        "wave": "3",
        "when": "2026-05-20",
        "autonomous": False,
    }
    assert plan.id == "12.10-08"


def test_tasks_without_a_wrapper_with_rules_and_headings_between() -> None:
    text = "# Plan\n\n## Tasks\n\n### Task 9: other name\n\n" + task(1) + "\n---\n\n### Task 2\n" + task(2)
    assert [item.name for item in read(text).tasks] == ["Part 1", "Part 2"]


def test_a_commented_out_task_is_no_task() -> None:
    text = plan_text(task(1), "<!--\n" + task(2) + "-->\n", task(3))
    assert [item.number for item in read(text).tasks] == ["1", "3"]


def test_a_comment_that_is_never_closed_hides_nothing() -> None:
    assert len(read(plan_text(task(1), "<!-- not closed\n", task(2))).tasks) == 2


def test_a_commented_out_child_does_not_count() -> None:
    text = plan_text(task(1, extra="  <!--\n  <files>old.py</files>\n  -->\n"))
    assert read(text).tasks[0].files == ("src/a.py",)


def test_a_sample_in_a_fence_outside_the_tasks_is_no_task() -> None:
    sample = "```xml\n" + task(7) + task(8) + "```\n\n"
    assert [item.number for item in read(sample + plan_text(task(1), front="")).tasks] == ["1"]


def test_a_left_over_fence_mark_hides_no_task() -> None:
    text = "<context>\n```\nleft over\n</context>\n" + task(1) + task(2) + "\n```bash\nmake\n```\n"
    assert len(read(text).tasks) == 2


@pytest.mark.parametrize(
    ("markup", "number", "name"),
    [
        ("<name>Task 4: Add login</name>", "4", "Add login"),
        ("<name>task 4 - Add login</name>", "4", "Add login"),
        ("<name>Task 16-01-1: Add login</name>", "16-01-1", "Add login"),
        ("<name>W1 Task 1: Add login</name>", "1", "W1 Task 1: Add login"),
        ("<name>Task 2. Add login</name>", "2", "Add login"),
        ("<name>Task 2 — Add login: both ways</name>", "2", "Add login: both ways"),
        ("<name>Task 4</name>", "4", "Task 4"),
        ("<name>Task runner: speed up</name>", "1", "Task runner: speed up"),
        ("<name>  Add\n    login </name>", "1", "Add login"),
        ("<title>Task 3: Add login</title>", "3", "Add login"),
        ("<name></name><title>Add login</title>", "1", "Add login"),
        ("<name>GET /lists/&lt;id&gt; &amp; more</name>", "1", "GET /lists/<id> & more"),
        ("<name>Use <name> and <T> here</name>", "1", "Use <name> and <T> here"),
        ("<name>Task 5: Grüße — 你好</name>", "5", "Grüße — 你好"),
    ],
)
def test_number_and_name(markup: str, number: str, name: str) -> None:
    found = read(f"<task>\n{markup}\n<action>Do it</action>\n</task>\n").tasks[0]
    assert (found.number, found.name, found.type) == (number, name, "auto")


@pytest.mark.parametrize(
    ("attributes", "number", "name"),
    [
        ('name="Add login"', "1", "Add login"),
        ("title='Task 7: Add login'", "7", "Add login"),
        ('id="01-01-T1" name="Add login"', "01-01-T1", "Add login"),
        ('id="task-3" name="a -> b &lt;T&gt;"', "3", "a -> b <T>"),
        ('number="6" name="Add login"', "6", "Add login"),
        ('id="9" name="Task 2: Add login"', "2", "Add login"),
    ],
)
def test_number_and_name_from_attributes(attributes: str, number: str, name: str) -> None:
    found = read(f"<task {attributes}><action>Do it</action></task>").tasks[0]
    assert (found.number, found.name) == (number, name)


def test_a_position_never_takes_a_number_that_a_label_has() -> None:
    text = plan_text(task(2), task(name="Unlabelled"), task(name="Another"), task(3))
    assert [item.number for item in read(text).tasks] == ["2", "4", "5", "3"]


@pytest.mark.parametrize("kind", ["auto", "tdd", "tracer", "code", "execute", "manual", "interactive", "checkpoint"])
def test_known_types_are_accepted_silently(kind: str) -> None:
    plan = read(plan_text(task().replace('type="auto"', f'type="{kind}"')))
    assert (plan.tasks[0].type, plan.warnings) == (kind, ())


def test_odd_values_are_warnings_at_their_place() -> None:
    first = task(1, attributes='parallel="maybe" context-mode="warm"').replace('"auto"', '"dance"')
    second = task(
        2,
        files="/etc/passwd, ../../x",
        extra="<metrics><estimated-tokens>many</estimated-tokens><estimated-duration>soon</estimated-duration></metrics>\n",
    )
    text = plan_text(first, second) + "</task>\n"
    assert warnings(text) == [
        "08-02-PLAN.md:8:7: task type `dance` is not known; the task is given to an agent like `auto`",
        '08-02-PLAN.md:8:20: parallel is `maybe`, read as "sequential"',
        '08-02-PLAN.md:8:37: context-mode is `warm`, read as "fresh"',
        "08-02-PLAN.md:16:3: `/etc/passwd` in `<files>` leads out of the project",
        "08-02-PLAN.md:16:3: `../../x` in `<files>` leads out of the project",
        "08-02-PLAN.md:18:10: `<estimated-tokens>` is `many`, which is not understood",
        "08-02-PLAN.md:18:51: `<estimated-duration>` is `soon`, which is not understood",
        "08-02-PLAN.md:22:1: `</task>` closes nothing",
    ]


def test_files_that_lead_out_of_the_project_are_kept_as_data() -> None:
    assert read(plan_text(task(files="/etc/passwd, ../../x"))).tasks[0].files == ("/etc/passwd", "../../x")


def test_an_action_under_another_name() -> None:
    text = (
        "<task>\n<name>A</name>\n<behavior>It adds.</behavior>\n<implementation>Write add().</implementation>\n</task>"
    )
    assert read(text).tasks[0].action == "Write add()."


def test_a_budget_directly_in_the_task_counts() -> None:
    assert read(plan_text(task(extra="  <token-budget>500</token-budget>\n"))).tasks[0].metrics.token_budget == 500


def test_files_twice_are_joined_and_options_do_not_name_the_task() -> None:
    text = (
        '<task type="checkpoint:decision">\n<options>\n<option id="a">\n<name>Postgres</name>\n</option>\n</options>\n'
        "<files>a.py</files>\n<files>b.py</files>\n</task>"
    )
    found = read(text).tasks[0]
    assert (found.name, found.files) == ("", ("a.py", "b.py"))
