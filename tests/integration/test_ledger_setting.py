"""The books are kept on a PostgreSQL server because the user says so; everything else stays on this machine."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator

import pytest

from tests.integration.conftest import MakeProject
from tests.integration.kit import (
    CALL_TOKENS,
    PLAN,
    Project,
    parallel,
    plan,
    script,
    settings,
    shell,
    slug,
    wait_for_exit,
    write,
)
from tests.postgres_server import the_server

NAMES = ("One", "Two", "Three")


@pytest.fixture
def url() -> Iterator[str]:
    server = the_server()
    made = server.new_url()
    yield made
    server.drop(made)


def on_server(make_project: MakeProject, url: str, **rest: str) -> Project:
    steps = {n: [write(f"{slug(name)}.txt", wait_for="gate" if n == 1 else None)] for n, name in enumerate(NAMES, 1)}
    project = make_project(plan(*map(parallel, NAMES)), script(steps), **rest)
    project.more["BURSAR_LEDGER_URL"] = url
    return project


def test_a_whole_run(make_project: MakeProject, url: str) -> None:
    project = on_server(make_project, url)
    project.server.open_gate("gate")
    ended = project.run("--budget", "200k tokens")
    assert ended.code == 0, ended.err
    assert ended.metered == project.bill == 6 * CALL_TOKENS
    project.assert_tidy()
    assert sorted(path.name for path in project.state.glob("*.db")) == ["history.db", "journal.db"]


def test_a_budget_stops_there_too(make_project: MakeProject, url: str) -> None:
    loop = [shell("true", delay_seconds=0.1) for _ in range(50)]
    project = make_project(plan(parallel("One")), script({1: loop}))
    project.more["BURSAR_LEDGER_URL"] = url
    ended = project.run("--budget", "10k tokens")
    assert ended.code == 4, ended.err
    assert ended.metered <= project.bill <= 10_000 + 2 * CALL_TOKENS
    assert "reached its limit of 10,000 tokens" in ended.out
    project.assert_tidy()


def test_an_orphaned_attempt_is_adopted(make_project: MakeProject, url: str) -> None:
    """kill −9 of the conductor: the supervisor goes on with its own connection."""
    project = on_server(make_project, url)
    run = project.start_run("--budget", "200k tokens")
    assert project.server.wait_until_reached("gate")
    supervisor = project.supervisor_of("1")
    run.kill()
    project.server.open_gate("gate")
    wait_for_exit(supervisor)
    ended = project.run()
    assert ended.code == 0, ended.err
    assert project.charged == project.bill == 6 * CALL_TOKENS
    project.assert_tidy()


def test_agents_do_not_see_the_url(make_project: MakeProject, url: str) -> None:
    project = make_project(plan(parallel("One")), script({1: [shell("env > one.txt")]}))
    project.more["BURSAR_LEDGER_URL"] = url
    assert project.run().code == 0
    seen = (project.repo / "one.txt").read_text()
    assert "TMPDIR=" in seen
    assert "BURSAR_LEDGER_URL" not in seen
    assert "BURSAR_STATE_DIR" not in seen


def test_a_run_stays_with_its_ledger(make_project: MakeProject, url: str) -> None:
    """Elsewhere nobody knows what it has spent: its budget would begin anew."""
    project = on_server(make_project, url)
    run = project.start_run("--budget", "200k tokens")
    assert project.server.wait_until_reached("gate")
    run.send(signal.SIGINT)
    assert run.end().code == 130
    del project.more["BURSAR_LEDGER_URL"]
    for words in (("resume", "--trust"), ("report",)):
        ended = project.bursar(*words)
        assert ended.code == 2
        assert "error: the ledger knows nothing of attempt" in ended.err
        assert "BURSAR_LEDGER_URL" in ended.err
    project.more["BURSAR_LEDGER_URL"] = url
    project.server.open_gate("gate")
    assert project.bursar("resume", "--trust").code == 0
    project.assert_tidy()


def test_a_server_that_is_away(make_project: MakeProject, url: str) -> None:
    project = on_server(make_project, "postgresql://nobody:secret@127.0.0.1:1/none")
    for words in (
        ("run", PLAN, "--trust"),
        ("budget", "list"),
        ("token", "init"),
    ):
        ended = project.bursar(*words)
        assert ended.code == 6, (words, ended)
        assert ended.err.startswith("error: the ledger's server cannot be used:")
        assert "secret" not in ended.err
    assert project.server.calls == ()
    project.assert_gone()


def test_scripts_and_budgets_use_it(make_project: MakeProject, url: str) -> None:
    project = on_server(make_project, url)
    assert project.bursar("token", "init", "opus").code == 0
    assert json.loads(project.bursar("token", "reserve", "160000", "phase-1").out)["can_proceed"]
    assert project.bursar("token", "reserve", "30000", "phase-2").code == 1
    assert project.bursar("token", "record", "45000", "phase-1").code == 0
    assert json.loads(project.bursar("token", "report").out)["current_usage"] == 45_000
    (session,) = json.loads(project.bursar("budget", "list", "--json").out)
    assert session["spent"] == 45_000
    assert project.bursar("ledger", "verify").code == 0
    assert not (project.state / "ledger.db").exists()


def test_the_url_may_stand_in_the_users_own_file(make_project: MakeProject, url: str) -> None:
    project = on_server(make_project, url)
    del project.more["BURSAR_LEDGER_URL"]
    own = project.folder / "home/.config/bursar/bursar.toml"
    own.parent.mkdir(parents=True)
    own.write_text(f"[ledger]\nurl = {json.dumps(url)}\n")
    project.server.open_gate("gate")
    assert project.run().code == 0
    assert not (project.state / "ledger.db").exists()


def test_a_project_cannot_say_where_the_books_are(make_project: MakeProject, url: str) -> None:
    project = on_server(make_project, url, toml=settings() + f"[ledger]\nurl = {json.dumps(url)}\n")
    ended = project.run()
    assert ended.code == 2
    assert "`[ledger]` is not for a project's file" in ended.err
    assert project.server.calls == ()


@pytest.mark.parametrize("given", ["mysql://me:secret@host/db", "ledger.db", "postgresql", "  "])
def test_what_is_no_url_is_refused(make_project: MakeProject, given: str) -> None:
    project = on_server(make_project, given)
    for words in (("token", "init"), ("ledger", "list"), ("budget", "list"), ("report",)):
        ended = project.bursar(*words)
        assert ended.code == 2
        assert ended.err.startswith("error: BURSAR_LEDGER_URL: the server that keeps a ledger is PostgreSQL")
        assert "secret" not in ended.err
    assert os.listdir(project.folder / "home") == []


@pytest.mark.parametrize("table", ["ledger = 3", "[ledger]\nurl = 3", '[ledger]\nplace = "x"', '[ledger]\nurl = "x"'])
def test_what_is_no_table_is_refused(make_project: MakeProject, table: str) -> None:
    project = on_server(make_project, "")
    own = project.folder / "home/.config/bursar/bursar.toml"
    own.parent.mkdir(parents=True)
    own.write_text(table + "\n")
    for words in (("token", "init"), ("budget", "list")):
        ended = project.bursar(*words)
        assert ended.code == 2
        assert "ledger" in ended.err
    assert not project.state.exists()
