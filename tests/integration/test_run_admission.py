"""Who may start when the budget is not enough for all: some finish, rather than all being stopped."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from bursar.testing.script import Script, Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import Project, parallel, plan, script, settings, slug, task, usage, write

CALL = 10_000
CALLS = 9  # an agent takes 90,000 tokens
SIX = ("One", "Two", "Three", "Four", "Five", "Six")
EIGHT = (*SIX, "Seven", "Eight")


def nine_calls(name: str) -> list[Step]:
    """An agent that takes nine calls."""
    return [write(f"{slug(name)}.txt", content=f"{number}\n", usage=usage(CALL)) for number in range(CALLS - 1)] + [
        Step(text="done", usage=usage(CALL))
    ]


def agents_for(names: Sequence[str]) -> Script:
    """One for each task."""
    return script({number: nine_calls(name) for number, name in enumerate(names, 1)})


def assert_three_and_no_more(project: Project, waiting: int) -> None:
    """Three tasks are done, by one attempt each; the others were never begun, so that none was cut off half-way."""
    states = list(project.states.values())
    assert (states.count("merged"), states.count("stopped")) == (3, waiting), project.states
    outcomes = [attempt["state"] for each in project.report["tasks"] for attempt in each["attempts"]]
    assert outcomes == ["succeeded"] * 3
    assert project.bill == 3 * CALLS * CALL  # nothing was spent on work that was thrown away
    project.assert_tidy()


@pytest.mark.parametrize("names", [SIX, EIGHT], ids=["six", "eight"])
def test_of_agents_that_nobody_knows_as_many_finish_as_can_be_paid_for(
    make_project: MakeProject, names: Sequence[str]
) -> None:
    """Six holds of 50,000 would fit into 300,000, and every agent would be stopped before it is done."""
    toml = settings(run=f"max_parallel = {len(names)}")
    project = make_project(plan(*map(parallel, names)), agents_for(names), toml=toml)
    ended = project.run("--budget", "300k tokens")
    assert ended.code == 4
    assert ended.metered == 3 * CALLS * CALL
    assert_three_and_no_more(project, waiting=len(names) - 3)


def test_with_the_authors_range_the_same(make_project: MakeProject) -> None:
    metrics = "<estimated-tokens>80000-95000</estimated-tokens>"
    tasks = [parallel(name, metrics=metrics) for name in SIX]
    project = make_project(plan(*tasks), agents_for(SIX), toml=settings(run="max_parallel = 6"))
    ended = project.run("--budget", "300k tokens")
    assert ended.code == 4
    assert_three_and_no_more(project, waiting=3)


def test_one_alone_may_start_on_whatever_there_is(make_project: MakeProject) -> None:
    """Less than a default hold is left, and nothing runs that could need it: the reserve blocks nothing."""
    short = [write("one.txt", usage=usage(CALL)), Step(text="done", usage=usage(CALL))]
    project = make_project(plan(parallel("One")), script({1: short}))
    ended = project.run("--budget", "30k tokens")
    assert ended.code == 0, ended.err
    project.assert_tidy()


def test_what_attempts_took_is_in_a_file_that_git_takes_no_notice_of(make_project: MakeProject) -> None:
    short = [write("one.txt", usage=usage(CALL)), Step(text="done", usage=usage(CALL))]
    project = make_project(plan(parallel("One")), script({1: short}))
    assert project.run().code == 0
    found = json.loads((project.repo / ".planning/.token-stats.json").read_text())
    (name,) = found
    assert name.split("|")[0] == "simple-impl"
    figures = found[name]
    assert figures.pop("avg_duration") >= 0
    assert figures == {
        "count": 1,
        "total_tokens": 2 * CALL,
        "min_tokens": 2 * CALL,
        "max_tokens": 2 * CALL,
        "success_rate": 1.0,
    }
    project.assert_tidy()


def test_who_heads_the_longest_chain_goes_first_in_time_and_not_in_tasks(make_project: MakeProject) -> None:
    """One and the task behind it take two minutes; Two alone takes an hour."""
    minute, hour = (f"<estimated-duration>{text}</estimated-duration>" for text in ("1-1min", "60-60min"))
    tasks = [
        parallel("One", metrics=minute),
        parallel("Two", metrics=hour),
        task("Three", 'depends-on="1"', metrics=minute),
    ]
    answers = script({number: [write(f"{slug(name)}.txt")] for number, name in enumerate(("One", "Two", "Three"), 1)})
    project = make_project(plan(*tasks), answers, toml=settings(run="max_parallel = 1"))
    ended = project.run()
    assert ended.code == 0, ended.err
    started = [line.split()[1] for line in ended.err.splitlines() if line.startswith("  ▸")]
    assert started == ["2", "1", "3"]


@pytest.mark.parametrize(("budget", "is_loaded"), [("100m tokens", False), ("60k tokens", True)])
def test_what_estimates_need_is_loaded_only_where_money_is_tight(
    make_project: MakeProject, budget: str, is_loaded: bool
) -> None:
    """An ample budget admits everybody: nobody waits for numpy, and nobody has it in memory."""
    names = ("One", "Two", "Three", "Four", "Five")
    answers = script({number: [write(f"{slug(name)}.txt")] for number, name in enumerate(names, 1)})
    project = make_project(plan(*map(task, names)), answers)
    project.more["PYTHONPROFILEIMPORTTIME"] = "1"  # what is imported is told on stderr
    ended = project.run("--budget", budget)
    assert ended.code == 0, ended.err
    assert ("| numpy" in ended.err) is is_loaded
