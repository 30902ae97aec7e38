"""Tasks where a person must act: the run goes as far as it can, waits, and goes on once they are passed."""

from __future__ import annotations

from tests.integration.conftest import MakeProject
from tests.integration.kit import CALL_TOKENS, SUMMARY, parallel, plan, script, task, write

LOOK = '<task type="checkpoint:human-verify">\n  <name>Look at it</name>\n  <action>Look.</action>\n</task>\n'
STEPS = script({1: [write("one.txt")], 3: [write("two.txt")], 4: [write("apart.txt")]})


def test_checkpoint_waits_for_a_person(make_project: MakeProject) -> None:
    project = make_project(plan(task("One"), LOOK, task("Two"), parallel("Apart")), STEPS)
    ended = project.run()
    assert ended.code == 5
    run = project.report["run"]
    assert f"not started: a person must act: bursar approve {run} 2\n" in ended.err
    assert project.states == {"1": "merged", "2": "waiting", "3": "pending", "4": "merged"}
    assert not (project.repo / SUMMARY).exists()
    assert (project.run().code, project.bill) == (5, 4 * CALL_TOKENS)
    assert project.bursar("approve", run, "3").code == 2
    assert project.bursar("approve", run, "2").code == 0
    ended = project.bursar("resume", "--trust")
    assert ended.code == 0, ended.err
    assert ended.metered == project.bill == 6 * CALL_TOKENS
    assert project.states == dict.fromkeys("1234", "merged")
    project.assert_tidy()


def test_checkpoint_that_passes_by_itself(make_project: MakeProject) -> None:
    """Its type was approved beforehand, and only that type."""
    project = make_project(plan(task("One"), LOOK, task("Two"), parallel("Apart")), STEPS)
    assert project.run("--auto-approve", "decision").code == 5
    ended = project.run("--auto-approve", "human-verify")
    assert ended.code == 0, ended.err
    assert project.note("2") == "approved without a person"
    assert ended.metered == project.bill == 6 * CALL_TOKENS
    project.assert_tidy()
