"""What `roadmap next` and `parallel` make of what runs have done, which no tick of the roadmap tells."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bursar.clock import SystemClock
from bursar.config import open_stores
from bursar.journal import AttemptRow, AttemptState, PlanRow, RunRow, RunState, TaskRow, TaskState
from bursar.paths import JOURNAL_FILE, LEDGER_FILE
from bursar.processes import identify
from bursar.run import Stores
from tests.cli.conftest import Bursar
from tests.cli.test_parallel_command import ROADMAP
from tests.unit.reports.books import START

Begin = Callable[..., None]


@pytest.fixture
def roadmap(place: Path) -> Path:
    (place / ".git").mkdir()
    path = place / ".planning/ROADMAP.md"
    path.parent.mkdir()
    path.write_text(ROADMAP)
    return path


@pytest.fixture
def stores(place: Path, tmp_path: Path) -> Iterator[Stores]:
    opened = open_stores(tmp_path / "state", str(tmp_path / "state" / LEDGER_FILE), SystemClock())
    yield opened
    opened.ledger.close()
    opened.journal.close()
    opened.history.close()


@pytest.fixture
def begin(place: Path, roadmap: Path, stores: Stores) -> Begin:
    """A run of the roadmap, each phase with one plan of one task in the state that is given for it."""

    def begin(run: str, state: RunState, phases: dict[str, TaskState], path: Path = roadmap) -> None:
        conductor = identify(os.getpid()) if state is RunState.RUNNING else None
        row = RunRow(
            id=run, project=str(place), plan_path=str(path), plan_id="ROADMAP", plan_digest="d", branch="main",
            base_commit="c0", limit=None, state=state, conductor=conductor, started_at=f"{START[:-1]}.{run}Z",
        )  # fmt: skip
        plans = [
            PlanRow(run_id=run, plan_id=f"0{phase}-01", path="p", digest="", phase=phase, phase_name=phase)
            for phase in phases
        ]
        tasks = [TaskRow(run_id=run, number=f"{plan.plan_id}/1", name="x", digest="") for plan in plans]
        stores.journal.begin_run(row, tasks, plans)
        for plan, each in zip(plans, phases.values(), strict=True):
            stores.journal.set_task(run, f"{plan.plan_id}/1", each)

    return begin


def test_what_a_run_has_merged_is_done(bursar: Bursar, begin: Begin) -> None:
    begin("r1", RunState.INTERRUPTED, {"1": TaskState.MERGED, "2": TaskState.FAILED, "3": TaskState.PENDING})
    said = bursar("roadmap", "next")
    assert said.out == "first: phase 2 (Server)\nalso:  phase 3 (Pages)\nwaits: phase 4 (Ship) for 2, 3\n"
    note = "note: run r1 (interrupted): phase 1 is merged there; phase 2 has failed there → bursar parallel status r1\n"
    assert said.err.endswith(note)
    checked = bursar("parallel", "check", "--remaining", "500000")
    assert "Phases [2, 3] can run in parallel (Wave 1)" in checked.out
    assert note in checked.err
    analyzed = bursar("parallel", "analyze")
    assert json.loads(analyzed.out)["parallelGroups"] == [[1], [2, 3], [4]], "groups have what is done, too"
    assert analyzed.err.endswith(note)
    assert note in bursar("parallel", "simulate").err


def test_programs_are_told_as_well(bursar: Bursar, begin: Begin) -> None:
    begin("r1", RunState.STOPPED, {"1": TaskState.MERGED, "2": TaskState.MERGED, "3": TaskState.STOPPED})
    runs = {"id": "r1", "state": "stopped", "phases": {"1": "completed", "2": "completed", "3": "stopped"}}
    found = json.loads(bursar("roadmap", "next", "--json").out)
    assert found["first"] == "3"
    assert found["runs"] == {"taken_for_done": ["1", "2"], "newest": runs}
    checked = bursar("parallel", "check", "--json", "--remaining", "500000")
    assert json.loads(checked.out)["runs"] == found["runs"]
    assert json.loads(checked.out)["canParallel"] is False
    assert checked.err == ""


def test_what_was_cut_off_is_said_to_be(bursar: Bursar, begin: Begin, stores: Stores) -> None:
    """By a signal, by a dead conductor, and by a limit; what was not begun is still to come."""
    begin("r1", RunState.INTERRUPTED, {"1": TaskState.MERGED, "2": TaskState.PENDING, "3": TaskState.PENDING})
    stores.journal.begin_attempt(
        AttemptRow(
            key="r1/02-01/1/1", run_id="r1", task="02-01/1", number=1, model="m", directory="d", base_commit="c0",
            session_id="s", worktree="w", state=AttemptState.PLANNED, started_at=START,
        )
    )  # fmt: skip
    assert json.loads(bursar("parallel", "status").out)["interrupted"] == [2]
    status = bursar("status")
    assert "phases: 1 completed · 2 interrupted · 3 pending" in status.out
    assert "phase 1 is merged there; phase 2 was interrupted there" in bursar("roadmap", "next").err
    (run,) = json.loads(bursar("status", "--json").out)
    assert [each["state"] for each in run["phases"]["phases"]] == ["completed", "interrupted", "pending"]
    stores.journal.end_run("r1", RunState.STOPPED, START)
    assert "phases: 1 completed · 2 stopped · 3 pending" in bursar("status").out
    stores.journal.conduct("r1", identify(os.getpid()) or "", None)
    assert "phases: 2 active · 1 completed · 3 pending" in bursar("status").out


def test_what_a_run_works_on_is_said(bursar: Bursar, begin: Begin) -> None:
    begin("r1", RunState.RUNNING, {"1": TaskState.MERGED, "2": TaskState.RUNNING, "3": TaskState.WAITING})
    said = bursar("roadmap", "next")
    assert said.out.startswith("first: phase 2 (Server): run r1 works on it\nalso:  phase 3 (Pages)\n")
    assert "phase 1 is merged there; phase 2 is worked on; phase 3 waits for a person there" in said.err


def test_a_run_that_is_over_adds_nothing_to_its_files(bursar: Bursar, begin: Begin) -> None:
    """Its work is in the checkout, with a SUMMARY for each plan; who has removed one wants it done again."""
    begin("r1", RunState.INTERRUPTED, {"1": TaskState.MERGED, "2": TaskState.MERGED})
    begin("r2", RunState.SUCCEEDED, {"1": TaskState.MERGED, "2": TaskState.MERGED, "3": TaskState.MERGED})
    said = bursar("roadmap", "next")
    assert said.out.startswith("first: phase 1 (Base)\n")
    assert "note:" not in said.err


def test_a_run_of_another_roadmap_adds_nothing(bursar: Bursar, begin: Begin, tmp_path: Path) -> None:
    begin("r1", RunState.INTERRUPTED, {"1": TaskState.MERGED}, tmp_path / "OTHER.md")
    assert bursar("roadmap", "next").out.startswith("first: phase 1 (Base)\n")


def test_summaries_count_where_no_run_is_known(bursar: Bursar, roadmap: Path) -> None:
    folder = roadmap.parent / "phases" / "01-base"
    folder.mkdir(parents=True)
    (folder / "01-01-PLAN.md").write_text("---\nplan: 01\n---\n")
    (folder / "01-01-SUMMARY.md").write_text("done")
    assert bursar("roadmap", "next").out.startswith("first: phase 2 (Server)\nalso:  phase 3 (Pages)\n")
    assert bursar("parallel", "check", "--remaining", "500000").err.startswith("note: phase 1 has a SUMMARY")


def test_a_journal_that_cannot_be_read_is_no_obstacle(bursar: Bursar, roadmap: Path, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / JOURNAL_FILE).write_text("no database")
    said = bursar("roadmap", "next")
    assert (said.code, said.out[:22]) == (0, "first: phase 1 (Base)\n")
    assert "warning: what runs have done is not known: " in said.err
