"""Commands about runs that are in the books already: status, report, approve, resume, ledger."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bursar import journal
from bursar.budget import RUN_THRESHOLDS, Amount, Budget, Limit, Unit
from bursar.clock import SystemClock
from bursar.config import open_stores
from bursar.database import load_migrations, open_database
from bursar.journal import RunRow, RunState, TaskRow, TaskState
from bursar.ledger import ReserveRequest
from bursar.paths import JOURNAL_APPLICATION_ID, JOURNAL_FILE, LEDGER_FILE
from bursar.processes import identify
from bursar.run import Stores
from tests.cli.conftest import Bursar, Said
from tests.cli.test_commands import PLAN
from tests.unit.reports.books import START

RUN = RunRow(
    id="run7abcd",
    project="",
    plan_path="/p/08-02-PLAN.md",
    plan_id="08-02",
    plan_digest="d",
    branch="main",
    base_commit="c0",
    limit="1.005 USD",
    state=RunState.STOPPED,
    conductor=None,
    started_at=START,
)


@pytest.fixture
def stores(place: Path, tmp_path: Path) -> Iterator[Stores]:
    """A stopped run of the repository in the current folder: one task merged, one waiting for a person."""
    subprocess.run(["git", "init", "--quiet"], cwd=place, check=True)
    opened = open_stores(tmp_path / "state", str(tmp_path / "state" / LEDGER_FILE), SystemClock())
    begin(opened, replace(RUN, project=str(place)))
    opened.journal.set_task(RUN.id, "1", TaskState.MERGED)
    opened.journal.set_task(RUN.id, "2", TaskState.WAITING, note="a person must act")
    yield opened
    opened.ledger.close()
    opened.journal.close()
    opened.history.close()


def begin(stores: Stores, run: RunRow) -> None:
    names = ("Add login", "Look at it")
    tasks = [TaskRow(run_id=run.id, number=str(at), name=name, digest="") for at, name in enumerate(names, start=1)]
    stores.journal.begin_run(run, tasks)


def test_a_journal_of_an_earlier_release_is_brought_up_to_date_by_whoever_reads_it(
    bursar: Bursar, place: Path, tmp_path: Path
) -> None:
    migrations = load_migrations(journal.__file__)
    (tmp_path / "state").mkdir(mode=0o700)
    path = tmp_path / "state" / JOURNAL_FILE
    open_database(path, migrations=migrations[:-1], application_id=JOURNAL_APPLICATION_ID).close()
    for command in ("status --json", "budget list --json"):
        assert bursar(*command.split()) == Said(0, "[]\n", "")


def test_status_names_the_projects_runs_with_their_progress(bursar: Bursar, stores: Stores) -> None:
    begin(stores, replace(RUN, id="elsewhere", project="/q"))
    line = (
        "run7abcd  08-02      stopped       1/2 tasks (50 %)  0 running, 0 not done"
        "  since 2026-03-01 10:00  →  bursar resume run7abcd\n"
    )
    assert bursar("status") == Said(0, line, "")


def test_status_of_every_project(bursar: Bursar, stores: Stores) -> None:
    begin(stores, replace(RUN, id="elsewhere", project="/q"))
    runs = json.loads(bursar("status", "--all", "--json").out)
    assert {run["id"] for run in runs} == {"run7abcd", "elsewhere"}


def test_status_is_found_from_a_folder_below(
    bursar: Bursar, stores: Stores, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "src").mkdir()
    monkeypatch.chdir(place / "src")
    assert bursar("status").out.startswith("run7abcd")


def test_status_shows_the_newest_first_and_no_more_than_asked_for(bursar: Bursar, stores: Stores, place: Path) -> None:
    for day in range(2, 9):
        begin(stores, replace(RUN, id=f"day{day}", project=str(place), started_at=START.replace("-01T", f"-0{day}T")))
    assert [line.split()[0] for line in bursar("status").out.splitlines()] == ["day8", "day7", "day6", "day5", "day4"]
    assert [line.split()[0] for line in bursar("status", "--last", "1").out.splitlines()] == ["day8"]


@pytest.mark.parametrize("alive", [True, False])
def test_a_run_whose_conductor_died_is_interrupted(bursar: Bursar, stores: Stores, alive: bool) -> None:
    own = identify(1 if alive else 2**22 - 7) or "4194297/1/no-such-boot"
    stores.journal.conduct(RUN.id, own, None)
    (run,) = json.loads(bursar("status", "--json").out)
    assert run["state"] == ("running" if alive else "interrupted")
    assert "conductor" not in run
    assert json.loads(bursar("report", "--json").out)["state"] == run["state"]
    assert bursar("report").out.startswith(f"08-02 {'running' if alive else 'waits for a person'} · 1 of 2 tasks\n")
    assert json.loads(bursar("run", "export", RUN.id).out)["report"]["state"] == run["state"]


def test_status_as_json(bursar: Bursar, stores: Stores, place: Path) -> None:
    (run,) = json.loads(bursar("status", "--json").out)
    assert run == {
        "id": "run7abcd",
        "project": str(place),
        "plan": "08-02",
        "plan_path": "/p/08-02-PLAN.md",
        "state": "stopped",
        "limit": "1.005 USD",
        "started_at": START,
        "ended_at": None,
        "tasks": 2,
        "merged": 1,
        "running": 0,
        "not_done": 0,
        "waiting": ["2"],
        "forecast": None,
        "progress_percent": 50,
    }


def test_status_of_a_run_that_waits_for_a_person_says_how_to_pass(bursar: Bursar, stores: Stores) -> None:
    assert "bursar resume run7abcd" in bursar("status").out  # its money is what keeps it
    stores.journal.end_run(RUN.id, RunState.INTERRUPTED, START)
    assert "waits for a person  →  bursar approve run7abcd 2" in bursar("status").out


def test_status_of_a_journal_that_is_none(bursar: Bursar, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journal.db").write_text("this is no database at all, whoever wrote it")
    said = bursar("status")
    assert (said.code, said.out) == (6, "")
    assert "journal.db" in said.err


def test_the_report_of_the_newest_run(bursar: Bursar, stores: Stores) -> None:
    text = (
        "08-02 stopped by a budget · 1 of 2 tasks\n"
        "  ✓   1  Add login\n"
        "  ?   2  Look at it                               a person must act\n"
        "\n"
        "metered 0 tokens (0.0000 USD at list price) in 0 attempts\n"
    )
    assert bursar("report") == Said(0, text, "") == bursar("report", "run7abcd")
    assert json.loads(bursar("report", "--json").out)["run"] == "run7abcd"


def test_a_project_without_a_run_has_no_report(
    bursar: Bursar, stores: Stores, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = place / "inner"
    inner.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=inner, check=True)
    monkeypatch.chdir(inner)
    assert bursar("report").err == "error: no run of this project yet\n\nhint: bursar status --all\n"


def test_a_person_passes_a_checkpoint_once(bursar: Bursar, stores: Stores) -> None:
    words = "task 2 (Look at it) is passed; go on with: bursar resume run7abcd\n"
    assert bursar("approve", "run7abcd", "2") == Said(0, "", words)
    assert stores.journal.tasks(RUN.id)[1].state is TaskState.MERGED
    again = bursar("approve", "run7abcd", "2")
    assert (again.code, again.err.splitlines()[0]) == (2, "error: task 2 of run run7abcd does not wait for a person")


@pytest.mark.parametrize("task", ["1", "3", ""])
def test_what_does_not_wait_cannot_be_passed(bursar: Bursar, stores: Stores, task: str) -> None:
    said = bursar("approve", "run7abcd", task)
    assert said == Said(
        2, "", f"error: task {task} of run run7abcd does not wait for a person\n\nhint: waiting: 2 (Look at it)\n"
    )
    assert stores.journal.tasks(RUN.id)[1].state is TaskState.WAITING


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("100k tokens", "the limit of run run7abcd is 1.005 USD: add an amount in the same unit"),
        ("0 USD", "allows nothing"),
        ("-1 USD", "is not a number with a unit"),
        ("NaN USD", "is not a number with a unit"),
        ("5", "has no unit"),
    ],
)
def test_money_that_cannot_be_added_changes_nothing(bursar: Bursar, stores: Stores, amount: str, words: str) -> None:
    before = stores.journal.run(RUN.id)
    said = bursar("resume", "run7abcd", f"--add={amount}")
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert stores.journal.run(RUN.id) == before


def test_a_run_that_is_done_is_not_resumed(bursar: Bursar, stores: Stores) -> None:
    stores.journal.end_run(RUN.id, RunState.SUCCEEDED, START)
    assert bursar("resume") == Said(2, "", "error: run run7abcd is done\n\nhint: bursar report run7abcd\n")


def test_a_run_without_a_limit_has_nothing_to_add_to(bursar: Bursar, stores: Stores) -> None:
    stores.journal.conduct(RUN.id, "", None)
    said = bursar("resume", "run7abcd", "--add", "5 USD")
    assert said.err == "error: run run7abcd has no limit to add to\n\nhint: give it one with --budget\n"


@pytest.mark.parametrize(
    ("limit", "added", "text"),
    [
        ("1.005 USD", "0.5 USD", "1.505 USD"),
        ("0.00155 USD", "$1", "1.00155 USD"),
        ("1,000 USD", "0.000000001 USD", "1000.000000001 USD"),
        ("5 USD", "5 USD", "10.00 USD"),
        ("200k tokens", "1.5M tokens", "1,700,000 tokens"),
    ],
)
def test_a_raised_limit_is_remembered_with_every_digit(limit: str, added: str, text: str) -> None:
    from argparse import Namespace

    from bursar.budget import parse_limit
    from bursar.cli.resume import _limit

    raised = _limit(replace(RUN, limit=limit), Namespace(budget=None, add=added))
    assert raised is not None
    assert raised.text == text
    assert parse_limit(raised.text) == raised.limit


def test_the_books_are_listed_and_verified(bursar: Bursar, stores: Stores) -> None:
    stores.ledger.define(
        Budget(name="ü", selector={"run": "r"}, limit=Limit(100, Unit.TOKENS), thresholds=RUN_THRESHOLDS)
    )
    stores.ledger.reserve(ReserveRequest(key="r/1/1", labels={"run": "r", "task": "1"}, amount=Amount(10, 5)))
    entries = [json.loads(line) for line in bursar("ledger", "list").out.splitlines()]
    assert [(entry["number"], entry["kind"], entry["key"]) for entry in entries] == [
        (1, "defined", "ü"),
        (2, "reserved", "r/1/1"),
    ]
    assert [json.loads(line)["number"] for line in bursar("ledger", "list", "--after", "1").out.splitlines()] == [2]
    said = bursar("ledger", "verify")
    assert said == Said(0, "", "the ledger adds up: every hash and every balance follows from the entries\n")


def commit_plan(place: Path) -> None:
    (place / "08-02-PLAN.md").write_text(PLAN)
    (place / "bursar.toml").write_text('[run]\nagent = "command"\n[agents.command]\nargv = ["true"]\n')
    who = [option for key in ("name", "email") for option in ("-c", f"user.{key}=Ada")]
    subprocess.run(["git", "add", "--all"], cwd=place, check=True)
    subprocess.run(["git", *who, "commit", "--quiet", "-m", "start"], cwd=place, check=True)
    subprocess.run(["git", "branch", "-M", "main"], cwd=place, check=True)


def test_a_run_that_is_not_the_newest_of_its_plan_is_not_resumed(bursar: Bursar, stores: Stores, place: Path) -> None:
    """The newer one would go on instead, with the older one's limit."""
    commit_plan(place)
    for name, day in (("older", 2), ("newer", 3)):
        started_at = START.replace("-01T", f"-0{day}T")
        run = replace(
            RUN, id=name, project=str(place), plan_path=str(place / "08-02-PLAN.md"), limit=None, started_at=started_at
        )
        begin(stores, run)
    said = bursar("resume", "older", "--trust")
    assert said == Said(2, "", "error: run older is not the newest of its plan any more\n\nhint: bursar status\n")
    again = bursar("resume", "older", "--trust")
    assert again == said, "the lock is free again"
