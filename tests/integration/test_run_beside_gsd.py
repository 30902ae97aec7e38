"""GSD and bursar on one plan: each can see what the other is at, and neither does it twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bursar.processes import identify
from tests.integration.conftest import MakeProject
from tests.integration.kit import PLAN, SUMMARY, Project, parallel, plan, script, task, write

FIELDS = {
    *("version", "job_id", "plan_id", "phase", "backend", "submit_command", "status", "expected_artifacts"),
    *("verification_command", "resume_command", "submitted_at", "terminal_details"),
}


def jobs(project: Project) -> Path:
    return project.repo / ".planning" / "async-jobs"


def manifest(project: Project) -> dict[str, Any]:
    (path,) = jobs(project).glob("*.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_a_plan_that_is_run_has_a_job(make_project: MakeProject) -> None:
    """While it runs, while it waits for a resume, until it is done; git takes no notice of it."""
    steps = {1: [write("one.txt", wait_for="gate")], 2: [write("two.txt")]}
    project = make_project(plan(task("One"), task("Two")), script(steps))
    run = project.start_run()
    assert project.server.wait_until_reached("gate")
    job = manifest(project)
    assert set(job) >= FIELDS
    assert (job["version"], job["plan_id"], job["phase"], job["backend"]) == ("1.0", "08-02", "8", "bursar")
    assert (job["status"], job["terminal_details"]) == ("running", None)
    assert job["bursar"]["conductor"] == identify(run.pid)
    assert project.git("status", "--porcelain") == ""
    assert project.bursar("pause").code == 0
    project.server.open_gate("gate")
    assert run.end().code == 5
    job = manifest(project)
    assert (job["status"], job["bursar"]["conductor"]) == ("submitted", None)
    assert job["bursar"]["go_on_with"] == f"bursar resume {job['job_id']}"
    assert project.bursar("resume", "--trust").code == 0
    assert not jobs(project).exists()
    project.assert_tidy()


def test_a_failed_run_says_so_and_a_cancelled_one_frees_the_plan(make_project: MakeProject) -> None:
    project = make_project(plan(task("One")), script({1: []}))
    assert project.run().code == 1
    job = manifest(project)
    assert job["status"] == "failed"
    assert job["terminal_details"]["go_on_with"] == f"bursar resume {job['job_id']}"
    (jobs(project) / "other.json").write_text("{}")
    assert project.bursar("resume", "--trust").code == 1
    assert project.bursar("cancel").code == 0
    assert [path.name for path in jobs(project).iterdir()] == ["other.json"]


def test_what_a_killed_conductor_has_left_is_known(make_project: MakeProject) -> None:
    """The next run of the plan takes its place, also one of its own."""
    project = make_project(plan(parallel("One")), script({1: [write("one.txt", wait_for="gate")]}))
    run = project.start_run()
    assert project.server.wait_until_reached("gate")
    run.kill()
    left = manifest(project)
    assert left["status"] == "running"
    project.server.open_gate("gate")
    ended = project.run("--new")
    assert ended.code == 0, ended.err
    assert not jobs(project).exists()


def test_another_program_s_job_is_not_done_twice(make_project: MakeProject) -> None:
    project = make_project(plan(task("One")), script({1: [write("one.txt")]}))
    jobs(project).mkdir()
    path = jobs(project) / "4711.json"
    path.write_text(json.dumps({"version": "1.0", "plan_id": "08-02", "backend": "slurm", "status": "running"}))
    refused = project.run()
    assert refused.code == 2
    assert refused.err.startswith(
        f"error: plan 08-02 is in the hands of another program: {path} says 'running' (backend 'slurm')\n"
    )
    assert refused.err.endswith(f"hint: when that is over: rm {path}\n")
    path.write_text('{"plan_id": "08-02", ')
    assert "cannot be read: another program may be at work on it" in project.run().err
    path.write_text('{"plan_id": "08-03", "status": "running"}')
    assert project.run().code == 0
    assert path.exists()


def test_a_halted_plan_is_not_run(make_project: MakeProject) -> None:
    project = make_project(plan(task("One")), script({1: [write("one.txt")]}))
    project.commit(
        {SUMMARY: "---\nphase: 08-features\nplan: 02\nstatus: halted\n---\n\n# It cannot be done so\n"}, "no"
    )
    refused = project.run()
    assert refused.code == 2
    assert refused.err.startswith("error: plan 08-02 is halted: ")
    assert (len(project.calls), (project.repo / PLAN).exists()) == (0, True)
