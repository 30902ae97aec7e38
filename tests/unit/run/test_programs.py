"""Which plans of a roadmap are run, in which order, what is left out, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from bursar.errors import InvalidPlan, UserError
from bursar.run.programs import Selection, link_program, reselect, select_phases, select_plans
from tests.integration.roadmap_kit import plan_files, plan_path, plan_text, roadmap

ROADMAP = ".planning/ROADMAP.md"
FOUR = {"1": [], "2": ["1"], "3": ["1"], "4": ["2", "3"]}
PLANS = {"01-01": ["a"], "01-02": ["b"], "02-01": ["c"], "03-01": ["d", "e"], "04-01": ["f"]}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_files(place: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")


def summary(plan: str) -> str:
    return plan_path(plan).replace("PLAN", "SUMMARY")


def chosen(selection: Selection) -> list[str]:
    return [part.plan.id for part in selection.choice.parts]


def left_out(selection: Selection) -> list[str]:
    return list(map(str, selection.left_out))


def write_four(place: Path, more: Mapping[str, str] | None = None) -> None:
    write_files(place, {ROADMAP: roadmap(FOUR), **plan_files(PLANS), **(more or {})})


def test_all_phases_in_order(place: Path) -> None:
    write_four(place)
    selection = select_phases(Path(ROADMAP), None)
    assert chosen(selection) == ["01-01", "01-02", "02-01", "03-01", "04-01"]
    assert left_out(selection) == []
    program = selection.program()
    depends_on = {task.number: task.depends_on for task in program.whole.tasks}
    assert depends_on == {
        "01-01/1": (),
        "01-02/1": (),
        "02-01/1": ("01-01/1", "01-02/1"),
        "03-01/1": ("01-01/1", "01-02/1"),
        "03-01/2": ("03-01/1",),
        "04-01/1": ("02-01/1", "03-01/2"),
    }
    assert program.phases == ("1", "2", "3", "4")
    assert program.own_task("03-01/2").number == "2"
    assert program.part_of("03-01/2").plan.objective == "Objective of 03-01."
    assert link_program(program).wave["04-01/1"] == 4


@pytest.mark.parametrize(
    ("phases", "expected"),
    [("1", ["01-01", "01-02"]), ("1-2", ["01-01", "01-02", "02-01"]), (" 3, 01", ["01-01", "01-02", "03-01"])],
)
def test_some_phases(place: Path, phases: str, expected: list[str]) -> None:
    write_four(place)
    assert chosen(select_phases(Path(ROADMAP), phases)) == expected


def test_a_range_has_the_phases_put_in_between(place: Path) -> None:
    files = plan_files({"01-01": ["a"], "2.1-01": ["b"], "03-01": ["c"]})
    write_files(place, {ROADMAP: roadmap({"1": [], "2.1": ["1"], "3": ["2.1"]}), **files})
    assert chosen(select_phases(Path(ROADMAP), "1-3")) == ["01-01", "2.1-01", "03-01"]


def test_the_same_question_is_asked_again(place: Path) -> None:
    write_four(place)
    for selection in (
        select_phases(Path(ROADMAP), "1-2"),
        select_phases(Path(ROADMAP), None),
        select_plans([Path(plan_path("01-02")), Path(plan_path("01-01"))]),
    ):
        again = reselect(selection.scope, selection.path)
        assert (again.scope, chosen(again), again.path) == (selection.scope, chosen(selection), selection.path)


def test_what_has_a_summary_is_not_run_again(place: Path) -> None:
    write_four(place, {summary("01-01"): "---\nphase: x\n---\n", summary("02-01"): "done\n"})
    selection = select_phases(Path(ROADMAP), None)
    assert chosen(selection) == ["01-02", "03-01", "04-01"]
    depends_on = {task.number: task.depends_on for task in selection.program().whole.tasks}
    assert depends_on["04-01/1"] == ("03-01/2",)
    known = selection.program({"01-01"})  # by a run that has done it
    assert [part.plan.id for part in known.parts] == ["01-01", "01-02", "03-01", "04-01"]


def test_a_halted_plan_is_honoured(place: Path) -> None:
    plans = {"02-01": ["c"], "02-02": ["d"], "02-03": ["e"], "03-01": ["f"], "04-01": ["g"]}
    files = plan_files(plans, {"02-02": ["02-01"], "04-01": ["03-01"]})
    write_files(place, {ROADMAP: roadmap({"2": [], "3": ["2"], "4": []}), **files})
    write_files(place, {summary("02-01"): "---\nstatus: halted\n---\n"})
    selection = select_phases(Path(ROADMAP), None)
    assert chosen(selection) == ["02-03"]
    assert left_out(selection) == [
        "phase 3 (P3) is left out: it waits for phase 2, whose plan 02-01 is halted",
        "plan 02-01 is left out: it is halted",
        "plan 02-02 is left out: it depends on plan 02-01, which is left out",
        "plan 04-01 is left out: it depends on plan 03-01, which is left out",
    ]


def test_a_phase_without_a_plan_is_left_out_with_all_that_builds_on_it(place: Path) -> None:
    plans = {name: tasks for name, tasks in PLANS.items() if not name.startswith("02")}
    write_files(place, {ROADMAP: roadmap(FOUR), **plan_files(plans)})
    selection = select_phases(Path(ROADMAP), None)
    assert chosen(selection) == ["01-01", "01-02", "03-01"]
    assert left_out(selection) == [
        "phase 2 (P2) is left out: it has no plan yet",
        "phase 4 (P4) is left out: it waits for phase 2, which has no plan yet",
    ]
    hint = selection.left_out[0].hint
    assert hint is not None
    assert ".planning/phases/02-p2" in hint
    assert "/gsd:plan-phase 2" in hint


def test_a_plan_that_is_listed_and_not_written(place: Path) -> None:
    text = roadmap({"1": [], "2": ["1"]}, listed={"1": ["01-01", "01-02"]})
    write_files(place, {ROADMAP: text, **plan_files({"01-01": ["a"], "02-01": ["b"]})})
    selection = select_phases(Path(ROADMAP), None)
    assert chosen(selection) == ["01-01"]
    assert left_out(selection)[0].startswith(
        "a part of phase 1 (P1) is left out: the roadmap lists 01-02, and there is"
    )
    assert (
        left_out(selection)[1] == "phase 2 (P2) is left out: it waits for phase 1, whose plan 01-02 is not written yet"
    )


def test_what_the_roadmap_calls_complete_is_not_run(place: Path) -> None:
    write_files(place, {ROADMAP: roadmap(FOUR, done=["1"]), **plan_files(PLANS)})
    assert chosen(select_phases(Path(ROADMAP), None)) == ["02-01", "03-01", "04-01"]
    assert left_out(select_phases(Path(ROADMAP), "1")) == ["phase 1 is left out: the roadmap says that it is complete"]


@pytest.mark.parametrize(
    ("phases", "message", "hint"),
    [
        ("9", ".planning/ROADMAP.md has no phase `9`", "it has 1, 2, 3, 4"),
        ("7-9", ".planning/ROADMAP.md has no phase `7-9`", "it has 1, 2, 3, 4"),
        ("4-2", ".planning/ROADMAP.md has no phase `4-2`", "--phases 2-4"),
        (",", "--phases names no phase", "--phases 2-4"),
        (
            "2-3",
            "phase 2 waits for phase 1, which is not done and not among --phases",
            "bursar run .planning/ROADMAP.md --phases 1,2,3",
        ),
        (
            "4",
            "phase 4 waits for phase 2, which is not done and not among --phases",
            "bursar run .planning/ROADMAP.md --phases 1,2,3,4",
        ),
    ],
)
def test_phases_that_cannot_be_run(place: Path, phases: str, message: str, hint: str) -> None:
    write_four(place)
    with pytest.raises(UserError) as refused:
        select_phases(Path(ROADMAP), phases)
    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_phases_that_wait_for_each_other(place: Path) -> None:
    write_files(place, {ROADMAP: roadmap({"1": ["2"], "2": ["1"]}), **plan_files({"01-01": ["a"]})})
    with pytest.raises(InvalidPlan, match="phases wait for each other: 1 → 2 → 1"):
        select_phases(Path(ROADMAP), None)


def test_plans_that_wait_for_each_other_across_phases(place: Path) -> None:
    files = plan_files({"01-01": ["a"], "02-01": ["b"]}, {"01-01": ["02-01"]})
    write_files(place, {ROADMAP: roadmap({"1": [], "2": ["1"]}), **files})
    with pytest.raises(InvalidPlan, match=r"01-01-PLAN.md:4:1: plans wait for each other: 01-01 → 02-01 → 01-01"):
        select_phases(Path(ROADMAP), None)


def test_two_plans_with_one_id(place: Path) -> None:
    text = plan_text("01-01", ["z"])
    write_files(place, {ROADMAP: roadmap({"1": [], "2": []}), plan_path("02-01"): text, **plan_files({"01-01": ["a"]})})
    with pytest.raises(InvalidPlan, match=r"02-01-PLAN.md:1:1: is plan 01-01, as .*01-01-PLAN.md is"):
        select_phases(Path(ROADMAP), None)


def test_every_problem_is_told_at_once(place: Path) -> None:
    files = plan_files({"01-01": ["a"], "01-02": ["b"], "02-01": ["c"]}, {"01-02": ["01-09"]})
    files[plan_path("01-01")] = files[plan_path("01-01")].replace("</tasks>", "")
    files[plan_path("02-01")] = "---\nphase: 02-p2\nplan: 01\n---\n<tasks>\n"
    write_files(place, {ROADMAP: roadmap({"1": [], "2": []}), **files})
    with pytest.raises(InvalidPlan) as refused:
        select_phases(Path(ROADMAP), None)
    assert "01-02 depends on `01-09`, which is no plan here" in refused.value.message
    assert refused.value.message.startswith("these plans have ")
    assert "02-01-PLAN.md" in refused.value.message


def test_several_plans_may_lie_anywhere(place: Path) -> None:
    write_files(place, {"work.md": plan_text("07-01", ["a"]), **plan_files({"01-01": ["b"], "01-02": ["c"]})})
    selection = select_plans([Path("work.md"), Path(plan_path("01-02"))])
    assert sorted(chosen(selection)) == ["01-02", "07-01"]
    assert selection.program().phases == ()


def test_a_plan_that_waits_for_one_that_was_not_named(place: Path) -> None:
    write_files(place, plan_files({"01-01": ["a"], "01-02": ["b"], "01-03": ["c"]}, {"01-02": ["01-01"]}))
    paths = [Path(plan_path("01-02")), Path(plan_path("01-03"))]
    with pytest.raises(InvalidPlan, match="plan 01-02 depends on 01-01, which is not done and not part of this run"):
        select_plans(paths)
    write_files(place, {summary("01-01"): "done\n"})
    assert chosen(select_plans(paths)) == ["01-02", "01-03"]
