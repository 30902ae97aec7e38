"""A whole plan: seven tasks, three of them at once, under a budget, with every number equal to the bill."""

from __future__ import annotations

import json
import re

from tests.integration.conftest import MakeProject
from tests.integration.kit import PLAN, SUMMARY, Project, parallel, plan, script, slug, task, write

NAMES = (
    "Add the profile table",
    "Add the profile model",
    "Check profiles",
    "Implement user profile API",
    "Draw the profile page",
    "Write the profile guide",
    "Join everything",
)


def headline(make_project: MakeProject) -> Project:
    text = plan(
        *(task(name) for name in NAMES[:3]),
        *(task(name, 'parallel="can-parallelize" depends-on="3"') for name in NAMES[3:6]),
        task(NAMES[6], 'depends-on="4,5,6"'),
    )
    steps = {
        number: [write(f"{slug(name)}.txt", wait_for="together" if 4 <= number <= 6 else None)]
        for number, name in enumerate(NAMES, 1)
    }
    return make_project(text, script(steps))


def test_seven_tasks_three_at_once(make_project: MakeProject) -> None:
    project = headline(make_project)
    run = project.start_run("--budget", "200k tokens")
    assert all(project.server.wait_until_reached("together") for _ in range(3))
    project.server.open_gate("together")
    ended = run.end()
    assert ended.code == 0, ended.err
    subjects = project.subjects
    assert sorted(subjects[:-1]) == sorted(f"feat(08-02): {name}" for name in NAMES)
    assert subjects[:3] == [f"feat(08-02): {name}" for name in NAMES[:3]]
    assert subjects[6:] == ["feat(08-02): Join everything", "docs(08-02): Add summary"]
    assert all((project.repo / f"{slug(name)}.txt").read_text() == "done\n" for name in NAMES)
    assert ended.metered == project.bill > 0
    summary = (project.repo / SUMMARY).read_text()
    assert re.search(rf"total_subagent_tokens\W+{project.bill}\b", summary), summary
    assert project.git("log", "-1", "--format=", "--name-only") == SUMMARY
    project.assert_tidy()


def test_json_report_equals_the_bill(make_project: MakeProject) -> None:
    project = headline(make_project)
    project.server.open_gate("together")
    ended = project.run("--budget", "200k tokens", "--json")
    assert ended.code == 0
    report = json.loads(ended.out)
    assert report == project.report
    billed = project.server.billed()
    sums = {
        key: sum(model[key] for model in report["usage_by_model"].values())
        for key in (
            "input_tokens",
            "output_tokens",
            "cache_read_tokens",
            "cache_write_5m_tokens",
            "cache_write_1h_tokens",
        )
    }
    assert sums == {key: getattr(billed, key) for key in sums}
    assert report["metered_tokens"] == project.bill
    assert report["unknown_outcome_tokens"] == 0
    assert (report["state"], report["plan"], report["limit"]) == ("succeeded", "08-02", "200k tokens")
    assert [budget["spent"] for budget in report["budgets"]] == [project.bill]
    by_task = {each["number"]: each["metered_tokens"] for each in report["tasks"]}
    assert by_task == {str(n): project.server.billed(task=f"# Task {n}:").total_tokens for n in range(1, 8)}


def test_a_plan_that_is_done_is_left_alone(make_project: MakeProject) -> None:
    project = headline(make_project)
    project.server.open_gate("together")
    assert project.run().code == 0
    head, bill = project.head, project.bill
    again = project.run("--budget", "1 token")
    assert (again.code, again.out) == (0, "")
    assert again.err == f"nothing to do: {project.repo / SUMMARY} says that 08-02 is done\n"
    as_json = project.run("--json")
    assert (as_json.code, as_json.out) == (0, "null\n")  # there is no report of what was not run
    assert (project.head, project.bill) == (head, bill)
    assert project.bursar("resume").code == 2


def test_at_most_so_many_at_once(make_project: MakeProject) -> None:
    """With two slots the third of three independent tasks starts only when one of the two has ended."""
    names = ("One", "Two", "Three")
    project = make_project(
        plan(*map(parallel, names)),
        script({n: [write(f"{slug(name)}.txt", wait_for=f"g{n}")] for n, name in enumerate(names, 1)}),
    )
    run = project.start_run("--max-parallel", "2")
    assert project.server.wait_until_reached("g1")
    assert project.server.wait_until_reached("g2")
    assert len(project.agents) == 2
    project.server.open_gate("g2")
    assert project.server.wait_until_reached("g3")
    assert {each.attempt.split("/")[1] for each in project.agents} == {"1", "3"}
    for gate in ("g1", "g3"):
        project.server.open_gate(gate)
    ended = run.end()
    assert ended.code == 0
    lines = ended.err.splitlines()
    (third,) = [at for at, line in enumerate(lines) if "▸ 3  Three" in line]
    assert any("✓ 2  Two" in line for line in lines[:third])
    assert project.report["calls_that_may_pass_a_limit"] == 2
    project.assert_tidy()


def test_run_from_a_folder_below(make_project: MakeProject) -> None:
    """The plan is named from where the user stands, and the repository is the one around."""
    project = headline(make_project)
    project.server.open_gate("together")
    below = project.repo / ".planning" / "phases"
    ended = project.bursar("run", PLAN.removeprefix(".planning/phases/"), "--trust", cwd=below)
    assert ended.code == 0, ended.err
    assert len(project.subjects) == 8
    project.assert_tidy()
