"""The machine restarted: pids belong to others by now, who are neither waited for nor stopped."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from bursar.processes import identify, is_alive
from tests.integration.conftest import MakeProject
from tests.integration.kit import Project, plan, script, task, wait_for_exit, write

HOLD = 50_000


def power_off(project: Project) -> None:
    """Every process of the run is gone at once."""
    processes = project.processes()
    for each in processes:
        os.kill(each.pid, signal.SIGKILL)
    for each in processes:
        wait_for_exit(each.pid)


def stranger(kind: str) -> str:
    """An identity with our own pid, as a supervisor of the same pid had it: started earlier, or in another boot."""
    pid, start, boot = (identify(os.getpid()) or "").split("/")
    return f"{pid}/{start}/another-boot" if kind == "another boot" else f"{pid}/{int(start) - 1}/{boot}"


@pytest.mark.parametrize("kind", ["another boot", "reused pid"])
def test_who_has_the_supervisors_pid_by_now_is_left_alone(make_project: MakeProject, kind: str) -> None:
    project = make_project(
        plan(task("One"), task("Two")), script({1: [write("one.txt", wait_for="gate")], 2: [write("two.txt")]})
    )
    project.start_run("--budget", "500k tokens")
    assert project.server.wait_until_reached("gate")
    power_off(project)
    (claim,) = project.state.glob("runs/*/attempts/1-1/supervisor")
    Path(claim).write_text(stranger(kind))
    assert '"state": "interrupted"' in project.bursar("status", "--json").out
    project.server.open_gate("gate")
    ended = project.run()
    assert ended.code == 0, ended.err
    assert is_alive(identify(os.getpid()) or "")
    assert "goes on by itself" not in ended.err
    assert "its supervisor died; what was held is charged" in ended.err
    assert project.subjects == ["feat(08-02): One", "feat(08-02): Two", "docs(08-02): Add summary"]
    first = project.report["tasks"][0]["attempts"][0]
    assert first["metered_tokens"] + first["unknown_outcome_tokens"] == HOLD
    project.assert_tidy()
