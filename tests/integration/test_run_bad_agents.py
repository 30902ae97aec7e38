"""Agents that do not say what they should: named, counted, charged at the bound; and the run goes on to its report."""

from __future__ import annotations

import json
from pathlib import Path

from bursar.testing.script import Script
from tests.integration.conftest import MakeProject
from tests.integration.kit import Project, plan, settings, task

INIT = {"type": "system", "subtype": "init", "session_id": "s", "model": "claude-sonnet-4-5"}
DONE = {"type": "result", "subtype": "success", "is_error": False, "result": "ok"}


def call(**usage: int) -> dict[str, object]:
    message = {"id": "m", "model": "claude-sonnet-4-5", "stop_reason": "end_turn", "usage": usage, "content": []}
    return {"type": "assistant", "message": message}


def says(make_project: MakeProject, tmp_path: Path, shell: str, *lines: object, text: str = "") -> Project:
    """A project whose agent prints these lines, and then does what the shell does."""
    said = tmp_path / "said"
    said.write_text(text + "".join(json.dumps(line) + "\n" for line in lines))
    argv = ["/bin/sh", "-c", f"cat {said}; {shell}"]
    return make_project(plan(task("One")), Script.of({}), settings(argv=argv))


def test_a_stream_that_is_no_json_and_an_agent_too_old_for_its_options(
    make_project: MakeProject, tmp_path: Path
) -> None:
    shell = "echo usage: old >&2; echo \"error: unknown option '--strict-mcp-config'\" >&2; exit 2"
    project = says(make_project, tmp_path, shell, text="Hello!\nI am 0.9.\n")
    ended = project.run("--budget", "200k tokens")
    assert ended.code == 1
    assert project.note("1") == "the agent ended with exit code 2: error: unknown option '--strict-mcp-config'"
    said = "2 lines or figures of the agent's were not understood, or not believed: not JSON: b'Hello!'"
    assert ended.err.count(f"    ! {said}") == 1
    assert f"! {said}; not JSON: b'I am 0.9.' (task 1, attempt 1)" in ended.out
    (attempt,) = project.report["tasks"][0]["attempts"]
    assert attempt["remarks"] == [f"{said}; not JSON: b'I am 0.9.'"]
    assert attempt["unknown_outcome_tokens"] == 50_000  # it spoke, so it may have called


def test_usage_that_cannot_be_is_not_believed_and_charged_at_the_bound(
    make_project: MakeProject, tmp_path: Path
) -> None:
    project = says(
        make_project,
        tmp_path,
        "echo x > one.txt",
        INIT,
        call(input_tokens=-5, output_tokens=3),
        call(input_tokens=10**15, output_tokens=3),
        DONE,
    )
    assert project.run("--budget", "200k tokens").code == 0
    first = project.report["tasks"][0]["attempts"][0]
    assert first["remarks"] == [
        "2 lines or figures of the agent's were not understood, or not believed: absurd input_tokens: -5;"
        " absurd input_tokens: 1000000000000000"
    ]
    assert (first["metered_tokens"], first["unknown_outcome_tokens"]) == (0, 50_000)


def test_sources_that_are_more_than_1_percent_apart_are_told(make_project: MakeProject, tmp_path: Path) -> None:
    """The larger figure stands, which is the call's own; the run and its report say what the statement says."""
    stated = {"claude-sonnet-4-5": {"inputTokens": 980, "outputTokens": 0}}
    lines = (INIT, call(input_tokens=1000, output_tokens=10), DONE | {"modelUsage": stated})
    project = says(make_project, tmp_path, "echo x > one.txt", *lines)
    ended = project.run("--budget", "200k tokens")
    said = "its sources differ: claude-sonnet-4-5: 1010 tokens metered, the agent states 980"
    assert (ended.code, ended.metered) == (0, 1010)
    assert said in ended.err
    assert said in ended.out
