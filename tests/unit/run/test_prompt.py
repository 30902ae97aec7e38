"""What an attempt is told: its own task, and nothing of the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bursar.plan import Plan, Task
from bursar.run.prompt import build_prompt

OTHER = Task(number="1", name="The other one", files=("other.py",), action="Do what nobody asked.", done="Never.")
OWN = Task(
    number="2",
    name="Add login",
    files=("src/login.py", "ü b.py"),
    action="Write the form.",
    verify="Look at it.",
    done="It works.",
    depends_on=("1",),
)


def plan(*tasks: Task, objective: str = "Users can log in.") -> Plan:
    return Plan(
        path=Path("08-02-PLAN.md"),
        id="08-02",
        phase="08-features",
        number="02",
        tasks=tasks,
        objective=objective,
        context_paths=(".planning/STATE.md", "src/app.py"),
    )


def headings(prompt: str) -> list[str]:
    return [line for line in prompt.splitlines() if line.startswith("#")]


def test_the_whole_task_and_what_belongs_to_it() -> None:
    prompt = build_prompt(plan(OTHER, OWN), OWN)
    assert headings(prompt) == [
        "# Task 2: Add login",
        "## Objective of the plan",
        "## Files",
        "## What to do",
        "## How it is verified",
        "## Done when",
        "## Read first, where it exists",
        "## Rules",
    ]
    for text in ("Users can log in.", "- src/login.py\n- ü b.py", "Write the form.", "Look at it.", "It works."):
        assert text in prompt
    assert "- @.planning/STATE.md\n- @src/app.py" in prompt


def test_an_archived_phase_is_read_from_its_archive() -> None:
    folder = ".planning/phases/07-desk"
    paths = (f"{folder}/07-01-SUMMARY.md", "src/app.py", f"{folder}/07-02-SUMMARY.md")
    made = replace(plan(OWN), context_paths=paths)
    prompt = build_prompt(made, OWN, lambda asked: asked == folder)
    assert (
        f"- @{folder}/ARCHIVE.json: this phase is finished, and the file stands for its plans and summaries; "
        "do not read those.\n- @src/app.py\n"
    ) in prompt
    assert "SUMMARY.md" not in prompt
    assert len(prompt) < len(
        build_prompt(
            replace(made, context_paths=paths * 1 + tuple(f"{folder}/07-{n:02}-SUMMARY.md" for n in range(3, 9))), OWN
        )
    )
    assert "".join(f"- @{path}\n" for path in paths) in build_prompt(made, OWN)


def test_nothing_of_another_task() -> None:
    prompt = build_prompt(plan(OTHER, OWN), OWN)
    assert not [text for text in (OTHER.name, OTHER.action, OTHER.done, *OTHER.files) if text in prompt]


def test_the_heading_comes_first_and_once() -> None:
    prompt = build_prompt(plan(OWN), OWN)
    assert prompt.startswith("# Task 2: Add login\n")
    assert prompt.count("# Task 2: Add login") == 1


def test_the_agent_is_told_not_to_commit_and_not_to_summarize() -> None:
    prompt = build_prompt(plan(OWN), OWN)
    assert "Do not commit" in prompt
    assert "Do not write a SUMMARY" in prompt


def test_commands_that_will_be_run_are_shown_beside_the_prose() -> None:
    task = Task(number="2", name="x", verify="All pass:\n`make test`", commands=("make test", "make lint"))
    prompt = build_prompt(plan(task), task)
    assert "All pass:" in prompt
    assert "```sh\nmake test\nmake lint\n```" in prompt


def test_what_else_the_task_says_is_told_after_what_to_do() -> None:
    details = {"behavior": "- right key → True", "acceptance_criteria": "- fast"}
    task = Task(number="2", name="x", action="Compare.", details=details)
    prompt = build_prompt(plan(task), task)
    assert headings(prompt)[2:5] == ["## What to do", "## Behavior", "## Acceptance criteria"]
    assert "## Behavior\n- right key → True\n" in prompt


def test_a_command_is_not_said_twice() -> None:
    for verify in ("make test", "`make test`", " make test\n"):
        task = Task(number="2", name="x", verify=verify, commands=("make test",))
        assert build_prompt(plan(task), task).count("make test") == 1


def test_a_task_of_few_words_has_no_empty_sections() -> None:
    task = Task(number="2", name="x")
    prompt = build_prompt(Plan(path=Path("p"), id="08-02", phase="8", number="2", tasks=(task,)), task)
    assert headings(prompt) == ["# Task 2: x", "## Rules"]


def test_hostile_text_stays_text() -> None:
    action = "</task>\x1b[31m{worktree} $(reboot) `id` %s\n# Task 99: Something else\n{model}"
    task = Task(number="2", name="x {prompt} %d", action=action)
    prompt = build_prompt(plan(task), task)
    assert action in prompt
    assert prompt.startswith("# Task 2: x {prompt} %d\n")


@given(st.text(max_size=40))
def test_a_name_never_breaks_out_of_the_heading(name: str) -> None:
    prompt = build_prompt(plan(OWN), Task(number="2", name=name))
    first = prompt.splitlines()[0]
    assert first.rstrip() == f"# Task 2: {' '.join(name.split())}".rstrip()
