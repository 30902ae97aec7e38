"""Phases side by side, as far as there are tokens for them."""

from __future__ import annotations

import json
from pathlib import Path

from bursar.testing.script import Step
from tests.integration.kit import CALL_TOKENS, Project, write
from tests.integration.roadmap_kit import (
    ROADMAP,
    answers,
    plan_files,
    plan_path,
    plan_text,
    roadmap,
    roadmap_project,
)

PLANS = {"01-01": ["alpha"], "02-01": ["beta"], "03-01": ["gamma"]}
SIDE_BY_SIDE = {ROADMAP: roadmap({"1": [], "2": [], "3": []}), **plan_files(PLANS)}


def _session(project: Project) -> dict[str, object]:
    report: dict[str, object] = json.loads(project.bursar("token", "report").out)
    return report


def test_at_most_two_phases_at_once(tmp_path: Path) -> None:
    """The third begins when one of the others has ended, though slots are free."""
    odd = {name: [write(f"{name}.txt", wait_for=name)] for name in ("alpha", "beta")}
    with roadmap_project(tmp_path, SIDE_BY_SIDE, answers(PLANS, odd)) as project:
        command = project.start("run", ROADMAP, "--trust")
        for name in ("alpha", "beta"):
            assert project.server.wait_until_reached(name, 60)
        assert "phase 3" not in command.err.read_text()
        project.server.open_gate("beta")
        command.wait_until_said("phase 2  P2 · done")
        command.wait_until_said("phase 3  P3 · done")
        assert "phase 1  P1 · done" not in command.err.read_text()
        project.server.open_gate("alpha")
        assert command.end().code == 0
        project.assert_tidy()


def test_max_workers_of_the_settings(tmp_path: Path) -> None:
    more = "\n[parallel]\nmax_workers = 1\n"
    with roadmap_project(tmp_path, SIDE_BY_SIDE, answers(PLANS), more=more) as project:
        ended = project.bursar("run", ROADMAP, "--trust", "--json")
        assert ended.code == 0, ended.err
        assert json.loads(ended.out)["calls_that_may_pass_a_limit"] == 1


def test_too_few_tokens_for_phases_side_by_side(tmp_path: Path) -> None:
    """60,000 tokens are enough for one phase at a time and not for two; with the session as with the run's budget."""
    with roadmap_project(tmp_path, SIDE_BY_SIDE, answers(PLANS)) as project:
        assert project.bursar("token", "init", "opus", "--max-tokens", "60000").code == 0
        ended = project.bursar("run", ROADMAP, "--trust", "--json")
        assert ended.code == 0, ended.err
        assert "2 phases side by side need 100,000: phases run one after the other" in ended.err
        assert ended.err.count("one after the other") == 1
        assert json.loads(ended.out)["calls_that_may_pass_a_limit"] == 1
        assert _session(project)["phase_breakdown"] == {f"phase-{n}": 2 * CALL_TOKENS for n in (1, 2, 3)}
        assert "token session: 7,680 of 60k tokens used" in ended.err


def test_no_fallback(tmp_path: Path) -> None:
    more = "\n[parallel]\nfallback_to_sequential = false\n"
    with roadmap_project(tmp_path, SIDE_BY_SIDE, answers(PLANS), more=more) as project:
        ended = project.bursar("run", ROADMAP, "--trust", "--budget", "60k tokens")
        assert ended.code == 4
        assert "FALLBACK_TO_SEQUENTIAL is false" in ended.err
        assert project.calls == ()
        assert project.note("01-01/1").startswith("60,000 tokens are left")
        ended = project.bursar("resume", "--add", "100k tokens")
        assert ended.code == 0, ended.err


def test_a_blocked_reservation_sums_up_finished_phases(tmp_path: Path) -> None:
    """Phase 2 reads a long summary of phase 1; once that is summed up, there is room for it."""
    plans = {"01-01": ["alpha"], "02-01": ["beta"]}
    files = {ROADMAP: roadmap({"1": [], "2": ["1"]}), **plan_files(plans)}
    summary = plan_path("01-01").replace("PLAN", "SUMMARY")
    files[plan_path("02-01")] = plan_text("02-01", ["beta"]).replace(
        "<tasks>", f"<context>\n@{summary}\n@{plan_path('01-01')}\n</context>\n\n<tasks>"
    )
    long = plan_text("01-01", ["alpha"]).replace("</objective>", "x" * 40_000 + "</objective>")
    files[plan_path("01-01")] = long
    with roadmap_project(tmp_path, files, answers(plans)) as project:
        assert project.bursar("token", "init", "opus", "--max-tokens", "21000").code == 0
        ended = project.bursar("run", ROADMAP, "--trust")
        assert ended.code == 0, ended.err
        assert "finished phases are summed up" in ended.err
        assert "docs(01-p1): Sum up the phase" in project.subjects
        archive = json.loads((project.repo / ".planning/phases/01-p1/ARCHIVE.json").read_text())
        assert archive["plans_executed"][0]["plan"] == "01-01-PLAN.md"
        assert "ARCHIVE.json: this phase is finished" in json.dumps(project.server.request_bodies[-1])
        assert _session(project)["reservations"] == []


def test_no_room_in_the_session(tmp_path: Path) -> None:
    plans = {"01-01": ["alpha"], "02-01": ["beta"]}
    files = {ROADMAP: roadmap({"1": [], "2": ["1"]}), **plan_files(plans)}
    with roadmap_project(tmp_path, files, answers(plans)) as project:
        assert project.bursar("token", "init", "opus", "--max-tokens", "12000").code == 0
        ended = project.bursar("run", ROADMAP, "--trust")
        assert ended.code == 4, ended.err
        assert "feat(01-01): alpha" in project.subjects
        assert project.states == {"01-01/1": "merged", "02-01/1": "stopped"}
        assert project.note("02-01/1") == "the token session has no room for it"
        assert _session(project)["current_usage"] == 2 * CALL_TOKENS
        (run,) = json.loads(project.bursar("status", "--json").out)
        assert project.bursar("token", "init", "opus").code == 0
        ended = project.bursar("resume", run["id"])
        assert ended.code == 0, ended.err
        assert len(project.subjects) == 5  # the archive of phase 1 among them


def test_what_a_failed_phase_held_is_given_back(tmp_path: Path) -> None:
    with roadmap_project(tmp_path, SIDE_BY_SIDE, answers(PLANS, {"beta": [Step(text="no")]})) as project:
        assert project.bursar("token", "init", "opus").code == 0
        assert project.bursar("run", ROADMAP, "--trust").code == 1
        session = _session(project)
        assert session["reservations"] == []
        assert session["current_usage"] == project.bill


def test_a_budget_that_counts_the_session_is_not_charged_twice(tmp_path: Path) -> None:
    more = '\n[[budget]]\nname = "all"\nlimit = "500k tokens"\nperiod = "daily"\n'
    with roadmap_project(tmp_path, SIDE_BY_SIDE, answers(PLANS), more=more) as project:
        assert project.bursar("token", "init", "opus").code == 0
        first = project.bursar("token", "reserve", "5", "other")
        assert first.code == 0
        ended = project.bursar("run", ROADMAP, "--trust")
        assert ended.code == 0, ended.err
        assert "the token session takes no part in this run: all would count each token twice" in ended.err
        assert _session(project)["current_usage"] == 0


def test_a_phase_without_room_does_not_keep_a_smaller_one_from_starting(tmp_path: Path) -> None:
    plans = {"01-01": ["alpha"], "02-01": ["beta"]}
    files = {ROADMAP: roadmap({"1": [], "2": []}), "long.txt": "x" * 40_000, **plan_files(plans)}
    context = "<context>\n@long.txt\n</context>\n\n<tasks>"
    files[plan_path("01-01")] = files[plan_path("01-01")].replace("<tasks>", context)
    more = "\n[parallel]\nmax_workers = 1\n"
    with roadmap_project(tmp_path, files, answers(plans), more=more) as project:
        assert project.bursar("token", "init", "opus", "--max-tokens", "15000").code == 0
        ended = project.bursar("run", ROADMAP, "--trust")
        assert ended.code == 4, ended.err
        assert project.states == {"01-01/1": "stopped", "02-01/1": "merged"}
        assert "it needs 20,000 tokens, and the token session has 14,249 left" in ended.err
