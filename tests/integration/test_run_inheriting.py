"""`context-mode`: what a task is told of those that it depends on, and what is held for that."""

from __future__ import annotations

from bursar.testing.script import Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import Project, plan, script, task, write

METRICS = "<estimated-tokens>10000-20000</estimated-tokens>"


def prompt_of(project: Project, number: int) -> str:
    (path,) = project.state.glob(f"runs/*/attempts/{number}-1/prompt.md")
    return path.read_text()


def test_inherited_hands_on_reports_and_diffs(make_project: MakeProject) -> None:
    text = plan(
        task("One"),
        task("Two", 'depends-on="1" context-mode="inherited"', metrics=METRICS),
        task("Three", 'depends-on="2" context-mode="fresh"', metrics=METRICS),
        task("Four", 'depends-on="2" context-mode="inherited"'),
    )
    steps = {
        1: [write("one.txt", "loans\n"), Step(text="I put loans into one.txt.")],
        2: [write("two.txt", "x" * 60_000 + "\n")],
        3: [write("three.txt")],
        4: [write("four.txt")],
    }
    project = make_project(text, script(steps))
    ended = project.run("--budget", "500k tokens")
    assert ended.code == 0, ended.err
    told = prompt_of(project, 2)
    assert "## What was done before\n### Task 1: One\n\nIts agent reported:\n\n```text\nI put loans into" in told
    assert "+loans" in told
    inherited = told.partition("## What was done before\n")[2].partition("\n\n## ")[0]
    size = len(inherited.encode())
    assert f"holds {20_000 + -(-size * 10 // 4):,} tokens · inherits {size:,} bytes" in ended.err
    assert "What was done before" not in prompt_of(project, 1) + prompt_of(project, 3)
    assert "3  Three · claude-sonnet-4-5 · holds 20,000 tokens\n" in ended.err
    last = prompt_of(project, 4)
    assert "… cut short" in last
    assert len(last.encode()) < 26_000
    assert "### Task 1" not in last, "only what it depends on itself"
