"""Which plan a reference means, in every spelling that plans use."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.plan import PlanIdentity, identify_plan, referenced_phase, resolve_plan_reference


def known(*files: str) -> list[PlanIdentity]:
    """The identities of plans in files such as `02-core/02-01-PLAN.md`."""
    return [identify_plan(Path(file), Path(file).parent.name, {}) for file in files]


USUAL = known(
    "02-core/02-01-PLAN.md",
    "02-core/02-02-PLAN.md",
    "02-core/02-04b-PLAN.md",
    "02-core/02-FIX-01-PLAN.md",
    "06-editor/06-02-PLAN.md",
    "08.1-extra/08.1-01-PLAN.md",
    "09-fix/09-03-PLAN.md",
    "09-fix/09-03-FIX2-PLAN.md",
    "10-phase-model/10-01-PLAN.md",
    "PROJ-42-pay/PROJ-42-01-PLAN.md",
)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("02-01", "02-01"),
        ("2-1", "02-01"),
        ("02-1", "02-01"),
        ("01", "02-01"),
        ("1", "02-01"),
        ("Plan 01", "02-01"),
        ("plan-2", "02-02"),
        ("02-01-PLAN.md", "02-01"),
        ("02-01-PLAN", "02-01"),
        ("`02-01`", "02-01"),
        ("02-01 (types)", "02-01"),
        ("@.planning/phases/02-core/02-01-PLAN.md", "02-01"),
        (".planning\\phases\\02-core\\02-01-PLAN.md", "02-01"),
        ("02-core-01", "02-01"),
        ("02-core-editor-01", "02-01"),
        ("02-01-data-model", "02-01"),
        ("01-PLAN", "02-01"),
        ("01-PLAN.md", "02-01"),
        ("02-PLAN-01", "02-01"),
        ("04b", "02-04b"),
        ("4B", "02-04b"),
        ("FIX-01", "02-FIX-01"),
        ("02-FIX-1", "02-FIX-01"),
        ("06-02-PLAN.md", "06-02"),
        ("6-2", "06-02"),
        ("8.1-01", "08.1-01"),
        ("08.1-01", "08.1-01"),
        ("09-03-FIX2", "09-03-FIX2"),
        ("09-03", "09-03"),
        ("10-phase-model", "10-01"),
        ("Phase 10", "10-01"),
        ("PROJ-42-01", "PROJ-42-01"),
        ("PROJ-42", "PROJ-42-01"),
        ("", None),
        ("02", "02-02"),
        ("03", None),
        ("02-03", None),
        ("7-02", None),
        ("8-01", None),
        ("8.10-01", None),
        ("02-core", None),
        ("Phase 9", None),
        ("none", None),
        ("plan", None),
    ],
)
def test_what_a_plan_of_phase_2_means(reference: str, expected: str | None) -> None:
    assert resolve_plan_reference(reference, "02-02", USUAL) == expected


def test_a_bare_number_never_means_a_plan_of_another_phase() -> None:
    assert resolve_plan_reference("03", "02-02", known("02-a/02-02-PLAN.md", "06-b/06-03-PLAN.md")) is None


def test_files_that_are_numbered_without_their_phase() -> None:
    plans = known("02-a/01-PLAN.md", "02-a/02-PLAN-queue.md", "02-a/03-PLAN-timeline-view.md", "03-b/01-PLAN.md")
    asked = ["01-PLAN.md", "01-PLAN", "01", "queue", "timeline-view", "03-PLAN-timeline-view", "02-PLAN-queue.md"]
    assert [resolve_plan_reference(text, plans[1].id, plans) for text in asked] == [
        plans[index].id for index in (0, 0, 0, 1, 2, 2, 1)
    ]


def test_a_file_that_kept_its_old_number_answers_to_both() -> None:
    plans = known("08-new/09-01-PLAN.md", "08-new/09-02-PLAN.md")
    assert [resolve_plan_reference(text, "08-02", plans) for text in ("08-01", "09-01", "01")] == ["08-01"] * 3


def test_what_fits_two_plans_means_neither() -> None:
    plans = known("02-a/02-01-shared-PLAN.md", "02-a/02-02-shared-PLAN.md", "03-b/03-01-PLAN.md")
    assert resolve_plan_reference("shared", "02-02", plans) is None
    assert resolve_plan_reference("shared", "03-01", plans) is None


def test_of_two_phases_the_own_one_is_meant() -> None:
    plans = known("02-a/02-01-shared-PLAN.md", "03-b/03-01-shared-PLAN.md", "03-b/03-02-PLAN.md")
    assert resolve_plan_reference("shared", "03-02", plans) == "03-01"


def test_a_plan_that_names_itself_is_found() -> None:
    assert resolve_plan_reference("02-02", "02-02", USUAL) == "02-02"


@pytest.mark.parametrize(
    ("reference", "phase"),
    [
        ("06-02-PLAN.md", "6"),
        ("06-02", "6"),
        ("8.10-01", "8.10"),
        ("PROJ-42-01", "PROJ-42"),
        ("10-phase-model", "10"),
        ("Phase 15", "15"),
        ("02", None),
        ("04b", None),
        ("01-PLAN.md", None),
        ("queue", None),
        ("", None),
    ],
)
def test_the_phase_that_a_reference_names(reference: str, phase: str | None) -> None:
    assert referenced_phase(reference) == phase
