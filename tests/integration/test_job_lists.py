"""Job lists: several agents at once in a folder without git, every number equal to the bill."""

from __future__ import annotations

import json

from bursar.testing.script import Script, Step
from tests.integration.jobs_kit import MakeJobs, answers, job_list, make_jobs, numbered
from tests.integration.kit import write

__all__ = ["make_jobs"]


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
