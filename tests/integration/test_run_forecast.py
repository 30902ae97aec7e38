"""While a run is on, it says how probably what is left of the money suffices."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from bursar.history import Observation, open_history
from bursar.paths import HISTORY_FILE
from bursar.testing.script import Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import MODELS, Project, parallel, plan, script, settings, shell, slug, usage, write

NAMES = ("One", "Two", "Three")
CALL = 10_000
FAST = settings(run="forecast_seconds = 0.05\nmax_parallel = 1")


def remember(project: Project, count: int = 40) -> None:
    """Attempts of the medium model at this project, at 18,000 to 22,000 tokens, all of which succeeded."""
    project.state.mkdir()
    history = open_history(project.state / HISTORY_FILE)
    history.record_all(
        [
            Observation(
                key=f"earlier/{number}", at=f"2026-01-01T00:{number:02}:00+00:00", project=str(project.repo),
                plan_id="01-01", task="1", subagent="", complexity=None, agent="command", model=MODELS["medium"],
                outcome="succeeded", tokens=18_000 + 100 * number, nano_usd=10**8, calls=2, wall_seconds=1.0,
            )
            for number in range(count)
        ]
    )  # fmt: skip
    history.close()


def forecast_of(make_project: MakeProject, budget: str) -> tuple[Project, dict[str, Any], str]:
    """What `bursar status --json` has of it while the first task is on, and what the run has told in the end."""
    tasks = plan(*(parallel(name, files=f"{slug(name)}.txt") for name in NAMES))
    project = make_project(tasks, script({}), FAST)
    gate = project.folder / "gate"
    os.mkfifo(gate)
    waits = [shell(f"cat {gate}", usage=usage(CALL // 2)), write("one.txt", usage=usage(CALL // 2))]
    steps = {1: [*waits, Step(text="done", usage=usage(CALL))]}
    for number, name in enumerate(NAMES[1:], 2):
        steps[number] = [write(f"{slug(name)}.txt", usage=usage(CALL)), Step(text="done", usage=usage(CALL))]
    project.server.script = script(steps)
    remember(project)
    run = project.start_run("--budget", budget)
    run.wait_until_said("still open: with")
    (status,) = json.loads(project.bursar("status", "--json").out)
    assert re.search(r"finishes with probability [01]\.\d\d$", project.bursar("status").out, re.MULTILINE)
    gate.open("w").close()
    return project, status["forecast"], run.end().err


def test_what_is_left_is_forecast_while_the_run_is_on(make_project: MakeProject) -> None:
    """Three tasks at about 20,000 tokens, of which the first has begun: 10 million are enough, and 60,000 would be."""
    project, forecast, told = forecast_of(make_project, "10m tokens")
    assert (forecast["open_tasks"], forecast["unit"], forecast["observations"]) == (3, "tokens", 40)
    assert forecast["finishes"] > 0.9
    assert 9_900_000 < forecast["left"] <= 10_000_000
    assert 40_000 < forecast["needed"] < 80_000
    assert "  ≈ 3 tasks still open: with " in told
    assert list(project.states.values()) == ["merged"] * 3
    (after,) = json.loads(project.bursar("status", "--json").out)
    assert after["forecast"] is None  # it is of what is still to come
    project.assert_tidy()


def test_too_little_is_said_to_be_too_little(make_project: MakeProject) -> None:
    project, forecast, told = forecast_of(make_project, "45k tokens")
    assert forecast["finishes"] < 0.2
    assert forecast["needed"] > forecast["left"]
    assert "tokens for 0.9" in told
    assert "merged" in project.states.values()
    project.assert_tidy()
