"""Plans that mislead a reader: samples in actions, tags joined on a line, headings between tasks, odd line ends."""

from __future__ import annotations

from bursar.plan import PlanForm
from tests.unit.plan.plan_texts import plan_text, read, task, warnings


def test_a_whole_plan_as_a_sample_in_an_action() -> None:
    sample = "Write this file:\n```xml\n<tasks>\n" + task(7, name="Sample") + "</tasks>\n```\nand stop."
    first, second = read(plan_text(task(1, action=sample), task(2))).tasks
    assert (first.name, first.action, second.name) == ("Part 1", sample, "Part 2")


def test_prompts_with_tasks_in_them_where_no_tasks_tag_is() -> None:
    prompt = "The prompt:\n<tasks>\n1. Read.\n2. Write.\n</tasks>"
    plan = read(
        "## Tasks\n\n" + task(1, action=prompt) + "\n---\n\n### Task 2: Another name\n" + task(2, action=prompt)
    )
    assert (plan.form, [item.action for item in plan.tasks]) == (PlanForm.XML, [prompt, prompt])
    assert [item.name for item in plan.tasks] == ["Part 1", "Part 2"]


def test_tags_that_a_formatter_joined_to_one_line() -> None:
    joined = "<action>Do it</action> <verify>`make test`</verify> <done>ok</done> </task> </tasks>"
    text = f"<tasks> <task>\n<name>A</name>\n{joined}\n"
    (found,) = read(text).tasks
    assert (found.action, found.commands, found.done) == ("Do it", ("make test",), "ok")


def test_line_ends_of_two_kinds_and_a_byte_order_mark() -> None:
    text = "\ufeff---\r\nphase: 08-x\nplan: 02\r\n---\r\n" + task(1).replace("\n", "\r\n") + task(2)
    plan = read(text)
    assert (plan.phase, [item.action for item in plan.tasks]) == ("08-x", ["Write it.", "Write it."])
    assert plan.tasks[0].position.line == 5


def test_a_stray_closing_tag_and_a_task_after_the_last() -> None:
    text = plan_text(task(1) + "</task>\n") + "<success_criteria>\nAll.\n</success_criteria>\n\n" + task(2)
    assert [item.number for item in read(text).tasks] == ["1", "2"]
    assert [line.partition(" ")[2] for line in warnings(text)] == ["`</task>` closes nothing"]


def test_a_fence_that_is_closed_on_the_line_of_the_closing_tag() -> None:
    text = plan_text(
        task(1, action="Run:\n```sh\nmake\n```"), task(2, action="Run:\n```\n<task-list> is text"), task(3)
    )
    assert [item.number for item in read(text).tasks] == ["1", "2", "3"]


def test_a_commented_out_task_and_a_comment_within_one() -> None:
    text = plan_text("<!--\n" + task(9) + "-->\n" + task(1), "<!-- the second -->\n" + task(2, action="a <!-- b --> c"))
    first, second = read(text).tasks
    assert (first.number, second.number, second.action) == ("1", "2", "a <!-- b --> c")


def test_files_in_every_manner_at_once() -> None:
    files = "\n  - `src/a.py` (new)\n  - src/b.py（删除）\n  src/{c,d}.py, app/(auth)/[...x]/$id.tsx\n"
    files += "  None\n  old.py -> new.py\n"
    found = read(plan_text(task(1, files=files))).tasks[0].files
    assert found == ("src/a.py", "src/b.py", "src/{c,d}.py", "app/(auth)/[...x]/$id.tsx", "old.py", "new.py")
