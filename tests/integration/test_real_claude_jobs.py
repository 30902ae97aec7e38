"""Job lists with the real Claude Code CLI against the fake model server."""

from __future__ import annotations

import json

import pytest

from bursar.testing.script import Step, ToolCall
from tests.integration.jobs_kit import MakeJobs, answers, job_list
from tests.integration.kit import CALL_TOKENS

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(240)]

SESSION = "5f0c1c39-6d50-4bb0-9d0b-0a7a52d1b2c4"


@pytest.fixture(scope="session")
def toml(real_claude: str) -> str:
    """A `bursar.toml` that names the pinned CLI."""
    return f"[agents.claude]\nprogram = {json.dumps(real_claude)}\n"


def writes(path: str) -> list[Step]:
    return [Step(tools=(ToolCall("Write", {"file_path": path, "content": "hello\n"}),))]


def test_two_instances_in_one_workspace(make_jobs: MakeJobs, toml: str) -> None:
    """Files where the workspace is, and the ledger equal to the bill; one instance may not write."""
    text = job_list(
        {"name": "a", "prompt": "Do job-01.", "output_format": "json"},
        {"name": "b", "prompt": "Do job-02.", "allowed_tools": ["Read"], "permission_mode": "dontAsk"},
    )
    jobs = make_jobs(text, answers(2, lambda at: writes(f"{at}.txt")), toml)
    ended = jobs.run_jobs("--overall-token-budget", "1M", "--budget-enforcement-mode", "block")
    assert ended.code == 1, ended.err
    assert (jobs.repo / "1.txt").read_text() == "hello\n"
    assert not (jobs.repo / "2.txt").exists()
    assert jobs.note("2") == "the agent was denied permission to use Write"
    assert ended.metered == jobs.bill == jobs.charged > 0
    jobs.assert_books()
    jobs.assert_gone()


def test_a_conversation_goes_on_or_begins_anew(make_jobs: MakeJobs, toml: str) -> None:
    """The same id three times: begun, gone on with, and with `clear_history` not."""
    first = {"name": "a", "prompt": "Do job-01 quetzal.", "session_id": SESSION}
    jobs = make_jobs(job_list(first), answers(1, lambda at: []), toml)
    assert jobs.run_jobs().code == 0
    jobs.write("jobs.json", job_list({"name": "a", "prompt": "Do job-01 wombat.", "session_id": SESSION}))
    again = jobs.run_jobs()
    assert again.code == 0
    assert again.metered == CALL_TOKENS
    last = {"name": "a", "prompt": "Do job-01 axolotl.", "session_id": SESSION, "clear_history": True}
    jobs.write("jobs.json", job_list(last))
    assert jobs.run_jobs().code == 0
    told = [json.dumps(body) for body in jobs.server.request_bodies]
    assert [[word in each for word in ("quetzal", "wombat", "axolotl")] for each in told] == [
        [True, False, False],
        [True, True, False],
        [False, False, True],
    ]


def test_a_command_of_the_workspace(make_jobs: MakeJobs, toml: str) -> None:
    """The agent expands it, so its budget counts what it took; another text of it has to be approved again."""
    jobs = make_jobs(job_list({"name": "a", "command": "/analyze src"}), answers(1, lambda at: writes("1.txt")), toml)
    (jobs.repo / ".claude" / "commands").mkdir(parents=True)
    jobs.write(".claude/commands/analyze.md", "Do job-01 for $ARGUMENTS.\n")
    ended = jobs.run_jobs("--command-budget", "/analyze=1M")
    assert ended.code == 0, ended.err
    assert (jobs.repo / "1.txt").exists()
    (budget,) = jobs.report["budgets"]
    assert budget["spent"] == ended.metered == jobs.bill == 2 * CALL_TOKENS
    jobs.write(".claude/commands/analyze.md", "Do job-01 twice for $ARGUMENTS.\n")
    refused = jobs.bursar("run", "jobs.json")
    assert refused.code == 2
    assert "  instance a: .claude/commands/analyze.md (sha256 " in refused.err


def test_a_conversation_is_compacted_before_the_work_and_that_is_metered(make_jobs: MakeJobs, toml: str) -> None:
    """Claude Code's own `/compact` in the session, on the instance's hold: the ledger is the bill."""
    first = {"name": "a", "prompt": "Do job-01 quetzal.", "session_id": SESSION}
    jobs = make_jobs(job_list(first), answers(1, lambda at: []), toml)
    assert jobs.run_jobs().code == 0
    then = {"name": "a", "prompt": "Do job-01 wombat.", "session_id": SESSION, "compact_history": True}
    jobs.write("jobs.json", job_list(then))
    calls = len(jobs.server.calls)
    again = jobs.run_jobs("--overall-token-budget", "1M", "--budget-enforcement-mode", "block")
    assert again.code == 0, again.err
    assert len(jobs.server.calls) >= calls + 2  # the summary, and the work
    assert again.metered == (len(jobs.server.calls) - calls) * CALL_TOKENS
    told = [json.dumps(body) for body in jobs.server.request_bodies]
    assert "being continued from a previous conversation" in told[-1]
    assert "wombat" in told[-1]
    assert not any("wombat" in each for each in told[calls:-1])
    jobs.assert_books()
    jobs.write("jobs.json", job_list({**then, "prompt": "Do job-01 axolotl."}))
    stopped = jobs.run_jobs("--overall-token-budget", str(CALL_TOKENS), "--budget-enforcement-mode", "block")
    assert stopped.code == 4, stopped.err
    assert not any("axolotl" in json.dumps(body) for body in jobs.server.request_bodies)
    jobs.assert_gone()
