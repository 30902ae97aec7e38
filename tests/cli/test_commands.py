"""What the commands say without a run: help, mistakes in arguments, an empty state directory."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bursar import __version__
from bursar.cli.main import COMMANDS
from tests.cli.conftest import Bursar, Said

PLAN = """\
---
phase: 08-features
plan: 02
---

<objective>Users can have a profile.</objective>

<tasks>
<task type="auto">
  <name>Task 1: Add login</name>
  <files>login.py</files>
  <action>Write it.</action>
  <verify><automated>make test</automated></verify>
  <done>It works.</done>
</task>
<task type="auto" depends-on="1">
  <name>Task 2: Add profile</name>
  <files>profile.py</files>
  <action>Write it.</action>
  <verify>Look at it.</verify>
  <done>It works.</done>
</task>
</tasks>
"""
BAD_PLAN = PLAN.replace('depends-on="1"', 'depends-on="7"')


def error(message: str, hint: str | None = None, code: int = 2) -> Said:
    return Said(code, "", f"error: {message}\n" + (f"\nhint: {hint}\n" if hint else ""))


@pytest.mark.parametrize("arguments", [(), ("help",), ("--help",), ("-h",)])
def test_help_lists_every_command_and_every_exit_code(bursar: Bursar, arguments: tuple[str, ...]) -> None:
    said = bursar(*arguments)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"bursar {__version__}: runs coding agents on a budget you can trust\n")
    assert all(f"\n  {name} " in said.out for name in COMMANDS)
    for code in ("0 ok", "1 a task failed", "2 bad", "3 invalid plan", "4 stopped", "5 interr", "6 agent", "70", "130"):
        assert code in said.out


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version(bursar: Bursar, flag: str) -> None:
    assert bursar(flag) == Said(0, f"bursar {__version__}\n", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_own_help(bursar: Bursar, command: str) -> None:
    said = bursar(command, "--help")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"usage: bursar {command} ")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("rnu", "did you mean `bursar run`?"),
        ("stats", "did you mean `bursar status`?"),
        ("resum", "did you mean `bursar resume`?"),
        ("xyzzy", "bursar --help lists the commands"),
        ("", "bursar --help lists the commands"),
        ("--budget", "did you mean `bursar budget`?"),
    ],
)
def test_an_unknown_command_is_told_of_the_nearest(bursar: Bursar, word: str, hint: str) -> None:
    assert bursar(word) == error(f"there is no command `{word}`", hint)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("run", "the following arguments are required: PLAN"),
        ("run a --of b", "unrecognized arguments: --of"),
        ("run p --budget", "argument --budget: expected one argument"),
        ("run p --bud 5USD", "unrecognized arguments"),
        ("run p --max-parallel x", "invalid int value"),
        ("resume r --add 5USD --budget 5USD", "not allowed with argument"),
        ("resume a b", "unrecognized arguments: b"),
        ("status --last x", "is no number from 1 on"),
        ("status r", "unrecognized arguments: r"),
        ("report a b", "unrecognized arguments: b"),
        ("approve r", "the following arguments are required: TASK"),
        ("plan", "say what to do with a plan"),
        ("plan check", "the following arguments are required: PATH"),
        ("plan run p", "there is no `bursar plan run`"),
        ("ledger", "the following arguments are required: ACTION"),
        ("ledger erase", "invalid choice: 'erase'"),
    ],
)
def test_bad_arguments_are_refused_and_change_nothing(
    bursar: Bursar, tmp_path: Path, arguments: str, words: str
) -> None:
    command = arguments.split()[0]
    said = bursar(*arguments.split())
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: ")
    assert words in said.err
    assert said.err.endswith(f"\nhint: bursar {command} --help\n")
    assert os.listdir(tmp_path) == ["place"]


def test_a_bad_argument_of_an_action_names_the_help_of_that_action(bursar: Bursar) -> None:
    said = bursar("ledger", "list", "--after", "x")
    assert said == error("argument --after: 'x' is not the number of an entry", "bursar ledger list --help")


def test_status_of_nothing_creates_nothing(bursar: Bursar, tmp_path: Path) -> None:
    assert bursar("status") == Said(0, "", "no runs of this project yet; --all shows the others\n")
    assert bursar("status", "--all") == Said(0, "", "no runs yet\n")
    assert bursar("status", "--json", "--all") == Said(0, "[]\n", "")
    assert os.listdir(tmp_path) == ["place"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("report", "nope"), error("there is no run `nope`", "bursar status --all")),
        (("resume", "nope"), error("there is no run `nope`", "bursar status --all")),
        (("approve", "nope", "1"), error("there is no run `nope`", "bursar status --all")),
    ],
)
def test_a_run_that_does_not_exist(bursar: Bursar, arguments: tuple[str, ...], expected: Said) -> None:
    assert bursar(*arguments) == expected


@pytest.mark.parametrize("command", ["report", "resume"])
def test_outside_a_repository_there_is_no_newest_run(bursar: Bursar, place: Path, command: str) -> None:
    said = bursar(command)
    assert (said.code, said.out) == (6, "")
    assert said.err.startswith(f"error: {place} is not in a git repository with a work tree\n")


def test_the_books_of_nothing(bursar: Bursar) -> None:
    assert bursar("ledger", "list") == Said(0, "", "")
    assert bursar("ledger", "verify").code == 0


def test_a_plan_is_checked(bursar: Bursar, place: Path) -> None:
    (place / "08-02-PLAN.md").write_text(PLAN)
    said = bursar("plan", "check", "08-02-PLAN.md")
    assert (said.code, said.err) == (0, "")
    first, second, third = said.out.splitlines()
    assert first == "08-02-PLAN.md: plan 08-02, 2 tasks, 0 errors"
    assert second == "  task 1  runs    make test"
    assert third.startswith("  task 2  prose   ")
    assert third.count("prose") == 1


def test_a_checkpoint_is_checked_as_what_waits_for_a_person(bursar: Bursar, place: Path) -> None:
    plan = PLAN.replace('type="auto"', 'type="checkpoint:decision"')
    plan = plan.replace("<verify><automated>make test</automated></verify>", "")
    (place / "08-02-PLAN.md").write_text(plan)
    said = bursar("plan", "check", "08-02-PLAN.md")
    assert said.code == 0
    assert "  task 1  waits   for a person: checkpoint:decision\n" in said.out


def test_a_plan_is_shown(bursar: Bursar, place: Path) -> None:
    (place / "08-02-PLAN.md").write_text(PLAN)
    assert bursar("plan", "show", "08-02-PLAN.md") == Said(
        0,
        "08-02-PLAN.md: plan 08-02, 2 tasks, 0 errors\n    1  Add login\n    2  Add profile  ← 1\n\n"
        "wave 1\n  1\nwave 2\n  2  (after 1)\n",
        "",
    )


def test_a_plan_with_a_problem_is_said_with_its_place(bursar: Bursar, place: Path) -> None:
    (place / "08-02-PLAN.md").write_text(BAD_PLAN)
    said = bursar("plan", "check", "08-02-PLAN.md")
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("error: 08-02-PLAN.md:16:")


def test_a_plan_that_cannot_be_run_is_shown_as_far_as_it_goes(bursar: Bursar, place: Path) -> None:
    (place / "08-02-PLAN.md").write_text(BAD_PLAN)
    said = bursar("plan", "show", "08-02-PLAN.md")
    assert said.code == 3
    assert said.out.splitlines()[0] == "08-02-PLAN.md: plan 08-02, 2 tasks, 1 error"
    assert "wave" not in said.out
    assert said.err.startswith("error: 08-02-PLAN.md:16:")


def test_a_plan_in_headings_is_shown(bursar: Bursar, place: Path) -> None:
    text = "### Task 1: Add login\n\nWrite it.\n\n### Task 2: Look (checkpoint:human-verify)\n\nOpen it.\n"
    (place / "08-02-PLAN.md").write_text(text)
    assert bursar("plan", "show", "08-02-PLAN.md") == Said(
        0,
        "08-02-PLAN.md: plan 08-02, 2 tasks, written as headings, 0 errors\n    1  Add login\n"
        "    2  Look (checkpoint:human-verify)  [checkpoint:human-verify]  ← 1\n\n"
        "wave 1\n  1\nwave 2\n  2  (after 1)\n",
        "",
    )


def test_a_plan_for_other_programs(bursar: Bursar, place: Path) -> None:
    import json

    front = "---\nphase: 08-features\nplan: 02\nwave: 2\ndepends_on: [01]\n---\n"
    options = '<options>\n<option id="a"><name>SQLite</name><pros>small</pros></option>\n</options>\n'
    tag = '<task type="checkpoint:decision" gate="blocking">'
    decision = f"{tag}\n<decision>Which store?</decision>\n{options}</task>\n"
    folder = place / "08-features"
    folder.mkdir()
    (folder / "08-02-PLAN.md").write_text(front + decision)
    (place / "stub-PLAN.md").write_text("# Later\n")
    said = bursar("plan", "show", "--json", "08-features/08-02-PLAN.md", "stub-PLAN.md", "08-features")
    full, stub, folder_line = [json.loads(line) for line in said.out.splitlines()]
    assert (said.code, full["id"], full["phase"], full["plan"], full["form"]) == (3, "08-02", "8", "2", "xml")
    assert (full["wave"], full["depends_on"], full["problems"]) == (2, ["01"], [])
    (task,) = full["tasks"]
    assert (task["number"], task["type"], task["name"], task["line"]) == ("1", "checkpoint:decision", "", 7)
    assert (task["checkpoint"]["gate"], task["checkpoint"]["decision"]) == ("blocking", "Which store?")
    assert task["checkpoint"]["options"] == [{"id": "a", "name": "SQLite", "pros": "small", "cons": ""}]
    assert (stub["path"], stub["form"], stub["tasks"], stub["problems"][0]["level"]) == (
        "stub-PLAN.md",
        "none",
        [],
        "error",
    )
    assert (folder_line["form"], folder_line["tasks"], folder_line["problems"][0]["line"]) == (None, [], 1)


def test_several_plans_are_one_line_of_json_each(bursar: Bursar, place: Path) -> None:
    import json

    (place / "a-PLAN.md").write_text(PLAN)
    (place / "b-PLAN.md").write_text(BAD_PLAN)
    said = bursar("plan", "check", "--json", "a-PLAN.md", "missing.md", "b-PLAN.md")
    assert said.code == 3
    good, missing, bad = [json.loads(line) for line in said.out.splitlines()]
    assert ([task["number"] for task in good["tasks"]], good["problems"]) == (["1", "2"], [])
    assert (missing["tasks"], missing["problems"][0]["level"]) == ([], "error")
    assert (bad["problems"][0]["line"], bad["problems"][0]["level"]) == (16, "error")


def test_a_name_that_is_not_utf_8_can_be_said(bursar: Bursar, place: Path) -> None:
    name = os.fsdecode(b"caf\xe9-PLAN.md")
    (place / name).write_text(PLAN)
    said = bursar("plan", "check", name)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("caf\\udce9-PLAN.md: plan 08-02, 2 tasks")


def test_a_full_disk_is_no_bug(bursar: Bursar, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/d/f")

    monkeypatch.setattr("bursar.cli.status.read_runs", fail)
    assert bursar("status") == error("No space left on device: /d/f", "df -h", code=6)


def test_a_bug_says_so_and_keeps_the_traceback(bursar: Bursar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bursar.cli.status.read_runs", lambda *_: 1 / 0)
    said = bursar("status")
    assert said.code == 70
    assert "ZeroDivisionError" in said.err
    assert said.err.endswith("please report it with the lines above\n")


def test_ctrl_c_has_its_exit_code(bursar: Bursar, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bursar.cli.status.read_runs", interrupt)
    assert bursar("status") == Said(130, "", "")
