"""`bursar plan index`: what it prints, and what it says of phases that are not there or cannot be ordered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Bursar, Said
from tests.unit.graph.phase_folders import DONE, HALTED, write_plan

PHASE = ".planning/phases/03-auth"


@pytest.fixture
def phase(place: Path) -> Path:
    """A phase with a plan in every state, except for unreadable ones."""
    folder = place / PHASE
    write_plan(folder, "01", summary=DONE)
    write_plan(folder, "02", summary=HALTED)
    write_plan(folder, "03", depends_on="[01]", wave="1", files="a.py")
    write_plan(folder, "04", depends_on="[02]")
    write_plan(folder, "05", depends_on="[03]")
    write_plan(folder, "06", depends_on="[03-19]", files="a.py")
    write_plan(folder, "07", files="a.py")
    return folder


WARNINGS = (
    f"warning: {PHASE}/03-06-PLAN.md:4:1: plan 03-06 depends on `03-19`, which is no plan here; it cannot start\n"
    "  hint: did you mean `03-01`?\n"
    f"warning: {PHASE}/03-03-PLAN.md:5:1: plan 03-03 says wave 1, but its dependencies say otherwise: it is in wave 2\n"
)


@pytest.mark.parametrize("name", ["3", "03", "03-auth", PHASE])
def test_a_table_of_waves(bursar: Bursar, phase: Path, name: str) -> None:
    assert bursar("plan", "index", name) == Said(
        0,
        "phase 3: 7 plans, 3 waves, 1 completed\n"
        "wave 1\n"
        "  03-01  completed  Part 01.\n"
        "  03-02  halted     Part 02.\n"
        "  03-06  pending    Part 06.  (after 03-19)\n"
        "  03-07  runnable   Part 07.\n"
        "wave 2\n"
        "  03-03  pending    Part 03.  (after 03-07)\n"
        "  03-04  blocked    Part 04.  (03-02 halted)\n"
        "wave 3\n"
        "  03-05  pending    Part 05.  (after 03-03)\n"
        "03-03 waits for 03-07: both write a.py\n",
        WARNINGS,
    )


def test_json_has_plans_waves_and_warnings(bursar: Bursar, phase: Path) -> None:
    said = bursar("plan", "index", "3", "--json")
    data = json.loads(said.out)
    assert (said.code, said.err) == (0, WARNINGS)
    assert data["waves"] == {"1": ["03-01", "03-02", "03-06", "03-07"], "2": ["03-03", "03-04"], "3": ["03-05"]}
    assert data["conflicts"] == [{"first": "03-07", "second": "03-03", "file": "a.py", "other": None}]
    assert data["plans"][2] == {
        "id": "03-03",
        "path": f"{PHASE}/03-03-PLAN.md",
        "objective": "Part 03.",
        "depends_on": ["03-01"],
        "unknown_dependencies": [],
        "waits_for": ["03-01", "03-07"],
        "wave": 2,
        "status": "pending",
        "runnable": False,
        "blocked_by": [],
        "tasks": 1,
        "has_checkpoints": False,
    }
    assert [plan["status"] for plan in data["plans"]] == ["completed", "halted", *["pending"] * 5]
    assert [plan["blocked_by"] for plan in data["plans"]] == [[], [], [], ["03-02"], [], [], []]
    assert data["warnings"] == [line.removeprefix("warning: ") for line in WARNINGS.splitlines()[::2]]


def test_from_a_folder_within_the_project(bursar: Bursar, phase: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(phase)
    by_number, by_path = bursar("plan", "index", "3"), bursar("plan", "index", ".")
    assert (by_number.code, by_number.out) == (0, by_path.out)
    assert by_path.out.startswith("phase 3: 7 plans")


def test_an_unreadable_plan_is_shown_as_such(bursar: Bursar, place: Path) -> None:
    (write_plan(place / PHASE, "01").parent / "03-02-PLAN.md").write_bytes(b"\0")
    said = bursar("plan", "index", "3")
    assert said.out.endswith("wave 1\n  03-01  runnable   Part 01.\n  03-02  unreadable\n")
    assert said.err == (
        f"warning: {PHASE}/03-02-PLAN.md:1:1: cannot be run: is a binary file (it holds a NUL byte)\n"
        f"  hint: bursar plan check {PHASE}/03-02-PLAN.md\n"
    )


def test_a_cycle_is_an_error_with_exit_code_3(bursar: Bursar, place: Path) -> None:
    write_plan(place / PHASE, "01", depends_on="[02]")
    write_plan(place / PHASE, "02", depends_on="[01]")
    assert bursar("plan", "index", "3", "--json") == Said(
        3,
        "",
        f"error: {PHASE}/03-01-PLAN.md:4:1: plans wait for each other: 03-01 → 03-02 → 03-01\n"
        "\nhint: take one of the plans out of another's `depends_on`\n",
    )


def test_a_folder_without_plans(bursar: Bursar, place: Path) -> None:
    (place / PHASE).mkdir(parents=True)
    assert bursar("plan", "index", "3") == Said(0, f"phase 3: no plans in {PHASE}\n", "")
    assert json.loads(bursar("plan", "index", "3", "--json").out) == {
        "path": PHASE, "phase": "3", "plans": [], "waves": {}, "conflicts": [], "warnings": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("9", "there is no phase `9` in .planning/phases", "phases there: 03-auth, 03.1-a, 03.1-b"),
        ("3-auht", "there is no phase `3-auht` in .planning/phases", "did you mean `03-auth`?"),
        ("3.1", "phase 3.1 may be 03.1-a or 03.1-b", "name the one you mean: 03.1-a"),
        ("no/where", "there is no folder `no/where`", None),
        (f"{PHASE}/03-01-PLAN.md", f"{PHASE}/03-01-PLAN.md is a file; name the folder of its phase",
         f"bursar plan index {PHASE}"),
    ],
)  # fmt: skip
def test_a_phase_that_is_not_there(bursar: Bursar, place: Path, name: str, message: str, hint: str | None) -> None:
    write_plan(place / PHASE, "01")
    for other in ("03.1-a", "03.1-b"):
        (place / ".planning/phases" / other).mkdir()
    ending = f"\nhint: {hint}\n" if hint else ""
    assert bursar("plan", "index", name) == Said(2, "", f"error: {message}\n{ending}")


def test_without_any_planning_folder(bursar: Bursar, place: Path) -> None:
    (place / ".git").mkdir()
    assert bursar("plan", "index", "3") == Said(
        2, "", "error: there is no folder `3`, and no `.planning` here or above\n"
    )


def test_in_a_folder_that_is_gone(bursar: Bursar, place: Path) -> None:
    place.rmdir()
    assert bursar("plan", "index", "3") == Said(
        2, "", "error: the current folder has been removed\n\nhint: cd into a folder that exists\n"
    )
