"""`bursar estimate`: plans, phases and roadmaps, with and without a history."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bursar.history import Observation, open_history
from tests.cli.conftest import Bursar

TASK = (
    '<task type="auto"{attributes}><name>{name}</name><files>{name}.py</files><action>Write it.</action>'
    "{metrics}</task>\n"
)
FOLDER = ".planning/phases/08-features"
PLAN = f"{FOLDER}/08-01-PLAN.md"


def task(name: str, attributes: str = "", metrics: str = "") -> str:
    return TASK.format(name=name, attributes=attributes, metrics=metrics)


def write_plan(path: Path, *tasks: str) -> None:
    number = path.name.split("-")[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\nphase: 08-features\nplan: {number}\n---\n<tasks>\n{''.join(tasks)}</tasks>\n")


@pytest.fixture
def project(place: Path) -> Path:
    write_plan(place / PLAN, task("One"), task("Two"), task("Three"))
    write_plan(place / FOLDER / "08-02-PLAN.md", task("Four"))
    (place / ".planning/ROADMAP.md").write_text(
        "# Roadmap\n\n### Phase 7: Base\n**Goal**: x\n**Requirements**: A-01, A-02\n\n"
        "### Phase 8: Features\n**Goal**: y\n**Depends on**: Phase 7\n"
    )
    (place / "bursar.toml").write_text("[routing]\nattempts = 1\n")
    return place


@pytest.fixture
def history(tmp_path: Path) -> None:
    """Sixty attempts at about 200,000 tokens and half a dollar; nine of ten succeeded."""
    luck, state = random.Random(2), tmp_path / "state"
    state.mkdir()
    opened = open_history(state / "history.db")
    opened.record_all([attempt(number, luck) for number in range(60)])
    opened.close()


def attempt(number: int, luck: random.Random) -> Observation:
    tokens = int(200_000 * luck.lognormvariate(0, 0.4))
    return Observation(
        key=str(number),
        at=f"2026-03-01T10:{number:02d}:00+00:00",
        project="/p",
        plan_id="01-01",
        task=str(number),
        subagent="general-purpose",
        complexity=None,
        agent="claude",
        model="sonnet",
        outcome="failed" if number % 10 == 0 else "succeeded",
        tokens=tokens,
        nano_usd=tokens * 2_500,
        calls=20,
        wall_seconds=tokens / 500,
        task_type="simple-impl",
        digest=f"d{number}",
        facts={"files": 1, "action_characters": 9, "commands": 0, "waits_for": 0},
    )


def data(bursar: Bursar, *arguments: str) -> dict[str, Any]:
    said = bursar("estimate", *arguments, "--json")
    assert said.code == 0, said.err
    told: dict[str, Any] = json.loads(said.out)
    return told


def test_without_a_history_the_defaults_are_said_to_be_that(bursar: Bursar, project: Path) -> None:
    said = bursar("estimate", PLAN)
    assert said.code == 0, said.err
    assert "no history, nothing here has been measured: documented default" in said.out
    told = data(bursar, PLAN)
    assert (told["observations"], told["coverage"], told["seed"]) == (0, None, 1)
    (one, *_) = told["tasks"]
    assert one["source"] == "documented default"
    assert one["tokens"]["p10"] == pytest.approx(12_000, rel=0.1)
    assert one["tokens"]["p90"] == pytest.approx(50_000, rel=0.1)
    assert isinstance(told["total"]["nano_usd"]["p90"], int)


def test_the_authors_range_goes_before_the_default(bursar: Bursar, place: Path) -> None:
    metrics = "<metrics><estimated-tokens>80000-95000</estimated-tokens></metrics>"
    write_plan(place / PLAN, task("One", metrics=metrics))
    (one,) = data(bursar, PLAN)["tasks"]
    assert one["source"] == "the plan's own range"
    assert one["tokens"]["p90"] == pytest.approx(95_000, rel=0.02)


@pytest.mark.usefixtures("history")
def test_with_a_history_it_is_learned(bursar: Bursar, project: Path) -> None:
    told = data(bursar, PLAN, "--budget", "2 USD")
    assert told["observations"] == 60
    assert 0.6 < told["coverage"] < 0.95
    for each in told["tasks"]:
        assert each["source"].startswith("learned")
        assert each["tokens"]["p10"] < 200_000 < each["tokens"]["p90"]
        assert 0.85 < each["success"] < 0.97
    total = told["total"]
    assert 450_000 < total["tokens"]["p50"] < 700_000
    assert total["nano_usd"]["p50"] == pytest.approx(total["tokens"]["p50"] * 2_500, rel=0.2)
    budget = told["budget"]
    assert budget["suffices"] > budget["finishes"] > 0.3
    assert (
        budget["needed"] is None
    )  # three tasks that succeed nine times out of ten do not all do so in nine of ten cases
    assert budget["needed_to_pay"] > total["nano_usd"]["p50"]


@pytest.mark.usefixtures("history")
def test_with_more_attempts_it_is_known_what_is_needed(bursar: Bursar, project: Path) -> None:
    said = bursar("estimate", PLAN, "--budget", "1 USD", "--attempts", "3")
    assert "with 1.00 USD this finishes with probability 0." in said.out
    assert " USD for 0.9" in said.out
    told = data(bursar, PLAN, "--budget", "1 USD", "--attempts", "3")["budget"]
    enough = f"{told['needed'] / 1e9:.9f} USD"
    assert data(bursar, PLAN, "--budget", enough, "--attempts", "3")["budget"]["finishes"] >= 0.9


def test_what_comes_after_a_failure_is_as_in_a_run(bursar: Bursar, project: Path) -> None:
    """As many attempts as the settings say, each a tier up; three by default."""
    one = data(bursar, PLAN)
    (project / "bursar.toml").write_text("[routing]\nattempts = 2\n")
    two = data(bursar, PLAN)
    (project / "bursar.toml").unlink()
    three = data(bursar, PLAN)
    assert [each["attempts_per_task"] for each in (one, two, three)] == [1, 2, 3]
    assert three["success"] >= two["success"] > one["success"]  # above the medium tier there is but one
    assert data(bursar, PLAN, "--attempts", "1") == one


def test_the_same_seed_says_the_same_and_another_does_not(bursar: Bursar, project: Path) -> None:
    assert data(bursar, PLAN) == data(bursar, PLAN)
    assert data(bursar, PLAN)["total"] != data(bursar, PLAN, "--seed", "2")["total"]


def test_a_phase_has_its_open_plans_one_after_the_other(bursar: Bursar, project: Path) -> None:
    told = data(bursar, "8")
    assert [each["task"] for each in told["tasks"]] == ["08-01/1", "08-01/2", "08-01/3", "08-02/1"]
    (project / FOLDER / "08-01-SUMMARY.md").write_text("---\nphase: 08\n---\ndone\n")
    assert [each["task"] for each in data(bursar, "8")["tasks"]] == ["08-02/1"]


def test_a_roadmap_has_all_open_phases_those_without_plans_too(bursar: Bursar, project: Path) -> None:
    first, *others = data(bursar, ".planning/ROADMAP.md")["tasks"]
    assert (first["task"], first["source"]) == ("all of phase 7", "documented default of a phase")
    assert first["tokens"]["p50"] == pytest.approx(12_000, rel=0.1)
    assert len(others) == 4


@pytest.mark.usefixtures("history")
def test_a_phase_without_plans_costs_what_its_own_tokens_cost_and_not_what_an_attempt_did(
    bursar: Bursar, project: Path
) -> None:
    first, *_ = data(bursar, ".planning/ROADMAP.md")["tasks"]
    assert first["source"] == "documented default of a phase"
    assert first["nano_usd"]["p50"] < 20_000 * first["tokens"]["p50"]  # by list price; an attempt was half a dollar
    assert first["nano_usd"]["p50"] / first["nano_usd"]["p10"] == pytest.approx(
        first["tokens"]["p50"] / first["tokens"]["p10"], rel=0.01
    )


def test_of_work_that_has_always_taken_the_same_there_are_forecasts_and_savings_too(
    bursar: Bursar, project: Path, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    opened, luck = open_history(tmp_path / "state/history.db"), random.Random(2)
    same = {"tokens": 24_500, "nano_usd": 10**8, "wall_seconds": 1.5, "project": str(project), "model": "opus"}
    opened.record_all([replace(attempt(number, luck), **same) for number in range(60)])  # type: ignore[arg-type]
    opened.close()
    told = data(bursar, PLAN, "--budget", "5 USD")
    assert told["total"]["tokens"]["p50"] == pytest.approx(3 * 24_500, rel=0.2)
    assert told["budget"]["finishes"] > 0.5
    assert "no difference" in bursar("report", "--savings").out


def test_a_plan_that_cannot_be_read_is_left_out_of_its_phase_and_said(bursar: Bursar, project: Path) -> None:
    (project / FOLDER / "08-02-PLAN.md").write_text("---\nphase: [\n---\n<tasks>")
    said = bursar("estimate", "8", "--json")
    assert [each["task"] for each in json.loads(said.out)["tasks"]] == ["08-01/1", "08-01/2", "08-01/3"]
    assert "08-02-PLAN.md is left out" in said.err


def test_a_model_without_a_price_has_no_cost(bursar: Bursar, place: Path) -> None:
    write_plan(place / PLAN, task("One", ' model="nobody-knows-it"'))
    told = data(bursar, PLAN)
    assert told["unpriced_models"] == ["nobody-knows-it"]
    assert told["total"]["nano_usd"] is None
    assert "what it costs is unknown" in bursar("estimate", PLAN).out
    said = bursar("estimate", PLAN, "--budget", "1 USD")
    assert (said.code, said.out) == (2, "")
    assert "no price is known for model nobody-knows-it" in said.err
    assert bursar("estimate", PLAN, "--budget", "1M tokens").code == 0


def test_names_of_others_do_not_steer_the_terminal(bursar: Bursar, place: Path) -> None:
    write_plan(place / PLAN, task("One\x1b[2J"))
    assert "\x1b" not in bursar("estimate", PLAN).out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nowhere.md",), 2, "there is no file nowhere.md"),
        (("12",), 2, "there is no phase `12`"),
        ((PLAN, "--attempts", "0"), 2, "--attempts must be a whole number from 1 to 10, not '0'"),
        ((PLAN, "--seed", "-1"), 2, "--seed"),
        ((PLAN, "--budget", "5"), 2, "the limit `5` has no unit"),
        (("broken-PLAN.md",), 3, "broken-PLAN.md"),
        ((), 2, "PLAN|PHASE|ROADMAP"),
    ],
)
def test_what_cannot_be_estimated_is_told(
    bursar: Bursar, project: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    (project / "broken-PLAN.md").write_text("<tasks><task>")
    said = bursar("estimate", *arguments)
    assert said.code == code
    assert words in said.err


def test_a_history_that_cannot_be_read_is_told_of_and_the_defaults_hold(
    bursar: Bursar, project: Path, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/history.db").write_bytes(b"no database" * 1000)
    said = bursar("estimate", PLAN)
    assert said.code == 0
    assert "warning: nothing is learned from the history" in said.err
    assert "documented default" in said.out


def test_a_folder_without_plans_is_not_done_but_empty(bursar: Bursar, project: Path) -> None:
    said = bursar("estimate", ".planning")
    assert (said.code, said.err) == (
        2,
        "error: there are no plans in .planning\n\nhint: bursar estimate .planning/ROADMAP.md\n",
    )
    (project / "empty").mkdir()
    assert bursar("estimate", "empty").err == "error: there are no plans in empty\n"


def test_nothing_is_written(bursar: Bursar, project: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    bursar("estimate", ".planning/ROADMAP.md", "--budget", "5 USD")
    assert sorted(tmp_path.rglob("*")) == before
