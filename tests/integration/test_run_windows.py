"""Runs on a subscription: a window's limit keeps tasks from starting, and a refusal of the provider is waited out."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from datetime import datetime

from bursar.testing.script import Script, Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import CALL_TOKENS, Project, plan, settings, slug, task, write

WINDOW = '\n[[window]]\nagent = "command"\nwindow = "5h"\nlimit = "80 %"\n'
NAMES = ("One", "Two", "Three")
AN_HOUR = 3600


def headers(share: float, seconds: int = AN_HOUR, status: str = "allowed") -> Mapping[str, str]:
    """What a provider says of the five hours with an answer, of which so many seconds are left."""
    resets = str(int(time.time()) + seconds)
    prefix = "anthropic-ratelimit-unified"
    return {
        f"{prefix}-status": status,
        f"{prefix}-reset": resets,
        f"{prefix}-5h-utilization": str(share),
        f"{prefix}-5h-reset": resets,
    }


def filling(seconds: int = AN_HOUR, step: float = 0.2) -> Script:
    """Three tasks of which each takes so much of the window: 70 % after the first, by default 90 % after the second."""
    steps = {}
    for number, name in enumerate(NAMES, 1):
        told = headers(round(0.7 + step * (number - 1), 2) if number < 3 else 0.1, seconds)
        steps[f"# Task {number}:"] = [write(f"{slug(name)}.txt", headers=told), Step(text="done", headers=told)]
    return Script.of(steps)


def refusing(seconds: int) -> Script:
    """Three tasks, of which the second is refused once: the window is used up for so many seconds."""
    steps = {f"# Task {number}:": [write(f"{slug(name)}.txt")] for number, name in enumerate(NAMES, 1)}
    refusal = headers(1.0, seconds, "rejected")
    steps["# Task 2:"] = [write("two.txt", status=429, times=1, headers=refusal)]
    return Script.of(steps)


def make(make_project: MakeProject, script: Script, toml: str = WINDOW, routing: str = "attempts = 1") -> Project:
    return make_project(plan(*map(task, NAMES)), script, settings(routing=routing) + toml)


def test_nothing_starts_past_the_limit_of_a_window(make_project: MakeProject) -> None:
    project = make(make_project, filling())
    ended = project.run()
    assert ended.code == 4
    assert ended.err.splitlines()[0].endswith(" · window command 5h up to 80 %")
    assert project.states == {"1": "merged", "2": "merged", "3": "stopped"}
    note = project.note("3")
    assert note.startswith("window command 5h is at 90 % (said just now), and its limit is 80 %; it begins anew at 20")
    assert f"bursar resume {project.report['run']} --wait" in note
    assert "critical: window command 5h has reached 100 % of its limit of 80 %" in ended.err
    assert "windows: observed, not enforced" in ended.out
    (window,) = project.report["windows"]
    assert (window["window"], window["used_percent"], window["certainty"]) == ("5h", 90.0, "observed")
    assert datetime.fromisoformat(window["resets_at"]) > datetime.fromisoformat(window["said_at"])
    listed = project.bursar("budget", "list").out
    assert listed.startswith("window command 5h    90 % used (said 0 min ago), limit 80 % · begins anew 20")
    again = project.run()  # the next run knows it, too
    assert (again.code, project.states["3"]) == (4, "stopped")
    assert len(project.calls) == 4


def test_a_flag_goes_before_the_settings_and_may_allow_more(make_project: MakeProject) -> None:
    project = make(make_project, filling(step=0.01), WINDOW.replace("80", "60"))
    assert project.run("--window-limit", "5h=75%").code == 0
    strict = make(make_project, filling(step=0.01), "")
    assert strict.run("--window-limit", "command:5h=60 %").code == 4
    assert strict.states == {"1": "merged", "2": "stopped", "3": "pending"}


def test_a_limit_that_warns_says_so_and_stops_nothing(make_project: MakeProject) -> None:
    project = make(make_project, filling(), WINDOW + 'on_limit = "warn"\nthresholds = [1.0]\n')
    ended = project.run()
    assert ended.code == 0
    assert "3  Three · starts all the same: window command 5h is at 90 %" in ended.err
    assert ended.err.count("has reached") == 1


def test_with_wait_the_run_goes_on_when_the_window_has_begun_anew(make_project: MakeProject) -> None:
    project = make(make_project, filling(seconds=6))
    assert project.run("--wait").code == 0
    assert set(project.states.values()) == {"merged"}


def test_waiting_for_a_window_is_said_and_can_be_called_off(make_project: MakeProject) -> None:
    project = make(make_project, filling())
    command = project.start_run("--wait")
    command.wait_until_said("? waits until 20")
    command.send(signal.SIGINT)
    ended = command.end()
    assert ended.code == 130
    assert ended.err.count("waits until") == 1
    assert project.report["state"] == "interrupted"
    project.assert_gone()


def test_a_refusal_of_the_provider_is_no_failure(make_project: MakeProject) -> None:
    project = make(make_project, refusing(AN_HOUR), "")
    ended = project.run()
    assert ended.code == 5
    assert project.states == {"1": "merged", "2": "pending", "3": "pending"}
    assert project.note("2").startswith("its provider's limit is reached, until 20")
    assert "--wait waits for that" in project.note("2")
    assert project.charged == project.bill
    assert project.run().code == 0  # at once: nobody but the provider says that it is too early
    assert project.charged == project.bill == 6 * CALL_TOKENS
    assert [line["state"] for line in project.report["tasks"][1]["attempts"]] == ["interrupted", "succeeded"]


def test_with_wait_what_was_refused_is_tried_again_and_was_no_attempt(make_project: MakeProject) -> None:
    project = make(make_project, refusing(6), "", "attempts = 2")
    ended = project.run("--wait")
    assert ended.code == 0
    assert "command has reached a limit of its provider's, which is over at 20" in ended.err
    assert [line["state"] for line in project.report["tasks"][1]["attempts"]] == ["interrupted", "succeeded"]
    assert [line["model"] for line in project.report["tasks"][1]["attempts"]] == ["claude-sonnet-4-5"] * 2
    assert project.charged == project.bill


def test_another_agent_takes_over_before_anybody_waits(make_project: MakeProject) -> None:
    """The other agent is a Claude Code that is not there: that it was asked for is what is seen."""
    toml = '[agents.claude]\nprogram = "/nonexistent/claude"\n'
    project = make(make_project, refusing(AN_HOUR), toml, 'attempts = 1\nfailover = ["claude"]')
    ended = project.run("--wait")
    assert ended.code == 1
    assert "goes to agent claude: command is rate limited" in ended.err
    assert "waits until" not in ended.err
    assert [line["state"] for line in project.report["tasks"][1]["attempts"]] == ["interrupted", "failed"]
