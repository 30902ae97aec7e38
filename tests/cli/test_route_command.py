"""`bursar route`: what it explains of a plan, what it answers line by line, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Bursar
from tests.integration.kit import plan, task

PLAN = "01-01-PLAN.md"


@pytest.fixture
def written(place: Path) -> Path:
    """A plan of two tasks: one scored by its words, one by its author."""
    path = place / PLAN
    path.write_text(plan(task("Add a profile"), task("Choose", 'estimated-complexity="9"')), encoding="utf-8")
    return path


def test_it_explains_every_task_with_candidates_and_reasons(bursar: Bursar, written: Path) -> None:
    said = bursar("route", "explain", PLAN)
    assert said.code == 0
    assert "learned from no finished attempt yet" in said.out
    assert "task 1: Add a profile" in said.out
    assert "complexity 9: the plan says so" in said.out
    assert said.out.count("haiku") >= 2
    assert said.err == ""


def test_it_says_who_chooses_and_takes_the_worth_of_a_task_from_the_settings(
    bursar: Bursar, place: Path, written: Path
) -> None:
    assert "worth 5.00 USD\na run goes by the rules until 30 attempts" in bursar("route", "explain", PLAN).out
    (place / "bursar.toml").write_text('[routing]\nvalue = "2 USD"\npolicy = "learned"\n')
    assert "worth 2.00 USD\na run goes by what was learned\n" in bursar("route", "explain", PLAN).out
    assert json.loads(bursar("route", "explain", PLAN, "--json").out)["policy"] == "learned"
    (place / "bursar.toml").write_text('[routing]\npolicy = "rules"\n')
    assert "a run goes by the rules, as the settings say" in bursar("route", "explain", PLAN).out


def test_a_history_that_cannot_be_read_is_told_and_hinders_nothing(
    bursar: Bursar, place: Path, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURSAR_STATE_DIR", str(place))
    (place / "history.db").write_bytes(b"nonsense" * 2000)
    said = bursar("route", "explain", PLAN)
    assert said.code == 0
    assert "warning: nothing is learned from the history" in said.err
    assert "learned from no finished attempt yet" in said.out


def test_a_model_that_the_plan_names_goes_first_and_that_is_said(bursar: Bursar, place: Path) -> None:
    (place / PLAN).write_text(plan(task("Choose", 'model="opus"')), encoding="utf-8")
    assert "the plan's model goes first all the same" in bursar("route", "explain", PLAN).out


def test_for_programs_it_is_one_object(bursar: Bursar, written: Path) -> None:
    data = json.loads(bursar("route", "explain", PLAN, "--task", "2", "--value", "0.5 USD", "--json").out)
    assert (data["value_usd"], data["learned_from"]) == (0.5, 0)
    (only,) = data["tasks"]
    assert only["rules"] == {"model": "opus", "reason": "complexity 9"}
    assert [each["tier"] for each in only["candidates"]] == ["small", "medium", "large"]
    assert all(0 < each["second_chance"] < each["chance"] < 1 for each in only["candidates"])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((), "there is nothing to explain"),
        (("explain",), "there is nothing to explain"),
        (("explain", "nowhere-PLAN.md"), "there is no plan at nowhere-PLAN.md"),
        (("explain", PLAN, "--task", "7"), "plan 08-02 has no task 7 that an agent works on"),
        (("explain", PLAN, "--value", "x"), "--value: the limit `x` is not a number with a unit"),
        (("explain", "--stdio"), "--stdio answers requests and explains no plan"),
        (("--policy", "best"), "argument --policy: invalid choice"),
        (("--stdio", "--value", "2 USD"), "--value is for explaining a plan"),
        (("--stdio", "--task", "2"), "--task is for explaining a plan"),
        (("explain", PLAN, "--policy", "rules"), "--policy is for --stdio; both policies are explained"),
    ],
)
def test_what_is_refused_and_how(bursar: Bursar, written: Path, arguments: tuple[str, ...], error: str) -> None:
    said = bursar("route", *arguments)
    assert said.code == 2
    assert said.err.startswith(f"error: {error}")
    assert "hint: " in said.err


def test_lines_are_answered_one_by_one_whatever_they_hold(place: Path) -> None:
    route = {"op": "route", "task": "t", "models": [{"name": "m", "tier": "small"}], "must_try": True}
    lines = [
        b"{",
        b"[]",
        b"\xff\xfe",
        b"",
        b"[" * 9999,
        json.dumps({"op": "hello"}).encode(),
        json.dumps(route).encode(),
    ]
    asked = subprocess.run(
        [sys.executable, "-m", "bursar", "route", "--stdio"],
        input=b"\n".join(lines) + b"\n",
        capture_output=True,
        check=True,
        cwd=place,
    )
    answers = [json.loads(line) for line in asked.stdout.splitlines()]
    assert len(answers) == len(lines)
    assert all("error" in answer for answer in answers[:5])
    assert answers[5] == {"ok": True}
    assert answers[6]["model"] == "m"
    assert asked.stderr == b""


def test_the_last_line_needs_no_end_and_the_rules_may_be_asked(place: Path) -> None:
    models = [{"name": name, "tier": tier} for name, tier in (("s", "small"), ("l", "large"))]
    asked = subprocess.run(
        [sys.executable, "-m", "bursar", "route", "--stdio", "--policy", "rules"],
        input=json.dumps({"op": "route", "task": "t", "complexity": 10, "models": models}).encode(),
        capture_output=True,
        check=True,
        cwd=place,
    )
    assert json.loads(asked.stdout) == {"model": "l", "cap_usd": None, "reason": "complexity 10"}


@pytest.mark.parametrize("policy", ["learned", "rules"])
def test_no_number_ends_it_and_none_is_called_a_bug(place: Path, policy: str) -> None:
    asked: dict[str, object] = {"op": "estimate", "measure": "cost_usd", "task": "t", "model": "m"}
    route: dict[str, object] = {"op": "route", "task": "t", "models": [{"name": "m"}], "must_try": True}
    outcome: dict[str, object] = {"op": "outcome", "task": "t", "model": "m", "verdict": "fail"}
    lines: list[dict[str, object]] = []
    for much in (1e308, 10**400, 5e-324):
        lines += [{**asked, "op": "outcome", "cost_usd": much}, {**outcome, "cost_usd": much}]
        lines += [asked, {"op": "estimate_total", "tasks": [asked] * 10}, route, {**route, "value_usd": much}]
    lines += [{"op": []}, {"op": "hello"}]
    told = subprocess.run(
        [sys.executable, "-m", "bursar", "route", "--stdio", "--policy", policy],
        input="".join(f"{json.dumps(line)}\n" for line in lines).encode(),
        capture_output=True,
        check=True,
        cwd=place,
    )
    answers = [json.loads(line) for line in told.stdout.splitlines()]
    assert len(answers) == len(lines)
    assert not [answer for answer in answers if "bug" in answer.get("error", "")]
    assert told.stderr == b""


def test_a_closed_stdin_is_its_end(place: Path) -> None:
    said = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m bursar route --stdio <&-"], capture_output=True, check=False, cwd=place
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, b"", b"")
