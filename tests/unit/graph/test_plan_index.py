"""The index of a phase's plans: waves, what may start, what is blocked, and what their authors got wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.graph import PlanIndex, build_plan_index
from bursar.plan import PhaseFolder, Problem, read_phase_plans
from tests.unit.graph.phase_folders import DONE, HALTED, write_plan


def index_of(folder: Path) -> PlanIndex:
    read = read_phase_plans(folder)
    assert isinstance(read, PhaseFolder)
    index = build_plan_index(read)
    assert isinstance(index, PlanIndex)
    return index


def problems_of(folder: Path) -> tuple[Problem, ...]:
    read = read_phase_plans(folder)
    assert isinstance(read, PhaseFolder)
    problems = build_plan_index(read)
    assert isinstance(problems, tuple)
    return problems


def runnable(index: PlanIndex) -> list[str]:
    return [plan.key for plan in index.plans if plan.is_runnable]


def messages(index: PlanIndex) -> list[str]:
    return [problem.message for problem in index.warnings]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "03-auth"


def test_waves_by_longest_path_and_what_may_start(folder: Path) -> None:
    write_plan(folder, "01", summary=DONE)
    write_plan(folder, "02", depends_on="[03-01]")
    write_plan(folder, "03", depends_on="[01, 02]")
    write_plan(folder, "04")
    write_plan(folder, "05", depends_on="[01, 04-PLAN.md]")
    index = index_of(folder)
    assert index.graph.waves() == (("03-01", "03-04"), ("03-02", "03-05"), ("03-03",))
    assert runnable(index) == ["03-02", "03-04"]
    assert [plan.awaits for plan in index.plans] == [(), (), ("03-02",), (), ("03-04",)]
    assert index.warnings == ()


def test_what_depends_on_a_halted_plan_is_blocked_through_others_too(folder: Path) -> None:
    write_plan(folder, "01", summary=HALTED)
    write_plan(folder, "02", depends_on="[01]")
    write_plan(folder, "03", depends_on="[02]")
    write_plan(folder, "04")
    index = index_of(folder)
    assert [plan.blocked_by for plan in index.plans] == [(), ("03-01",), ("03-01",), ()]
    assert runnable(index) == ["03-04"]


def test_plans_that_write_one_file_are_ordered_and_start_one_after_the_other(folder: Path) -> None:
    write_plan(folder, "01", files="src/a.py")
    write_plan(folder, "02", files_modified="[src/]")
    write_plan(folder, "03", files="b.py")
    index = index_of(folder)
    assert [str(conflict) for conflict in index.graph.conflicts] == ["03-02 waits for 03-01: src/a.py and src overlap"]
    assert index.graph.waves() == (("03-01", "03-02", "03-03"),)
    assert runnable(index) == ["03-01", "03-03"]


@pytest.mark.parametrize("summary", [DONE, HALTED])
def test_a_plan_that_has_ended_writes_no_file_any_more(folder: Path, summary: str) -> None:
    write_plan(folder, "01", files="src/a.py", summary=summary)
    write_plan(folder, "02", files="src/a.py")
    index = index_of(folder)
    assert (index.graph.conflicts, runnable(index)) == ((), ["03-02"])


def test_a_plan_that_cannot_start_keeps_nobody_from_its_files(folder: Path) -> None:
    write_plan(folder, "01", summary=HALTED)
    write_plan(folder, "02", files="a.py", depends_on="[01]")
    write_plan(folder, "03", files="a.py", depends_on="[02]")
    write_plan(folder, "04", files="a.py", depends_on="[03-77]")
    write_plan(folder, "05", files="a.py", depends_on="[04]")
    (folder / "03-06-PLAN.md").write_text("---\nfiles_modified: [a.py]\n---\nLater.\n")
    write_plan(folder, "07", files="a.py")
    write_plan(folder, "08", files="a.py", depends_on="[07]")
    index = index_of(folder)
    assert (index.graph.conflicts, runnable(index)) == ((), ["03-07"])


def test_plans_of_other_phases_count_for_what_may_start_and_not_for_waves(tmp_path: Path) -> None:
    folder = tmp_path / "03-auth"
    write_plan(tmp_path / "02-data", "01", summary=DONE)
    write_plan(tmp_path / "02-data", "02")
    write_plan(folder, "01", depends_on="[02-01]")
    write_plan(folder, "02", depends_on="[02-02-PLAN.md]")
    write_plan(folder, "03", depends_on="[Phase 2]")
    index = index_of(folder)
    assert index.graph.waves() == (("03-01", "03-02", "03-03"),)
    assert [plan.depends_on for plan in index.plans] == [("02-01",), ("02-02",), ("02-01", "02-02")]
    assert runnable(index) == ["03-01"]
    assert index.warnings == ()


def test_a_halted_plan_of_another_phase_blocks(tmp_path: Path) -> None:
    write_plan(tmp_path / "02-data", "01", summary=HALTED)
    write_plan(tmp_path / "03-auth", "01", depends_on="[02-01]")
    (plan,) = index_of(tmp_path / "03-auth").plans
    assert (plan.blocked_by, plan.is_runnable) == (("02-01",), False)


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        ("03-11", "did you mean `03-01`?"),
        ("03-12", "did you mean `03-01`?"),  # 03-02 is the plan itself
        ("Phase 9", "other plans here: 03-01"),
        ("07-03", "other plans here: 03-01"),
        ("auth", "other plans here: 03-01"),
    ],
)
def test_an_unknown_plan_is_a_warning_with_the_nearest_and_keeps_the_plan_from_starting(
    folder: Path, reference: str, hint: str
) -> None:
    write_plan(folder, "01", summary=DONE)
    path = write_plan(folder, "02", depends_on=f"[{reference}]")
    index = index_of(folder)
    (warning,) = index.warnings
    assert str(warning) == (f"{path}:4:1: plan 03-02 depends on `{reference}`, which is no plan here; it cannot start")
    assert (warning.hint, warning.is_error) == (hint, False)
    assert (index.plans[1].unknown, index.plans[1].awaits, runnable(index)) == ((reference,), (reference,), [])


def test_a_cycle_is_drawn_at_its_first_plan(folder: Path) -> None:
    first = write_plan(folder, "01", depends_on="[03]")
    write_plan(folder, "02", depends_on="[01]")
    write_plan(folder, "03", depends_on="[02]")
    own = write_plan(folder, "04", depends_on="[03-04]")
    assert [str(problem) for problem in problems_of(folder)] == [
        f"{first}:4:1: plans wait for each other: 03-01 → 03-03 → 03-02 → 03-01",
        f"{own}:4:1: plan waits for itself: 03-04 → 03-04",
    ]


def test_a_bare_number_of_ones_own_is_no_plan(folder: Path) -> None:
    """Some write the number of a phase there."""
    write_plan(folder, "03", depends_on="[3]")
    assert messages(index_of(folder)) == ["plan 03-03 depends on `3`, which is no plan here; it cannot start"]


def test_dependencies_win_over_waves_and_it_is_said(folder: Path) -> None:
    write_plan(folder, "01", wave="1")
    write_plan(folder, "02", wave="1", depends_on="[01]")
    write_plan(folder, "03", wave="4", depends_on="[01]")
    write_plan(folder, "04", depends_on="[01]")
    index = index_of(folder)
    assert index.graph.waves() == (("03-01",), ("03-02", "03-03", "03-04"))
    assert messages(index) == [
        "plan 03-02 says wave 1, but it depends on 03-01 of wave 1: it is in wave 2",
        "plan 03-03 says wave 4, but its dependencies say otherwise: it is in wave 2",
    ]
    assert [problem.position.line for problem in index.warnings] == [4, 4]


def test_waves_that_are_counted_from_0_agree(folder: Path) -> None:
    write_plan(folder, "01", wave="0")
    write_plan(folder, "02", wave="1", depends_on="[01]")
    assert messages(index_of(folder)) == []
    write_plan(folder, "03", wave="1")
    assert messages(index_of(folder)) == [
        "plan 03-03 says wave 1, but its dependencies say otherwise: it is in wave 0, counted from 0"
    ]


def test_an_unreadable_plan_never_starts_and_others_may_wait_for_it(folder: Path) -> None:
    write_plan(folder, "01")
    (folder / "03-02-PLAN.md").write_text("---\nphase: 03-auth\nplan: 02\ndepends_on: [01]\n---\nLater.\n")
    write_plan(folder, "03", depends_on="[02]")
    index = index_of(folder)
    assert index.graph.waves() == (("03-01",), ("03-02",), ("03-03",))
    assert runnable(index) == ["03-01"]
    (message,) = messages(index)
    assert message.startswith("cannot be run: ")
    (folder / "03-02-SUMMARY.md").write_text(DONE)
    assert (messages(index_of(folder)), runnable(index_of(folder))) == ([], ["03-01", "03-03"])


def test_two_plans_of_one_number_are_both_there(folder: Path) -> None:
    path = write_plan(folder, "01")
    (folder / "03-01-PLAN-v2.md").write_text(path.read_text())
    index = index_of(folder)
    assert [plan.key for plan in index.plans] == ["03-01", "03-01-PLAN-v2"]
    assert messages(index) == ["is plan 03-01, as 03-01-PLAN.md is; here it is called 03-01-PLAN-v2"]
    with pytest.raises(KeyError):
        index.plan("03-02")


def test_an_empty_folder_has_an_empty_index(folder: Path) -> None:
    folder.mkdir()
    assert index_of(folder).plans == ()
