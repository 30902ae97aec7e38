"""Bytes that are no UTF-8, in the environment and in file names: a whole run comes through them, or says why not."""

from __future__ import annotations

import os

from tests.integration.conftest import MakeProject
from tests.integration.kit import SUMMARY, plan, script, shell, task

ODD = os.fsdecode(b"caf\xe9")


def test_a_variable_that_is_not_utf_8_reaches_the_agent(make_project: MakeProject) -> None:
    project = make_project(plan(task("Look", files="odd.txt")), script({1: [shell('printf %s "$ODD" > odd.txt')]}))
    project.more["ODD"] = ODD
    ended = project.run("--budget", "200k tokens")
    assert ended.code == 0, ended.err
    assert (project.repo / "odd.txt").read_bytes() == b"caf\xe9"


def test_a_file_name_that_is_not_utf_8_is_merged_and_summed_up(make_project: MakeProject) -> None:
    project = make_project(
        plan(task("Write", files="caf.txt")), script({1: [shell("printf x > \"$(printf 'caf\\351')\"")]})
    )
    ended = project.run("--budget", "200k tokens")
    assert ended.code == 0, ended.err
    assert os.path.exists(os.fsencode(project.repo) + b"/caf\xe9")
    assert "caf" in (project.repo / SUMMARY).read_text(encoding="utf-8")


def test_a_conflict_in_such_a_file_can_be_said(make_project: MakeProject) -> None:
    odd = "printf {text} > \"$(printf 'caf\\351')\""
    tasks = [task(name, 'parallel="can-parallelize"', files=f"{name}.txt") for name in ("One", "Two")]
    steps = {
        1: [shell(odd.format(text="one"), wait_for="together")],
        2: [shell(odd.format(text="two"), wait_for="together")],
    }
    project = make_project(plan(*tasks), script(steps))
    run = project.start_run("--budget", "200k tokens")
    assert all(project.server.wait_until_reached("together") for _ in range(2))
    project.server.open_gate("together")
    ended = run.end()
    assert "merge conflict in caf" in ended.err
    assert ended.code == 0, "the fresh attempt was told of it, and found its way"
