"""Roadmaps and several plans, run as a person would."""

from __future__ import annotations

import json
from pathlib import Path

from bursar.testing.script import Step
from tests.integration.kit import CALL_TOKENS, shell, write
from tests.integration.roadmap_kit import (
    ROADMAP,
    answers,
    plan_files,
    plan_path,
    plan_text,
    roadmap,
    roadmap_project,
)

PHASES = {"1": [], "2": ["1"], "3": ["1"], "4": ["2", "3"]}
PLANS = {
    "01-01": ["alpha", "beta"],
    "02-01": ["gamma"],
    "02-02": ["delta"],
    "03-01": ["epsilon"],
    "04-01": ["zeta"],
}
ALL = [f"feat({plan}): {name}" for plan, names in PLANS.items() for name in names]
ALL += [f"docs({plan}): Add summary" for plan in PLANS]
FILES = {ROADMAP: roadmap(PHASES), **plan_files(PLANS, {"02-02": ["02-01"]})}


def test_a_roadmap_runs_to_its_end(tmp_path: Path) -> None:
    with roadmap_project(tmp_path, FILES, answers(PLANS)) as project:
        ended = project.bursar("run", ROADMAP, "--trust")
        assert ended.code == 0, ended.err
        subjects = project.subjects
        assert sorted(subjects) == sorted(ALL)
        assert subjects.index("docs(01-01): Add summary") < subjects.index("feat(02-01): gamma")
        assert subjects.index("feat(02-01): gamma") < subjects.index("feat(02-02): delta")
        assert subjects.index("feat(04-01): zeta") > subjects.index("docs(03-01): Add summary")
        for plan in PLANS:
            assert (project.repo / plan_path(plan).replace("PLAN", "SUMMARY")).is_file()
        project.assert_tidy()
        again = project.bursar("run", ROADMAP, "--trust")
        assert again.code == 0
        assert "nothing to do" in again.err


def test_a_killed_roadmap_is_resumed(tmp_path: Path) -> None:
    """kill −9 of the conductor while two phases are at work: nothing is done twice, nothing is lost."""
    odd = {"gamma": [write("gamma.txt", wait_for="g")], "epsilon": [write("epsilon.txt", wait_for="g")]}
    with roadmap_project(tmp_path, FILES, answers(PLANS, odd)) as project:
        assert project.bursar("token", "init", "opus").code == 0
        command = project.start("run", ROADMAP, "--trust", "--budget", "500k tokens")
        command.wait_until_said("03-01/1  epsilon ·")
        command.wait_until_said("02-01/1  gamma ·")
        status = json.loads(project.bursar("parallel", "status").out)
        assert (status["completed"], status["active"], status["pending"]) == ([1], [2, 3], [4])
        assert status["progress_percent"] == 33
        command.kill()
        project.server.open_gate("g")
        status = json.loads(project.bursar("parallel", "status").out)
        assert (status["state"], status["active"], status["interrupted"]) == ("interrupted", [], [2, 3])
        assert "phases: 1 completed · 2, 3 interrupted · 4 pending" in project.bursar("status").out
        ended = project.bursar("resume", status["run"])
        assert ended.code == 0, ended.err
        assert sorted(project.subjects) == sorted(ALL)
        assert project.charged == project.bill == 6 * CALL_TOKENS * 2
        session = json.loads(project.bursar("token", "report").out)
        assert session["current_usage"] == project.bill
        assert session["reservations"] == []
        (project.repo / ".planning/token_budget.json").unlink()
        project.assert_tidy()


def test_changed_bytes_of_one_plan_ask_again(tmp_path: Path) -> None:
    plans = {"01-01": ["alpha"], "02-01": ["beta"]}
    files = {ROADMAP: roadmap({"1": [], "2": ["1"]}), **plan_files(plans)}
    files[plan_path("02-01")] = files[plan_path("02-01")].replace(
        "<done>", "<verify><automated>test -f beta.txt</automated></verify><done>"
    )
    with roadmap_project(tmp_path, files, answers(plans, {"beta": [Step(text="no")]})) as project:
        refused = project.bursar("run", ROADMAP)
        assert refused.code == 2
        assert "plan 02-01, task 1: test -f beta.txt" in refused.err
        assert project.bursar("run", ROADMAP, "--trust").code == 1
        (run,) = json.loads(project.bursar("status", "--json").out)
        text = (project.repo / plan_path("02-01")).read_text()
        project.commit({plan_path("02-01"): text.replace("test -f beta.txt", "test -d beta.txt")}, "change")
        again = project.bursar("resume", run["id"])
        assert again.code == 2
        assert "02-01-PLAN.md contains commands that nobody has approved yet" in again.err
        assert "test -d beta.txt" in again.err


def test_a_failed_phase_does_not_stop_its_siblings(tmp_path: Path) -> None:
    with roadmap_project(tmp_path, FILES, answers(PLANS, {"epsilon": [Step(text="I cannot")]})) as project:
        ended = project.bursar("run", ROADMAP, "--trust")
        assert ended.code == 1
        assert "feat(02-02): delta" in project.subjects
        assert "skipped: it depends on task 03-01/1" in ended.err
        status = json.loads(project.bursar("parallel", "status").out)
        assert (status["completed"], status["failed"], status["skipped"]) == ([1, 2], [3], [4])
        assert "phases: 1, 2 completed · 3 failed · 4 skipped" in project.bursar("status").out
        assert "phase 3  P3: 0 of 1 task, failed, " in ended.err
        assert "phase 4  P4: 0 of 1 task, skipped, 0 tokens\n" in ended.err
        assert "bursar resume" in project.bursar("status").out


def test_several_plans_are_one_run(tmp_path: Path) -> None:
    """In the order of their dependencies, however they are named; without phases."""
    with roadmap_project(tmp_path, FILES, answers(PLANS)) as project:
        paths = [plan_path("02-02"), plan_path("02-01"), plan_path("01-01")]
        ended = project.bursar("run", *paths, "--trust")
        assert ended.code == 0, ended.err
        subjects = project.subjects
        assert subjects.index("feat(02-01): gamma") < subjects.index("feat(02-02): delta")
        assert len(subjects) == 7
        assert "phase 1" not in ended.err
        assert "nothing to do" in project.bursar("run", *paths, "--trust").err
        assert project.bursar("run", ROADMAP, "--trust").code == 0
        assert sorted(project.subjects) == sorted(ALL)


def test_plans_that_write_one_file_never_do_at_once(tmp_path: Path) -> None:
    """`files_modified` orders plans whose tasks name no files."""
    plans = {"01-01": ["alpha"], "01-02": ["beta"]}
    texts = {
        plan_path(plan): plan_text(plan, names, more="files_modified: [shared.txt]\n").replace(
            f"<files>{names[0]}.txt</files>", ""
        )
        for plan, names in plans.items()
    }
    odd = {name: [shell(f"echo {name} >> shared.txt")] for name in ("alpha", "beta")}
    with roadmap_project(tmp_path, {ROADMAP: roadmap({"1": []}), **texts}, answers(plans, odd)) as project:
        ended = project.bursar("run", ROADMAP, "--trust")
        assert ended.code == 0, ended.err
        assert (project.repo / "shared.txt").read_text() == "alpha\nbeta\n"


def test_a_summary_is_there_for_who_comes_after_even_while_others_merge(tmp_path: Path) -> None:
    """beta is verified anew in the merged work, which takes a while, when the plan of alpha is done; delta finds it."""
    plans = {"01-01": ["alpha"], "01-02": ["beta"], "01-03": ["delta"]}
    files = {ROADMAP: roadmap({"1": []}), **plan_files(plans, {"01-03": ["01-01"]})}
    verify = "<verify><automated>sleep 1; test -f beta.txt</automated></verify>"
    files[plan_path("01-02")] = files[plan_path("01-02")].replace("<done>", f"{verify}<done>")
    summary = plan_path("01-01").replace("PLAN", "SUMMARY")
    odd = {"delta": [shell(f"test -f {summary} && echo found > delta.txt")]}
    with roadmap_project(tmp_path, files, answers(plans, odd)) as project:
        ended = project.bursar("run", ROADMAP, "--trust")
        assert ended.code == 0, ended.err
        assert (project.repo / "delta.txt").read_text() == "found\n"
        assert len(project.subjects) == 6
        project.assert_tidy()
