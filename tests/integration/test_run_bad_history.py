"""A history that is corrupt, foreign or hostile stops no run, and what cannot be believed teaches nothing."""

from __future__ import annotations

import sqlite3

import pytest

from bursar.history import open_history
from bursar.paths import HISTORY_FILE
from bursar.testing.script import Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import plan, script, settings, task, write

GOOD = [write("one.txt"), Step(text="done")]


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_corrupt_history_is_told_of_and_the_run_goes_on(make_project: MakeProject, content: bytes) -> None:
    project = make_project(plan(task("One")), script({1: GOOD}), settings(routing='policy = "learned"'))
    project.state.mkdir()
    (project.state / HISTORY_FILE).write_bytes(content)
    ended = project.run("--budget", "60k tokens")
    assert ended.code == 0, ended.err
    assert "warning: nothing is learned from earlier runs, nor will be from this one: " in ended.err
    assert project.states == {"1": "merged"}
    assert (project.state / HISTORY_FILE).read_bytes() == content


def test_rows_that_somebody_wrote_past_us_teach_nothing(make_project: MakeProject) -> None:
    """A hundred attempts of the small model that were free, and took no time, or more tokens than there are."""
    project = make_project(plan(task("One")), script({1: GOOD}), settings(routing='policy = "learned"'))
    project.state.mkdir()
    open_history(project.state / HISTORY_FILE).close()
    with sqlite3.connect(project.state / HISTORY_FILE) as database:
        names = [row[1] for row in database.execute("PRAGMA table_info(observation)")]
        usual = {
            "complexity": None,
            "tokens": 10**18,
            "nano_usd": 0,
            "calls": 1,
            "wall_seconds": 1e308,
            "facts": "[" * 9,
        }
        for number in range(100):
            row = {name: usual.get(name, "x") for name in names} | {"key": f"{number}", "outcome": "succeeded"}
            marks = ", ".join("?" for _ in row)
            database.execute(f"INSERT INTO observation ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    database.close()
    ended = project.run("--budget", "60k tokens")
    assert ended.code == 0, ended.err
    assert "holds 50,000 tokens" in ended.err
    project.assert_tidy()
