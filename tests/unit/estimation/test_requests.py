"""Estimates asked for as objects of JSON."""

from __future__ import annotations

from typing import Any

import pytest

from bursar.estimation import EstimateDesk, Estimator, is_about_estimates

ASKED: dict[str, Any] = {
    "op": "estimate",
    "task": "t",
    "type": "bug-fix",
    "project": "p",
    "complexity": 3,
    "model": "m",
    "measure": "cost_usd",
    "facts": {"files": 3},
    "text": "words",
}


def test_it_learns_from_outcomes_with_the_facts_of_what_was_asked_before() -> None:
    desk = EstimateDesk(Estimator())
    for number in range(40):
        asked = ASKED | {"task": f"t{number}", "facts": {"size": float(10 ** (number % 4))}}
        desk.answer(asked)
        told = {name: asked[name] for name in ("task", "type", "project", "complexity", "model", "measure")}
        assert desk.answer({"op": "outcome", **told, "cost_usd": 2.0 ** (number % 4)}) == {"ok": True}
    small, large = (desk.answer(ASKED | {"facts": {"size": size}}) for size in (1.0, 1000.0))
    assert float(str(large["p50"])) > 3 * float(str(small["p50"]))
    assert small["observations"] == 40


def test_totals_are_of_their_tasks() -> None:
    desk = EstimateDesk(Estimator())
    said = desk.answer({"op": "estimate_total", "measure": "cost_usd", "tasks": [ASKED, ASKED]})
    assert said["p50"] == pytest.approx(1.0)  # twice what is usual


@pytest.mark.parametrize("wrong", [{"measure": None}, {"measure": ""}, {"op": "estimate_total", "tasks": []}])
def test_what_asks_for_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"measure|total"):
        EstimateDesk(Estimator()).answer(ASKED | wrong)


@pytest.mark.parametrize(
    "odd", [{"complexity": "high"}, {"complexity": 900}, {"facts": []}, {"text": 7}, {"model": None}]
)
def test_what_is_said_wrongly_is_unknown(odd: dict[str, Any]) -> None:
    assert EstimateDesk(Estimator()).answer(ASKED | odd)["p50"] == pytest.approx(0.5)


def test_an_outcome_without_a_value_changes_nothing() -> None:
    estimator = Estimator()
    EstimateDesk(estimator).answer({"op": "outcome", "measure": "cost_usd", "cost_usd": None})
    assert estimator.observations("cost_usd") == 0


def test_which_operations_are_its_own() -> None:
    assert is_about_estimates(ASKED)
    assert is_about_estimates({"op": "outcome", "measure": "calls"})
    assert not is_about_estimates({"op": "outcome"})
    assert not is_about_estimates({"op": "route", "measure": "calls"})
