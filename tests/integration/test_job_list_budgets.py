"""Many agents at once under one budget: what they truly spend is bounded, metered to the token, and over at the end."""

from __future__ import annotations

import re

import pytest

from bursar.testing.script import Script, Step
from tests.integration.jobs_kit import MakeJobs, answers, job_list, numbered
from tests.integration.kit import CALL_TOKENS, settings, shell, usage, write

BLOCK = ("--budget-enforcement-mode", "block")


def two_calls(count: int) -> Script:
    """Each instance makes two calls, both of which all make at once, and would make more after a command that hangs."""
    return answers(count, lambda at: [write(f"{at}.txt", wait_for="first"), shell("sleep 600", wait_for="second")])


def small_holds(tokens: int) -> str:
    return settings(run=f'default_hold = "{tokens} tokens"')


@pytest.mark.parametrize("count", [8, 16])
def test_many_at_once_stay_within_one_budget(make_jobs: MakeJobs, count: int) -> None:
    """There is money for a call and a half of each; the second calls of all are in flight when it runs out."""
    limit = count * CALL_TOKENS * 3 // 2
    jobs = make_jobs(numbered(count), two_calls(count), small_holds(CALL_TOKENS * 3 // 2))
    run = jobs.start_jobs("--overall-token-budget", str(limit), *BLOCK, "--max-parallel", str(count))
    for gate in ("first", "second"):
        assert all(jobs.server.wait_until_reached(gate) for _ in range(count))
        assert len({each.attempt for each in jobs.agents}) == count
        jobs.server.open_gate(gate)
    ended = run.end()
    assert ended.code == 4, ended.err
    calls, bill = len(jobs.calls), jobs.bill
    assert limit < bill <= limit + count * CALL_TOKENS
    assert ended.metered == bill == jobs.charged
    jobs.assert_gone()
    assert (len(jobs.calls), jobs.bill) == (calls, bill)
    jobs.assert_books()
    assert set(jobs.states.values()) == {"stopped"}


def test_sixteen_do_not_start_on_one_agents_money(make_jobs: MakeJobs) -> None:
    """There is enough for one and a crumb: the others never make a call."""
    calls = 6
    limit = calls * CALL_TOKENS + 100
    jobs = make_jobs(numbered(16), answers(16, lambda at: [write(f"{at}-{n}.txt") for n in range(1, calls)]),
                     small_holds(calls * CALL_TOKENS))  # fmt: skip
    ended = jobs.run_jobs("--overall-token-budget", str(limit), *BLOCK, "--max-parallel", "16")
    assert ended.code == 4, ended.err
    assert jobs.bill == ended.metered == calls * CALL_TOKENS
    assert list(jobs.states.values()).count("merged") == 1
    assert len({call.task for call in jobs.calls}) == 1
    assert len(re.findall("not started: budget run-.*/overall-tokens has no room for it", ended.err)) == 15
    jobs.assert_books()


def test_an_estimate_that_does_not_fit_is_refused(make_jobs: MakeJobs) -> None:
    """Its own number decides, not what it would have used."""
    text = job_list(
        {"name": "small", "command": "/go job-01", "max_tokens_per_command": 2_000},
        {"name": "large", "command": "/go job-02", "max_tokens_per_command": 9_000},
    )
    jobs = make_jobs(text, answers(2, lambda at: [Step(text="done")]))
    ended = jobs.run_jobs("--overall-token-budget", "8k", *BLOCK)
    assert ended.code == 4, ended.err
    assert jobs.states == {"1": "merged", "2": "stopped"}
    assert jobs.bill == ended.metered == CALL_TOKENS


def test_warn_logs_and_goes_on(make_jobs: MakeJobs) -> None:
    jobs = make_jobs(numbered(3), answers(3, lambda at: [Step(text="done")]))
    ended = jobs.run_jobs("--overall-token-budget", "2k")
    assert ended.code == 0, ended.err
    assert jobs.bill == ended.metered == 3 * CALL_TOKENS
    assert "starts all the same: budget" in ended.err
    assert "it needs 1 token" not in ended.err
    assert "is past its limit of 2,000 tokens" in ended.err


def test_a_budget_of_a_command_counts_all_that_begin_with_it(make_jobs: MakeJobs) -> None:
    text = job_list(
        {"name": "a", "command": "/analyze job-01"},
        {"name": "b", "command": "/analyze job-02"},
        {"name": "c", "command": "/other job-03"},
    )
    jobs = make_jobs(text, answers(3, lambda at: [Step(text="done", usage=usage(10_000))]))
    ended = jobs.run_jobs("--command-budget", "/analyze=12k", *BLOCK, "--max-parallel", "1")
    assert ended.code == 4, ended.err
    assert jobs.states == {"1": "merged", "2": "stopped", "3": "merged"}
    (budget,) = jobs.report["budgets"]
    assert (budget["spent"], budget["limit"]) == (10_000, 12_000)


def test_an_instance_is_stopped_at_its_own_number_in_block_alone(make_jobs: MakeJobs) -> None:
    """The same list: with `warn` it finishes and says so, with `block` it is stopped by the call that passes it."""
    text = job_list({"name": "a", "prompt": "job-01", "max_tokens_per_command": 2_000})
    warned = make_jobs(text, answers(1, lambda at: [write(f"{n}.txt") for n in range(5)]))
    assert warned.run_jobs().code == 0
    assert warned.bill == 6 * CALL_TOKENS
    blocked = make_jobs(text, answers(1, lambda at: [write("a.txt"), shell("sleep 600")]))
    ended = blocked.run_jobs(*BLOCK)
    assert ended.code == 4, ended.err
    assert ended.metered == blocked.bill == 2 * CALL_TOKENS


def test_the_fourth_time_is_estimated_by_the_first_three(make_jobs: MakeJobs) -> None:
    """What succeeded before is held for the same command, not the default."""
    jobs = make_jobs(job_list({"command": "/go job-01"}), answers(1, lambda at: [Step(text="done")]))
    for _ in range(3):
        assert "holds 50,000 tokens" in jobs.run_jobs().err
    assert f"holds {CALL_TOKENS:,} tokens" in jobs.run_jobs().err
