"""Runs that meet their limits: what is stopped, what stays, what is said, and that the bill agrees."""

from __future__ import annotations

import re

import pytest

from bursar.testing.script import Script, Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import (
    MODELS,
    SUMMARY,
    Project,
    parallel,
    plan,
    script,
    settings,
    shell,
    slug,
    task,
    usage,
    write,
)

NAMES = ("One", "Two", "Three", "Four")
CALL = 10_000
FOR_EVER = "exec sleep 600"


def two_calls(name: str) -> list[Step]:
    """A task of two calls, which add up to 20,000 tokens."""
    return [write(f"{slug(name)}.txt", usage=usage(CALL)), Step(text="done", usage=usage(CALL))]


def four_tasks(*, hang_in: int | None = None) -> Script:
    """Four tasks of two calls each; one of them asks for a command that never ends after its first call."""
    steps = {number: two_calls(name) for number, name in enumerate(NAMES, 1)}
    if hang_in is not None:
        steps[hang_in] = [shell(FOR_EVER, usage=usage(CALL)), *steps[hang_in]]
    return script(steps)


def in_a_row(make_project: MakeProject, answers: Script) -> Project:
    return make_project(plan(*map(task, NAMES)), answers)


def test_budget_reached_then_more_money(make_project: MakeProject) -> None:
    """45,000 tokens cover two tasks of 20,000 and half a call of the third."""
    project = in_a_row(make_project, four_tasks(hang_in=3))
    ended = project.run("--budget", "45k tokens")
    assert ended.code == 4
    assert project.subjects == ["feat(08-02): One", "feat(08-02): Two"]
    assert not (project.repo / SUMMARY).exists()
    assert project.bill == ended.metered == 5 * CALL
    assert project.states == {"1": "merged", "2": "merged", "3": "stopped", "4": "skipped"}
    run = project.report["run"]
    assert f"budget run-{run} was passed by 5,000 tokens" in ended.out
    assert "08-02 stopped by a budget · 2 of 4 tasks" in ended.out
    assert project.note("3") == f"budget run-{run} reached its limit of 45,000 tokens"
    project.assert_tidy()

    again = project.run("--budget", "45k tokens")
    assert again.code == 4
    assert project.bill == again.metered == 5 * CALL
    assert f"budget run-{run} has no room for it" in again.err

    project.server.script = four_tasks()
    more = project.bursar("resume", "--add", "55k tokens", "--trust")
    assert more.code == 0, more.err
    assert project.bill == more.metered == 9 * CALL
    (budget,) = project.report["budgets"]
    assert (budget["limit"], budget["spent"], budget["overrun"]) == (100_000, 9 * CALL, 0)
    assert [project.calls_of(number) for number in range(1, 5)] == [2, 2, 3, 2]
    assert project.subjects[2:] == ["feat(08-02): Three", "feat(08-02): Four", "docs(08-02): Add summary"]
    assert f"total_subagent_tokens: {9 * CALL}" in (project.repo / SUMMARY).read_text()
    project.assert_tidy()


def test_a_call_in_flight_at_the_limit_is_charged(make_project: MakeProject) -> None:
    """The agent has sent its next call before it could be stopped: charged at a bound, and the bill is within."""
    steps = [write("one.txt", usage=usage(CALL)), Step(text="never heard", wait_for="in flight", usage=usage(CALL))]
    project = make_project(plan(task("One")), script({1: steps}))
    ended = project.run("--budget", "9500 tokens")  # more than the first call's input: it is its end that reaches it
    assert ended.code == 4
    assert CALL <= ended.metered <= project.bill <= project.charged
    assert project.bill <= 9_500 + 2 * CALL
    (budget,) = project.report["budgets"]
    assert budget["spent"] == project.charged == 9_500 + budget["overrun"]
    project.assert_tidy()


def test_three_at_once_pass_the_limit_by_three_calls_at_most(make_project: MakeProject) -> None:
    estimate = "<estimated-tokens>10000-10000</estimated-tokens>"
    names = NAMES[:3]
    steps = {n: [shell(FOR_EVER, usage=usage(15_000), wait_for="all")] for n in range(1, 4)}
    project = make_project(plan(*(parallel(name, metrics=estimate) for name in names)), script(steps))
    run = project.start_run("--budget", "30k tokens")
    assert all(project.server.wait_until_reached("all") for _ in range(3))
    project.server.open_gate("all")
    ended = run.end()
    assert ended.code == 4
    assert project.bill == ended.metered == 45_000
    assert "was passed by 15,000 tokens" in ended.out
    assert "here at most 3 calls at a time" in ended.out
    assert project.subjects == []
    project.assert_tidy()


def test_budget_of_one_task_stops_only_that_task(make_project: MakeProject) -> None:
    text = plan(
        parallel("One", metrics="<token-budget>15000</token-budget>"),
        parallel("Two"),
        task("Three", 'depends-on="2"'),
        task("Four", 'depends-on="1"'),
    )
    answers = four_tasks()
    project = make_project(text, script({1: [shell(FOR_EVER, usage=usage(16_000))]}))
    project.server.script = Script(rules=(*project.server.script.rules, *answers.rules[1:]))
    ended = project.run("--budget", "1M tokens")
    assert ended.code == 4
    assert project.states == {"1": "stopped", "2": "merged", "3": "merged", "4": "skipped"}
    assert project.bill == ended.metered == 16_000 + 4 * CALL
    assert project.note("1").endswith("/task-1 reached its limit of 15,000 tokens")
    assert "/task-1 was passed by 1,000 tokens" in ended.out
    assert ended.err.endswith(f"\ngo on with: bursar resume {project.report['run']}\n")  # --add would be of no use
    assert not (project.repo / SUMMARY).exists()
    again = project.run("--budget", "1M tokens")
    assert (again.code, project.bill) == (4, ended.metered)
    project.assert_tidy()


def test_budget_in_usd(make_project: MakeProject) -> None:
    """A call costs 9,000 × 3 + 1,000 × 15 USD per million tokens: 0.042 USD. 0.20 USD are reached with the fifth."""
    project = in_a_row(make_project, four_tasks(hang_in=3))
    ended = project.run("--budget", "0.20 USD")
    assert ended.code == 4
    assert ended.err.endswith(f"\ngo on with: bursar resume {project.report['run']} --add '0.20 USD'\n")
    assert project.bill == 5 * CALL
    assert "50,000 tokens (0.2100 USD at list price)" in ended.out
    assert "was passed by 0.01 USD" in ended.out
    assert project.subjects == ["feat(08-02): One", "feat(08-02): Two"]
    assert project.run("--budget", "0.20 USD").code == 4
    assert project.bill == 5 * CALL
    project.server.script = four_tasks()
    more = project.bursar("resume", "--add", "$1", "--trust")
    assert more.code == 0
    (budget,) = project.report["budgets"]
    assert (budget["unit"], budget["limit"], budget["spent"]) == ("usd", 1_200_000_000, 9 * 42_000_000)
    project.assert_tidy()


def test_unknown_price_under_a_budget_in_usd_is_refused(make_project: MakeProject) -> None:
    toml = settings({**MODELS, "medium": "my-own-model"})
    project = make_project(plan(task("One")), four_tasks(), toml)
    ended = project.run("--budget", "5 USD")
    assert ended.code == 2
    assert ended.err == (
        "error: no price is known for model my-own-model, so a budget in USD cannot hold anything for it\n\n"
        'hint: give the budget in tokens, for example `--budget "200k tokens"`\n'
    )
    assert (project.bill, list(project.state.glob("runs/*"))) == (0, [])
    assert project.run("--budget", "50k tokens").code == 0
    assert project.report["cost_nano_usd"] is None
    project.assert_tidy()


def test_each_threshold_is_said_once(make_project: MakeProject) -> None:
    """Nineteen calls of 5 % each: 80, 90 and 95 % are reached one after the other."""
    calls = [shell("true", usage=usage(5_000)) for _ in range(17)]
    last = [write("one.txt", usage=usage(5_000)), Step(text="done", usage=usage(5_000))]
    project = make_project(
        plan(task("One"), task("Two")), script({1: [*calls, *last], 2: [shell(FOR_EVER, usage=usage(6_000))]})
    )
    first = project.run("--budget", "100k tokens", "--max-parallel", "1")
    second = project.run("--budget", "100k tokens")
    said = re.findall(r"! (\w+): budget `run-\w+` has reached (\d+) % of 100,000 tokens: ([\d,]+) tokens", first.err)
    assert said == [("warning", "80", "80,000"), ("critical", "90", "90,000"), ("critical", "95", "95,000")]
    assert "has reached" not in second.err
    assert [alert["threshold"] for alert in project.report["alerts"]][:3] == [0.8, 0.9, 0.95]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--add", "5 USD"], "the limit of run {run} is 45k tokens: add an amount in the same unit"),
        (["--add", "0 tokens"], "the limit `0 tokens` allows nothing"),
        (["--add", "1k tokens", "--budget", "1M tokens"], "argument --budget: not allowed with argument --add"),
    ],
)
def test_resume_with_wrong_money_changes_nothing(make_project: MakeProject, arguments: list[str], words: str) -> None:
    project = in_a_row(make_project, four_tasks(hang_in=3))
    project.run("--budget", "45k tokens")
    before = project.bursar("ledger", "list").out
    ended = project.bursar("resume", "--trust", *arguments)
    assert ended.code == 2
    assert ended.err.startswith("error: " + words.format(run=project.report["run"]) + "\n")
    assert project.bursar("ledger", "list").out == before


def test_lowering_the_limit_below_what_is_spent_freezes_the_run(make_project: MakeProject) -> None:
    project = in_a_row(make_project, four_tasks(hang_in=3))
    project.run("--budget", "45k tokens")
    ended = project.bursar("resume", "--budget", "10k tokens", "--trust")
    assert ended.code == 4
    assert project.bill == 5 * CALL
    (budget,) = project.report["budgets"]
    assert (budget["limit"], budget["overrun"]) == (10_000, 40_000)
    project.assert_tidy()
