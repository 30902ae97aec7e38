"""What a job list may not say, and what somebody has to approve before anything of it happens."""

from __future__ import annotations

import pytest

from bursar.testing.script import Script, Step
from tests.integration.jobs_kit import LIST, MakeJobs, answers, job_list, numbered
from tests.integration.kit import shell


def says() -> Script:
    """One instance that is done at once."""
    return answers(1, lambda at: [Step(text="done")])


def test_pre_commands_wait_for_approval(make_jobs: MakeJobs) -> None:
    text = job_list({"name": "a", "prompt": "job-01", "pre_commands": ["echo one > pre.txt", "echo two >> pre.txt"]})
    jobs = make_jobs(text, answers(1, lambda at: [shell("cat pre.txt")]))
    refused = jobs.bursar("run", LIST)
    assert refused.code == 2
    assert "  instance a: echo one > pre.txt\n  instance a: echo two >> pre.txt\n" in refused.err
    assert not (jobs.repo / "pre.txt").exists()
    assert jobs.calls == ()
    assert jobs.run_jobs().code == 0
    assert (jobs.repo / "pre.txt").read_text() == "one\ntwo\n"
    jobs.write(LIST, text.replace("two", "three"))
    assert jobs.bursar("run", LIST).code == 2


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("permission_mode", "bypassPermissions", "instance a: permission mode bypassPermissions"),
        ("allowed_tools", ["Bash(rm:*)"], "instance a: may use Bash(rm:*)"),
    ],
)
def test_wider_permissions_wait_for_approval(make_jobs: MakeJobs, key: str, value: object, line: str) -> None:
    jobs = make_jobs(job_list({"name": "a", "prompt": "job-01", key: value}), says(), "")
    jobs.more["BURSAR_CLAUDE"] = "/bin/false"
    refused = jobs.bursar("run", LIST)
    assert refused.code == 2
    assert f"commands and permissions that nobody has approved yet:\n  {line}\n" in refused.err


def test_what_only_claude_is_told_is_refused_for_others(make_jobs: MakeJobs) -> None:
    text = job_list(
        {"name": "a", "prompt": "job-01", "permission_mode": "acceptEdits"},
        {"name": "b", "prompt": "job-02", "permission_mode": "plan", "allowed_tools": ["Read"]},
    )
    ended = make_jobs(text, says()).run_jobs()
    assert ended.code == 2
    assert "agent command is not told what these instances ask for:\n" in ended.err
    assert ended.err.count(": instance ") == 1
    assert f"{LIST}:8:3: instance b: permission_mode, allowed_tools\n" in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "none.json"], "there is no job list at none.json"),
        (["run", LIST, "--workspace", "none"], "/none does not exist\n\nhint: mkdir -p "),
        (["run", LIST, "--workspace", LIST], f"/{LIST} is a file"),
        (["run", "08-02-PLAN.md", "--workspace", "."], "--workspace is for job lists, and 08-02-PLAN.md is a plan"),
        (["run", LIST, "--timeout", "0"], "--timeout must be more than 0 seconds"),
        (["run", LIST, "--timeout", "nan"], "--timeout must be a number of seconds"),
        (["run", LIST, "--startup-delay", "-1"], "--startup-delay must be a number of seconds"),
        (["run", LIST, "--status-report-interval", "1e3"], "--status-report-interval must be a number of seconds"),
        (["run", LIST, "--start-at", "25:00"], "--start-at: '25:00' is no time"),
        (["run", LIST, "--budget-enforcement-mode", "block"], "is about the limits of other flags"),
    ],
)
def test_bad_arguments(make_jobs: MakeJobs, arguments: list[str], words: str) -> None:
    jobs = make_jobs(numbered(1), says())
    jobs.write("08-02-PLAN.md", "")
    ended = jobs.bursar(*arguments)
    assert ended.code == 2
    assert words in ended.err
    assert jobs.calls == ()


def test_every_problem_of_the_list_is_told_at_once(make_jobs: MakeJobs) -> None:
    jobs = make_jobs('{"instances": [\n {"nam": 1},\n {"prompt": 2}\n]}', says())
    ended = jobs.run_jobs()
    assert ended.code == 3
    for line in (f"{LIST}:2:2: neither", f"{LIST}:2:3: unknown key `nam` (did you mean `name`?)", f"{LIST}:3:13: "):
        assert line in ended.err
