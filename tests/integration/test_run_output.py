"""A run whose output nobody reads, and texts that a shell or a terminal could stumble over."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.integration.conftest import MakeProject
from tests.integration.kit import BURSAR, PATIENCE, PLAN, SUMMARY, open_project, plan, script, task, write


def test_reader_of_both_streams_goes_away(make_project: MakeProject) -> None:
    """`bursar run … 2>&1 | head -1`: the run goes on to its end, and ends as it went."""
    steps = {1: [write("one.txt", wait_for="gate")], 2: [write("two.txt")]}
    project = make_project(plan(task("One"), task("Two")), script(steps))
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [BURSAR, "run", PLAN, "--trust"],
        cwd=project.repo,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        stdout=writing,
        stderr=writing,
        start_new_session=True,
    )
    os.close(writing)
    assert project.server.wait_until_reached("gate")
    os.close(reading)
    project.server.open_gate("gate")
    assert process.wait(PATIENCE) == 0
    assert (project.repo / SUMMARY).exists()
    assert project.report["state"] == "succeeded"
    project.assert_tidy()


def test_failed_run_without_a_reader_is_still_a_failed_run(make_project: MakeProject) -> None:
    project = make_project(plan(task("One")), script({}))
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [BURSAR, "run", PLAN, "--trust"], cwd=project.repo, env=project.environment, stdout=writing, stderr=writing
    )
    os.close(writing)
    assert process.wait(PATIENCE) == 1
    project.assert_tidy()


def test_names_that_mean_something_to_a_shell(make_project: MakeProject) -> None:
    name = '--amend "x" $(touch mark) `touch mark` && <b> %s ü 漢'
    text = plan(task("One")).replace("<name>One</name>", f"<name>{name}</name>")
    project = make_project(text, script({1: [write("one.txt")]}))
    assert project.run().code == 0
    assert project.subjects[0] == f"feat(08-02): {name}"
    assert not (project.repo / "mark").exists()
    project.assert_tidy()


def test_paths_with_blanks_quotes_and_letters(tmp_path: Path) -> None:
    folder = tmp_path / "my 'own' projekt ü"
    folder.mkdir()
    files = "a b.txt"
    for project in open_project(folder, plan(task("One", files=files)), script({1: [write("ä b.txt"), write(files)]})):
        ended = project.run()
        assert ended.code == 0, ended.err
        assert (project.repo / "ä b.txt").exists()
        assert ended.metered == project.bill
        project.assert_tidy()
