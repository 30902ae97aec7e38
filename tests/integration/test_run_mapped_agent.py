"""Whole runs with a program whose lines are mapped in settings: what is charged is what was billed."""

from __future__ import annotations

import json

from bursar.testing.script import Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import plan, script, settings, shell, task, usage, write

USAGE = "message.usage"
MAPPING = {
    "call": "message.id",
    "model": "message.model",
    "session": "session_id",
    "input_tokens": f"{USAGE}.input_tokens",
    "cache_read_tokens": f"{USAGE}.cache_read_input_tokens",
    "cache_write_5m_tokens": f"{USAGE}.cache_creation.ephemeral_5m_input_tokens",
    "cache_write_1h_tokens": f"{USAGE}.cache_creation.ephemeral_1h_input_tokens",
    "output_tokens": f"{USAGE}.output_tokens",
    "tool": "message.content.0.name",
    "tool_result": "message.content.0.content",
    "end": "result",
    "error": "is_error",
}


def toml() -> str:
    """The scripted agent, as a program of which nothing else is known: its whole messages tell what they used."""
    table = "\n".join(f"{key} = {json.dumps(place)}" for key, place in MAPPING.items())
    return f"{settings()}\n[agents.command.events]\n{table}\n"


def test_plan_to_commits(make_project: MakeProject) -> None:
    steps = [write("one.txt"), Step(text="Done.", usage=usage(3_000))]
    project = make_project(plan(task("One")), script({1: steps}), toml())
    project.more["BURSAR_TROUBLE"] = "true-counts"
    ended = project.run("--budget", "5 USD")
    assert ended.code == 0, ended.err
    assert ended.metered == project.bill == project.charged
    project.assert_tidy()


def test_a_limit_stops_it_while_its_tool_runs(make_project: MakeProject) -> None:
    steps = [shell("sleep 600", usage=usage(10_000)), Step(text="Never.")]
    project = make_project(plan(task("One")), script({1: steps}), toml())
    project.more["BURSAR_TROUBLE"] = "true-counts"
    ended = project.run("--budget", "9k tokens")
    assert (ended.code, ended.metered, project.bill) == (4, 10_000, 10_000)
    project.assert_tidy()


def test_a_mapping_that_cannot_be_is_refused_before_the_run(make_project: MakeProject) -> None:
    project = make_project(plan(task("One")), script({}), f'{settings()}\n[agents.command.events]\ncall = "id"\n')
    ended = project.run()
    assert ended.code == 2
    assert "bursar.toml: agents.command.events: Object missing required field `end`" in ended.err
    assert "hint: events = {call" in ended.err
