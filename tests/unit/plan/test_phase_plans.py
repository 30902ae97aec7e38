"""Folders of phases: which files are plans, how far each is, and which folder a person means."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.plan import (
    PhaseFolder,
    PlanStatus,
    Problem,
    UnreadablePlan,
    find_phase_folders,
    list_plans,
    read_phase_plans,
)
from bursar.plan.phase_plans import folder_number
from tests.unit.graph.phase_folders import DONE, HALTED, write_plan


def folder_at(path: Path) -> PhaseFolder:
    folder = read_phase_plans(path)
    assert isinstance(folder, PhaseFolder)
    return folder


def test_plans_by_name_with_numbers_as_numbers(tmp_path: Path) -> None:
    names = [
        "PLAN.md", "03-2-PLAN.md", "03-10-PLAN.md", "03-10-PLAN-v2.md", "03-auth-04-PLAN.md", "12-PLAN-01.md",
        "12-PLAN-async-queue.md",
    ]  # fmt: skip
    others = ["03-01-SUMMARY.md", "03-PLAN-REVIEW.md", "PLANNING.md", "03-01-plan.txt", "EXPLAN.md", "03-PLAN.md.bak"]
    for name in (*names, *others):
        (tmp_path / name).touch()
    assert [path.name for path in list_plans(tmp_path)] == [
        "03-2-PLAN.md", "03-10-PLAN.md", "03-10-PLAN-v2.md", "03-auth-04-PLAN.md", "12-PLAN-01.md",
        "12-PLAN-async-queue.md", "PLAN.md",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("summary", "status"),
    [
        (None, PlanStatus.PENDING),
        ("", PlanStatus.COMPLETED),
        (DONE, PlanStatus.COMPLETED),
        ("Status: halted by rain.\n", PlanStatus.COMPLETED),
        ("---\nphase: 03\n---\nstatus: halted\n", PlanStatus.COMPLETED),
        ("---\nstatus: halted\n", PlanStatus.COMPLETED),
        (HALTED, PlanStatus.HALTED),
        ("\ufeff---\r\nstatus: 'Halted' # no API\r\nbad: [yaml\r\n---\r\n", PlanStatus.HALTED),
    ],
)
def test_a_summary_says_how_far_a_plan_is(tmp_path: Path, summary: str | None, status: PlanStatus) -> None:
    write_plan(tmp_path / "03-auth", "01", summary=summary)
    assert [plan.status for plan in folder_at(tmp_path / "03-auth").plans] == [status]


@pytest.mark.parametrize(
    ("plan", "summary"),
    [
        ("PLAN.md", "SUMMARY.md"),
        ("12-PLAN-01.md", "12-SUMMARY-01.md"),
        ("12-PLAN-01.md", "12-01-SUMMARY.md"),
        ("03-04b-PLAN.md", "03-04b-SUMMARY.md"),
    ],
)
def test_summaries_of_every_way_to_name_a_plan(tmp_path: Path, plan: str, summary: str) -> None:
    (tmp_path / plan).touch()
    (tmp_path / summary).touch()
    assert [each.status for each in folder_at(tmp_path).plans] == [PlanStatus.COMPLETED]


def test_what_a_plan_says_and_where(tmp_path: Path) -> None:
    path = write_plan(tmp_path / "03-auth", "02", depends_on="[01]", wave="2", files_modified="[a.py]")
    folder = folder_at(path.parent)
    (plan,) = folder.plans
    assert (folder.phase, plan.identity.id, plan.path) == ("3", "03-02", path)
    assert plan.content is not None
    assert (plan.content.depends_on, plan.content.wave, plan.content.files_modified) == (("01",), 2, ("a.py",))
    assert (plan.position("depends_on").line, plan.position("wave").line, plan.position("other").line) == (4, 5, 1)


def test_an_unreadable_plan_keeps_its_place_by_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "03-auth"
    write_plan(folder, "01")
    (folder / "03-02-PLAN.md").write_bytes(b"\0")
    plans = folder_at(folder).plans
    assert [plan.identity.id for plan in plans] == ["03-01", "03-02"]
    assert isinstance(plans[1].plan, UnreadablePlan)
    assert plans[1].content is None


def test_plans_of_other_phases_that_are_referred_to(tmp_path: Path) -> None:
    write_plan(tmp_path / "02-data", "01", summary=DONE)
    write_plan(tmp_path / "02-data", "02")
    write_plan(tmp_path / "04-web", "01")
    write_plan(tmp_path / "03-auth", "01", depends_on="[02-01, 9-01, 03-07]")
    found = folder_at(tmp_path / "03-auth").elsewhere
    assert [(plan.identity.id, plan.status) for plan in found] == [
        ("02-01", PlanStatus.COMPLETED),
        ("02-02", PlanStatus.PENDING),
    ]
    assert all(plan.plan is None and plan.content is None for plan in found)


def test_what_is_no_folder_is_a_problem(tmp_path: Path) -> None:
    found = read_phase_plans(tmp_path / "none")
    assert isinstance(found, Problem)
    assert found.message == "cannot be read: No such file or directory"


def test_too_many_plans_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in ("01", "02", "03"):
        write_plan(tmp_path / "03-auth", number)
    monkeypatch.setattr("bursar.plan.phase_plans.MAX_PLANS", 2)
    folder = folder_at(tmp_path / "03-auth")
    assert len(folder.plans) == 2
    assert [problem.message for problem in folder.warnings] == ["has 3 plans; only the first 2 are read"]


@pytest.mark.parametrize(
    ("phase", "names"),
    [
        ("3", ["03-auth"]),
        ("03", ["03-auth"]),
        ("03-auth", ["03-auth"]),
        ("3.1", ["03.1-fix"]),
        ("1.5", ["01-5-extra"]),
        ("12", ["12-a", "12-b"]),
        ("12-b", ["12-b"]),
        ("PROJ-42", ["PROJ-42-search"]),
        ("7", []),
        ("auth", []),
        ("", []),
        ("../03-auth", []),
    ],
)
def test_a_phase_by_number_or_name(tmp_path: Path, phase: str, names: list[str]) -> None:
    for name in ("03-auth", "03.1-fix", "01-5-extra", "12-a", "12-b", "PROJ-42-search", "notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "07-file").touch()
    assert [folder.name for folder in find_phase_folders(tmp_path, phase)] == names
    assert find_phase_folders(tmp_path / "none", phase) == []


@pytest.mark.parametrize(("name", "number"), [("07-web", "7"), ("12.10-x", "12.10"), ("05", "5"), ("quick", "")])
def test_the_number_of_a_folder(name: str, number: str) -> None:
    assert folder_number(name) == number
