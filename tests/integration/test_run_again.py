"""Running a plan again after the plan, the branch or the summary has changed: what is missing is done, and no more."""

from __future__ import annotations

from collections.abc import Mapping

from bursar.testing.script import Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import CALL_TOKENS, PLAN, SUMMARY, Project, plan, script, slug, task, write

NAMES = ("One", "Two", "Three")
GOOD = {number: [write(f"{slug(name)}.txt")] for number, name in enumerate(NAMES, 1)}


def third_fails(make_project: MakeProject) -> Project:
    """One and Two are merged, Three has failed: the run is not finished."""
    project = make_project(plan(*map(task, NAMES)), script({1: GOOD[1], 2: GOOD[2], 3: [Step(text="No.")]}))
    assert project.run("--budget", "500k tokens").code == 1
    project.server.script = script(GOOD)
    return project


def calls(project: Project) -> list[int]:
    return [project.calls_of(number) for number in range(1, 5)]


def write_plan(project: Project, tasks: Mapping[str, str] | None = None, *more: str) -> None:
    """The plan has these tasks in place of those of the same name, and more at its end."""
    changed = tasks or {}
    project.commit({PLAN: plan(*(changed.get(name, task(name)) for name in NAMES), *more)}, "another plan")


def test_only_the_failed_task_again(make_project: MakeProject) -> None:
    project = third_fails(make_project)
    ended = project.run()
    assert ended.code == 0
    assert calls(project) == [2, 2, 3, 0]
    assert ended.metered == project.bill == 7 * CALL_TOKENS
    assert project.subjects == [*(f"feat(08-02): {name}" for name in NAMES), "docs(08-02): Add summary"]
    assert f"total_subagent_tokens: {project.bill}" in (project.repo / SUMMARY).read_text()
    project.assert_tidy()


def test_changed_task_again(make_project: MakeProject) -> None:
    project = third_fails(make_project)
    write_plan(project, {"Two": task("Two", files="other.txt")})
    project.server.script = script({**GOOD, 2: [write("other.txt")]})
    ended = project.run()
    assert ended.code == 0, ended.err
    assert calls(project) == [2, 4, 3, 0]
    assert ended.metered == project.bill
    assert (project.repo / "other.txt").exists()
    project.assert_tidy()


def test_added_task_and_lost_task(make_project: MakeProject) -> None:
    project = third_fails(make_project)
    write_plan(project, None, task("Four"))
    project.server.script = script({**GOOD, 4: [write("four.txt")]})
    ended = project.run()
    assert ended.code == 0, ended.err
    assert calls(project) == [2, 2, 3, 2]
    assert ended.metered == project.bill
    project.assert_tidy()


def test_lost_task(make_project: MakeProject) -> None:
    """The task that had failed is not in the plan any more: nothing is left to do, and the plan is done."""
    project = third_fails(make_project)
    project.commit({PLAN: plan(task("One"), task("Two"))}, "a shorter plan")
    ended = project.run()
    assert ended.code == 0, ended.err
    assert calls(project) == [2, 2, 1, 0]
    assert ended.metered == project.bill
    assert f"total_subagent_tokens: {project.bill}" in (project.repo / SUMMARY).read_text()
    project.assert_tidy()


def test_agent_still_at_work_on_a_task_that_changed(make_project: MakeProject) -> None:
    """Its conductor died; it is stopped, its money is settled, and the task is done as it reads now."""
    project = make_project(plan(task("One")), script({1: [write("one.txt"), write("more.txt", wait_for="gate")]}))
    run = project.start_run("--budget", "500k tokens")
    assert project.server.wait_until_reached("gate")
    run.kill()
    project.commit({PLAN: plan(task("One", files="other.txt"))}, "another file")
    project.server.script = script({1: [write("other.txt")]})
    ended = project.run()
    assert ended.code == 0, ended.err
    assert not (project.repo / "one.txt").exists()
    assert (project.repo / "other.txt").exists()
    assert ended.metered <= project.bill <= project.charged
    run_id = project.report["run"]
    assert project.git("show", f"bursar/{run_id}/1/1:one.txt") == "done"
    project.assert_tidy()


def test_agent_still_at_work_on_a_task_that_is_lost(make_project: MakeProject) -> None:
    steps = {1: [write("one.txt")], 2: [write("two.txt", wait_for="gate")]}
    project = make_project(plan(task("One"), task("Two")), script(steps))
    run = project.start_run("--budget", "500k tokens")
    assert project.server.wait_until_reached("gate")
    run.kill()
    project.commit({PLAN: plan(task("One"))}, "one task less")
    ended = project.run()
    # the run's merged work (task 1) and the user's new commit have parted: only a person can join them
    assert ended.code == 2
    assert "have parted" in ended.err
    hint = ended.err.partition("hint: ")[2].strip()
    project.git(*hint.split()[1:], "-m", "both")
    ended = project.run()
    assert ended.code == 0, ended.err
    assert ended.metered <= project.bill <= project.charged
    assert not (project.repo / "two.txt").exists()
    project.assert_tidy()


def test_dropped_commit_is_done_again(make_project: MakeProject) -> None:
    project = third_fails(make_project)
    project.git("reset", "--quiet", "--hard", "HEAD~1")
    ended = project.run()
    assert ended.code == 0, ended.err
    assert calls(project) == [2, 4, 3, 0]
    assert ended.metered == project.bill
    assert project.subjects == [*(f"feat(08-02): {name}" for name in NAMES), "docs(08-02): Add summary"]
    project.assert_tidy()


def test_removed_summary_means_do_it_again(make_project: MakeProject) -> None:
    """Its presence means done. Who commits its removal wants the plan done anew: a new run, with its own books."""
    project = third_fails(make_project)
    assert project.run().code == 0
    first = project.report["run"]
    (project.repo / SUMMARY).unlink()
    assert project.run().code == 2  # a removal that is not committed is a dirty checkout
    project.git("commit", "--quiet", "-am", "again")
    ended = project.run("--budget", "1M tokens")
    assert project.report["run"] != first
    assert ended.code == 1
    assert project.note("1") == "the agent changed nothing, but one.txt was due"


def test_finished_work_on_a_branch_is_not_done_again(make_project: MakeProject) -> None:
    """The branch could not be moved, so its checkout has no summary; the work is there all the same, and is named."""
    steps = {1: [write("one.txt", wait_for="gate")]}
    project = make_project(plan(task("One")), script(steps))
    run = project.start_run()
    assert project.server.wait_until_reached("gate")
    project.commit({"mine.txt": "mine\n"}, "my own work")
    project.server.open_gate("gate")
    assert run.end().code == 0
    bill, name = project.bill, project.report["run"]
    again = project.run()
    assert again.code == 2, again.err
    assert again.err == (
        f"error: run {name} has done this plan, but its work is not on main yet\n\n"
        f"hint: git merge bursar/{name}/merged, or start a run of its own with --new\n"
    )
    assert project.bill == bill
    project.git("merge", "--quiet", "-m", "both", f"bursar/{name}/merged")
    assert project.run().err.startswith("nothing to do: ")
    assert project.git("for-each-ref", "refs/bursar") == ""


def test_new_starts_a_run_of_its_own(make_project: MakeProject) -> None:
    project = third_fails(make_project)
    first = project.report["run"]
    project.git("reset", "--quiet", "--hard", "HEAD~2")
    ended = project.run("--new")
    assert ended.code == 0
    assert project.report["run"] != first
    assert ended.metered == 6 * CALL_TOKENS
    assert calls(project) == [4, 4, 3, 0]


def test_another_branch_is_checked_out(make_project: MakeProject) -> None:
    """The unfinished run belongs to the branch that it started from."""
    project = third_fails(make_project)
    run = project.report["run"]
    project.git("switch", "--quiet", "-c", "other")
    ended = project.run()
    assert ended.code == 2
    assert ended.err == (
        f"error: run {run} of this plan started from main, and other is checked out\n\n"
        "hint: git switch main, or start a run of its own with --new\n"
    )
    project.git("switch", "--quiet", "main")
    assert project.run().code == 0


def test_user_commits_between_two_runs(make_project: MakeProject) -> None:
    """What the user has done since is the ground for what is missing."""
    project = third_fails(make_project)
    project.commit({"mine.txt": "mine\n"}, "my own work")
    ended = project.run()
    assert ended.code == 0
    assert project.subjects[2:] == ["my own work", "feat(08-02): Three", "docs(08-02): Add summary"]
    project.assert_tidy()
