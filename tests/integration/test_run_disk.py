"""A disk that takes nothing more: the real conductor ends with its reason, and what it had begun is finished later."""

from __future__ import annotations

import resource
import subprocess

import pytest

from tests.integration.conftest import MakeProject
from tests.integration.kit import BURSAR, PLAN, Project, parallel, plan, script, task, write

TASKS = [parallel("One"), parallel("Two"), task("Three")]
SUBJECTS = {"feat(08-02): One", "feat(08-02): Two", "feat(08-02): Three", "docs(08-02): Add summary"}


def start_heard(project: Project) -> subprocess.Popen[str]:
    """`bursar run PLAN` whose words come through a pipe: a file could not take them any more than the journal."""
    return subprocess.Popen(
        [BURSAR, "run", PLAN, "--trust", "--budget", "1M tokens"],
        cwd=project.repo,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("gates", [("gate-1",), ("gate-1", "gate-2")])
def test_what_cannot_be_written_ends_the_run_and_a_resume_finishes_it(
    make_project: MakeProject, gates: tuple[str, ...]
) -> None:
    """Its files may not grow from some moment on, which is what a full disk is to it; its supervisors' may."""
    steps = {n: [write(f"{name}.txt", wait_for=f"gate-{n}")] for n, name in enumerate(("one", "two", "three"), 1)}
    project = make_project(plan(*TASKS), script(steps))
    run = start_heard(project)
    for gate in ("gate-1", "gate-2"):
        assert project.server.wait_until_reached(gate)
    resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    for gate in gates:
        project.server.open_gate(gate)
    _, said = run.communicate(timeout=60)
    assert (run.returncode, "Traceback" in said) == (6, False), said
    assert "error: " in said
    assert "bursar resume " in said
    for gate in ("gate-1", "gate-2", "gate-3"):
        project.server.open_gate(gate)
    ended = project.run()
    assert ended.code == 0, ended.err
    assert set(project.subjects) == SUBJECTS
    assert len(project.subjects) == len(SUBJECTS)
    assert project.report["metered_tokens"] <= project.bill <= project.charged
    project.assert_tidy()
