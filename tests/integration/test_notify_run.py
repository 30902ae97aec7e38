"""Alerts and usage of a whole run: they reach a webhook and the audit log, and agree with the bill."""

from __future__ import annotations

import json
import re
import stat
from typing import Any

from bursar.testing.script import Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import Ended, Project, plan, script, settings, task, usage, write
from tests.integration.webhooks import Webhook, webhook

CALL = 10_000
HOOK = "BURSAR_TEST_HOOK"
NOTIFY = f'\n[notify]\ntargets = ["env:{HOOK}"]\n'


def one_task(make_project: MakeProject, more: str = "") -> Project:
    """One task of two calls, which add up to 20,000 tokens."""
    steps = [write("one.txt", usage=usage(CALL)), Step(text="done", usage=usage(CALL))]
    return make_project(plan(task("One")), script({1: steps}), settings() + more)


def audit(project: Project) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (project.state / "audit.jsonl").read_text(encoding="utf-8").splitlines()]


def told(ended: Ended) -> list[str]:
    """The alerts that the terminal was told, in order; at least one."""
    found = re.findall(r"^  ! \w+: (.*)$", ended.err, re.MULTILINE)
    assert found, ended.err
    return found


def of_kind(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == kind]


def test_alerts_of_a_run_arrive_once(make_project: MakeProject) -> None:
    """What the terminal was told, the webhook was told, and no more when the run is looked at again."""
    with webhook() as hook:
        project = one_task(make_project, NOTIFY)
        project.more[HOOK] = hook.target
        ended = project.run("--budget", "21k tokens")
        assert ended.code == 0, ended.err
        messages = [hook.next_message() for _ in told(ended)]
        again = project.run("--budget", "21k tokens")
        assert again.code == 0
        project.assert_gone()
        assert hook.received.empty()
    assert [message["message"] for message in messages] == told(ended)
    assert messages[-1]["title"] == "bursar · repo · critical"
    _assert_no_secret(project, hook, ended.err + ended.out)


def test_usage_alerts_and_the_end_are_in_the_audit_log(make_project: MakeProject) -> None:
    project = one_task(make_project)
    ended = project.run("--budget", "21k tokens")
    events = audit(project)
    assert sum(event["tokens"] for event in of_kind(events, "usage")) == project.bill == 2 * CALL
    assert [event["message"] for event in of_kind(events, "alert")] == told(ended)
    (end,) = of_kind(events, "settled")
    assert (end["state"], end["charged"]["tokens"], end["unknown"]["tokens"]) == ("settled", 2 * CALL, 0)
    assert {event["labels"]["task"] for event in events} == {"1"}
    assert stat.S_IMODE((project.state / "audit.jsonl").stat().st_mode) == 0o600


def test_an_audit_log_that_cannot_be_written_changes_nothing(make_project: MakeProject) -> None:
    project = one_task(make_project)
    (project.state / "audit.jsonl").mkdir(parents=True)
    project.state.chmod(0o700)
    ended = project.run("--budget", "200k tokens")
    assert ended.code == 0, ended.err
    assert project.bill == ended.metered
    (log,) = project.state.glob("runs/*/spawner.log")
    assert "audit.jsonl" in log.read_text()


def test_a_target_that_is_new_asks_for_approval_again(make_project: MakeProject) -> None:
    project = one_task(make_project)
    assert project.bursar("run", "--trust", ".planning/phases/08-features/08-02-PLAN.md").code == 0
    project = one_task(make_project, NOTIFY)
    refused = project.bursar("run", ".planning/phases/08-features/08-02-PLAN.md")
    assert refused.code == 2
    assert "--trust" in refused.err


def test_a_dead_webhook_does_not_hold_up_a_run(make_project: MakeProject) -> None:
    with webhook() as hook:
        pass
    project = one_task(make_project, NOTIFY)
    project.more[HOOK] = hook.target
    ended = project.run("--budget", "21k tokens")
    assert ended.code == 0, ended.err
    assert ended.metered == 2 * CALL


def _assert_no_secret(project: Project, hook: Webhook, said: str) -> None:
    texts = [said, *(path.read_text(errors="replace") for path in project.state.rglob("*") if path.is_file())]
    assert not any("s3cret-word" in text or "p4th-word" in text for text in texts), hook.shown
