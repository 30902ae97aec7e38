"""Job lists: several agents at once in a folder without git, every number equal to the bill."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bursar.testing.script import Script, Step
from tests.integration.jobs_kit import LIST, MakeJobs, answers, job_list, numbered
from tests.integration.kit import CALL_TOKENS, settings, shell, write


def says(text: str = "done") -> Script:
    """One instance that says this at once."""
    return answers(1, lambda at: [Step(text=text)])


def test_three_at_once_in_the_workspace(make_jobs: MakeJobs) -> None:
    jobs = make_jobs(numbered(3), answers(3, lambda at: [write(f"{at}.txt", wait_for="together")]))
    run = jobs.start_jobs("--overall-token-budget", "200k")
    assert all(jobs.server.wait_until_reached("together") for _ in range(3))
    assert {each.attempt.split("/")[1] for each in jobs.agents} == {"1", "2", "3"}
    jobs.server.open_gate("together")
    ended = run.end()
    assert ended.code == 0, ended.err
    assert [(jobs.repo / f"{at}.txt").read_text() for at in (1, 2, 3)] == ["done\n"] * 3
    assert ended.metered == jobs.bill > 0
    assert jobs.states == {"1": "merged", "2": "merged", "3": "merged"}
    jobs.assert_books()
    jobs.assert_gone()


def test_the_agent_is_told_the_text_and_nothing_else(make_jobs: MakeJobs) -> None:
    jobs = make_jobs(job_list({"name": "a", "command": "/analyze job-01 src"}), says())
    assert jobs.run_jobs().code == 0
    (prompt,) = jobs.state.glob("runs/*/attempts/1-1/prompt.md")
    assert prompt.read_text() == "/analyze job-01 src"


def test_no_git_is_needed(make_jobs: MakeJobs, tmp_path: Path) -> None:
    """A run, its report, its status and a run that goes on, with no git on the PATH."""
    jobs = make_jobs(numbered(1), says())
    jobs.more["PATH"] = str(tmp_path / "nothing")
    assert jobs.run_jobs("--timeout", "600").code == 0
    assert jobs.report["state"] == "succeeded"
    assert "jobs       succeeded" in jobs.bursar("status").out
    assert jobs.bursar("status", cwd=tmp_path).err.startswith("no runs of this project yet"), "it is of another folder"
    assert "jobs       succeeded" in jobs.bursar("status", "--all", cwd=tmp_path).out
    assert jobs.bursar("resume").code == 2


def test_again_after_success_is_a_run_of_its_own(make_jobs: MakeJobs) -> None:
    jobs = make_jobs(numbered(1), says())
    assert [jobs.run_jobs().code for _ in range(2)] == [0, 0]
    assert len(jobs.calls) == 2


def test_again_after_a_failure_does_only_what_is_missing(make_jobs: MakeJobs) -> None:
    script = answers(2, lambda at: [Step(text="done") if at == 1 else Step(status=400)])
    jobs = make_jobs(numbered(2), script)
    assert jobs.run_jobs().code == 1
    jobs.server.script = answers(2, lambda at: [Step(text="done")])
    again = jobs.run_jobs()
    assert again.code == 0, again.err
    assert "1 done before" in again.err
    assert [call.task for call in jobs.calls] == ["job-01", "job-02"]
    assert again.metered == jobs.bill


def test_one_list_in_two_workspaces_is_two_runs(make_jobs: MakeJobs) -> None:
    jobs = make_jobs(numbered(1), says())
    (jobs.repo / "other").mkdir()
    assert jobs.run_jobs().code == 0
    jobs.write("other/bursar.toml", (jobs.repo / "bursar.toml").read_text())
    ended = jobs.bursar("run", LIST, "--trust", "--workspace", "other")
    assert ended.code == 0, ended.err
    assert len(jobs.calls) == 2


def test_a_failed_pre_command_costs_nothing(make_jobs: MakeJobs) -> None:
    text = job_list({"name": "a", "prompt": "job-01", "pre_commands": ["exit 3"]}, {"name": "b", "prompt": "job-02"})
    jobs = make_jobs(text, answers(2, lambda at: [Step(text="done")]))
    ended = jobs.run_jobs("--budget", "100k tokens")
    assert ended.code == 1
    assert jobs.note("1") == "pre-command failed (exit code 3): exit 3"
    assert ended.metered == jobs.bill == CALL_TOKENS
    jobs.assert_books()


@pytest.mark.parametrize(
    ("form", "shown"),
    [("text", "a | one\na | two\n"), ("json", '"result": "one\\ntwo"'), ("stream-json", 'a | {"type":"result"')],
)
def test_output_formats(make_jobs: MakeJobs, form: str, shown: str) -> None:
    text = job_list({"name": "a", "prompt": "job-01", "output_format": form})
    jobs = make_jobs(text, says("one\ntwo"))
    ended = jobs.run_jobs("--json")
    assert shown in ended.err
    assert json.loads(ended.out)["state"] == "succeeded"
    assert ended.err.count("a | ") == {"text": 2, "json": 0}.get(form, ended.err.count("a | {"))


def test_output_cannot_steer_a_terminal(make_jobs: MakeJobs) -> None:
    jobs = make_jobs(numbered(1), says("\x1b[2Jboo"))
    assert "n1 | �[2Jboo\n" in jobs.run_jobs().err


def test_startup_delay_passes(make_jobs: MakeJobs) -> None:
    jobs = make_jobs(numbered(3), answers(3, lambda at: [Step(text="done")]))
    ended = jobs.run_jobs("--startup-delay", "0.2", "--max-parallel", "1")
    assert ended.code == 0, ended.err
    assert ended.metered == jobs.bill == 3 * CALL_TOKENS


def test_timeout(make_jobs: MakeJobs) -> None:
    jobs = make_jobs(numbered(1), answers(1, lambda at: [shell("exec sleep 600")]))
    ended = jobs.run_jobs("--timeout", "0.5")
    assert ended.code == 1
    assert "it took longer than allowed" in jobs.note("1")


def test_the_status_is_told(make_jobs: MakeJobs) -> None:
    jobs = make_jobs(numbered(1), answers(1, lambda at: [write("a.txt", wait_for="gate")]))
    run = jobs.start_jobs("--overall-token-budget", "20k", "--status-report-interval", "0.1")
    run.wait_until_said("1 instance: 1 running, 0 waiting, 0 done\n  overall-tokens  █░░░")
    jobs.server.open_gate("gate")
    assert run.end().code == 0
    assert "\x1b" not in run.err.read_text()


def test_a_workspace_in_a_checkout_belongs_to_its_project(make_jobs: MakeJobs) -> None:
    """Budgets of the project count; the checkout is neither asked to be clean nor changed."""
    jobs = make_jobs(numbered(1), says())
    below = jobs.repo / "below"
    below.mkdir()
    jobs.git("init", "--quiet")
    jobs.write("bursar.toml", settings() + '\n[[budget]]\nname = "day"\nlimit = "1000 tokens"\nperiod = "daily"\n')
    first, second = (jobs.bursar("run", LIST, "--trust", "--workspace", "below") for _ in range(2))
    assert (first.code, second.code) == (0, 4)
    assert "not started: budget day has no room for it" in second.err
    assert jobs.git("status", "--porcelain").splitlines() == ["?? bursar.toml", f"?? {LIST}"]
    assert jobs.git("for-each-ref") == ""
