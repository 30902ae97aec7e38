"""Whole roadmaps whose processes are killed at random moments, and what must be true once they are done anyway."""

from __future__ import annotations

import json
import random
import signal
from collections import Counter
from pathlib import Path

from bursar.testing.script import Step
from tests.faults.run_kills import KILLS_PER_RUN, MOST_RUNS, strike
from tests.integration.kit import Project, shell, slug, write
from tests.integration.roadmap_kit import ROADMAP, answers, plan_files, plan_path, roadmap, roadmap_project

PHASES = {"1": [], "2": ["1"], "3": ["1"], "4": ["2", "3"]}
PLANS = {
    "01-01": ["alpha", "beta"],
    "01-02": ["gamma"],
    "02-01": ["delta", "epsilon"],
    "02-02": ["zeta"],
    "03-01": ["eta", "theta"],
    "03-02": ["iota"],
    "04-01": ["kappa"],
}
DEPENDS_ON = {"02-02": ["02-01"], "03-02": ["03-01"]}
NAMES = [name for names in PLANS.values() for name in names]


def kill_until(folder: Path, kills: int, seed: int) -> Counter[str]:
    """So many processes (or sets of them) have been killed, over as many roadmaps as that takes; how often which."""
    dice, total, number = random.Random(seed), Counter[str](), 0
    while total.total() < kills:
        number += 1
        total += one_roadmap(folder / f"run{number}", dice, min(KILLS_PER_RUN, kills - total.total()))
    return total


def one_roadmap(folder: Path, dice: random.Random, kills: int) -> Counter[str]:
    """One roadmap from its first task to its last SUMMARY, with this many kills on the way; what was killed."""
    files = {ROADMAP: roadmap(PHASES), ".gitignore": "token_budget.json\n", **plan_files(PLANS, DEPENDS_ON)}
    with roadmap_project(folder, files, answers(PLANS, {name: _steps(name) for name in NAMES})) as project:
        assert project.bursar("token", "init", "opus", "--max-tokens", "100000000").code == 0
        done = Counter[str]()
        for _ in range(MOST_RUNS):
            run = project.start("run", ROADMAP, "--trust", "--budget", "100M tokens")
            while done.total() < kills and (victim := strike(project, run, dice)) is not None:
                done[victim] += 1
            ended = run.end()
            assert "Traceback" not in ended.err, ended.err
            assert ended.code in (0, 5, -signal.SIGKILL), ended
            if ended.code == 0:
                break
        assert ended.code == 0
        check(project)
        return done


def check(project: Project) -> None:
    """Everything is done once and in order, nothing is lost and nothing invented, in the session neither."""
    subjects = project.subjects
    expected = [f"feat({plan}): {name}" for plan, names in PLANS.items() for name in names]
    assert sorted(subjects) == sorted([*expected, *(f"docs({plan}): Add summary" for plan in PLANS)])
    places = {subject: place for place, subject in enumerate(subjects)}
    for number, before in PHASES.items():
        ends = [places[name] for name in expected if any(name.startswith(f"feat(0{each}-") for each in before)]
        starts = [places[name] for name in expected if name.startswith(f"feat(0{number}-")]
        assert not ends or max(ends) < min(starts)
    for plan in PLANS:
        assert (project.repo / plan_path(plan).replace("PLAN", "SUMMARY")).is_file()
    report = project.report
    assert report["state"] == "succeeded"
    assert all(each["state"] == "merged" for each in report["tasks"])
    assert [sum(a["state"] == "succeeded" for a in each["attempts"]) for each in report["tasks"]] == [1] * len(NAMES)
    assert report["metered_tokens"] <= project.bill <= project.charged
    session = json.loads(project.bursar("token", "report").out)
    assert (session["current_usage"], session["reservations"]) == (project.charged, [])
    project.assert_tidy()


def _steps(name: str) -> list[Step]:
    """Three calls, with a shell command between them; none of them at once."""
    return [
        shell(f"sleep 0.02; echo {name} > {slug(name)}.txt", delay_seconds=0.03),
        write(f"{slug(name)}-more.txt", delay_seconds=0.03),
        Step(text="done", delay_seconds=0.03),
    ]
