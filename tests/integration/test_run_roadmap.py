"""Roadmaps and several plans, run as a person would."""

from __future__ import annotations

from pathlib import Path

from tests.integration.roadmap_kit import ROADMAP, answers, plan_files, plan_path, roadmap, roadmap_project

PHASES = {"1": [], "2": ["1"], "3": ["1"], "4": ["2", "3"]}
PLANS = {
    "01-01": ["alpha", "beta"],
    "02-01": ["gamma"],
    "02-02": ["delta"],
    "03-01": ["epsilon"],
    "04-01": ["zeta"],
}
FILES = {ROADMAP: roadmap(PHASES), **plan_files(PLANS, {"02-02": ["02-01"]})}


def test_a_roadmap_runs_to_its_end(tmp_path: Path) -> None:
    with roadmap_project(tmp_path, FILES, answers(PLANS)) as project:
        ended = project.bursar("run", ROADMAP, "--trust")
        assert ended.code == 0, ended.err
        subjects = project.subjects
        assert sorted(subjects) == sorted(
            [f"feat({plan}): {name}" for plan, names in PLANS.items() for name in names]
            + [f"docs({plan}): Add summary" for plan in PLANS]
        )
        assert subjects.index("docs(01-01): Add summary") < subjects.index("feat(02-01): gamma")
        assert subjects.index("feat(02-01): gamma") < subjects.index("feat(02-02): delta")
        assert subjects.index("feat(04-01): zeta") > subjects.index("docs(03-01): Add summary")
        for plan in PLANS:
            assert (project.repo / plan_path(plan).replace("PLAN", "SUMMARY")).is_file()
        project.assert_tidy()
        again = project.bursar("run", ROADMAP, "--trust")
        assert again.code == 0
        assert "nothing to do" in again.err
