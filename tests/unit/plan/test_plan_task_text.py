"""Task text is not XML: what an author writes in an action survives, and never becomes structure."""

from __future__ import annotations

import pytest

from tests.unit.plan.plan_texts import plan_text, problems, read, task

SAMPLE_PLAN = """\
<tasks>
<task type="auto">
  <name>Task 1: Sample</name>
  <action>sample action</action>
</task>
<task type="auto">
  <name>Task 2: Sample</name>
  <action>sample action</action>
</task>
</tasks>"""

HOSTILE = [
    "npm run build && npm test 2>&1",
    "Map<string, boolean> and Promise<X[]> and fn<T>(x: &T)",
    "if i < n and j <= m: return <-ch",
    "Render <Button onClick={() => go(<T,>(x: T) => x)}>Go</Button> here",
    "Keep <name>, <title>, <files>, <done> and <verify> as placeholders; git add <files>",
    'Answer {"<name>": "x", "b": "</name>"}',
    "cat <<'EOF' > a.txt\n<html>\n  <title>x</title>\n</html>\nEOF",
    "<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> theirs",
    "Use the regex (?<!x)y and <!DOCTYPE html> and <?xml version='1.0'?>",
    "Write `</action>` at the end of the prompt, then `<task>`",
    "Flask: /lists/<int:list_id> &lt;kept&gt; &amp;",
    "Open a fence:\n```python\nnever closed",
    "~~~\n```\n~~~\n```",
    "<task-dir> / --out begins a line\n<task-dir> does too",
    "<T>\nfirst on its line",
    "<name>\na placeholder first on its line",
    "tabs\tand trailing blanks  \nare kept",
    SAMPLE_PLAN,
    f"Write this file:\n```markdown\n{SAMPLE_PLAN}\n```\nand then:\n{SAMPLE_PLAN}",
    'An opening tag alone:\n<task type="auto">\nnever closed',
    "A closing tag alone:\n</task>\nwas stray",
    "<!-- a comment that is not closed",
    "<!-- a comment -->\n<!--\n<task>\n-->",
]


@pytest.mark.parametrize("action", HOSTILE)
def test_an_action_survives_byte_for_byte(action: str) -> None:
    text = plan_text(task(1, action=action, extra="  <verify>make check</verify>\n  <done>ok</done>\n"), task(2))
    first, second = read(text).tasks
    assert first.action == action
    assert (first.name, first.commands, first.done, first.files) == ("Part 1", ("make check",), "ok", ("src/a.py",))
    assert (second.name, second.action) == ("Part 2", "Write it.")


@pytest.mark.parametrize("action", HOSTILE)
def test_an_action_on_lines_of_its_own_loses_its_common_indentation_only(action: str) -> None:
    lines = action.split("\n")
    indented = "\n".join("    " + line for line in lines)
    found = read(plan_text(task(1, action=f"\n{indented}\n  "))).tasks
    assert [item.action for item in found] == [action]


@pytest.mark.parametrize(
    "joined",
    [
        "<name>A</name> <files>a.py</files> <action>Do it</action> <verify>make check</verify>",
        "<name>A</name>\n  <files>a.py</files>\n  <action>\n  Do it\n  </action> <verify>make check</verify>",
        "<name>A</name><files>a.py</files><action>Do it</action><verify>make check</verify>",
    ],
)
def test_tags_that_a_formatter_joined_on_one_line(joined: str) -> None:
    found = read(f"<tasks>\n<task>{joined}</task> </tasks>\n").tasks[0]
    assert (found.name, found.files, found.action, found.commands) == ("A", ("a.py",), "Do it", ("make check",))


def test_a_closing_fence_glued_to_the_closing_tag() -> None:
    found = read(plan_text(task(1, action="Write:\n```ts\nconst a = 1\n```"), task(2))).tasks
    assert len(found) == 2
    assert found[0].action.endswith("```")


def test_prose_that_follows_a_mention_of_the_closing_tag_belongs_to_the_action() -> None:
    found = read(plan_text(task(1, action="Say </action> twice, then </action> again.")))
    assert found.tasks[0].action == "Say </action> twice, then </action> again."


def test_a_task_without_children_ends_on_its_line() -> None:
    assert problems('<task type="auto">Do it</task>\n<task type="auto" />\n') == [
        "08-02-PLAN.md:1:1: task 1 has no name",
        "08-02-PLAN.md:2:1: task 2 has no name",
        "08-02-PLAN.md:2:1: task 2 has no action",
    ]
