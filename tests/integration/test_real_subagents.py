"""Types of subagents with the real CLIs: a task that only looks has no tools that write, and still succeeds."""

from __future__ import annotations

import json

import pytest

from tests.conformance.real_agents import KINDS, settings_for
from tests.integration.conftest import MakeProject
from tests.integration.kit import plan, script, shell, task

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(280)]
EDIT = {"claude": '"name": "Edit"'}


@pytest.mark.parametrize("agent", ["claude", "codex"])
def test_exploring_offers_nothing_to_write_with(make_project: MakeProject, agent: str) -> None:
    text = plan(task("Look", 'subagent="explore"', files=""), task("Write", 'subagent="explore"'))
    project = make_project(
        text, script({1: [shell("cat README.md")], 2: [shell("echo x > write.txt")]}), settings_for(agent)
    )
    project.more.update(KINDS[agent].address(project.server.url))
    ended = project.start_run("--budget", "1M tokens").end(200)
    assert ended.code == 0, ended.err
    looking, writing = (
        json.dumps(body) for body in (project.server.request_bodies[0], project.server.request_bodies[-1])
    )
    if agent in EDIT:
        assert EDIT[agent] not in looking
        assert EDIT[agent] in writing, "what is due can be written"
    assert (project.repo / "write.txt").exists()
    assert ended.metered == project.bill
    project.assert_tidy()
