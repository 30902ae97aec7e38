"""What other programs may say to `bursar route --stdio`, and what they are answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bursar.estimation import DocumentedLearner, Estimator
from bursar.routing import BadRequest, LearnedPolicy, Policy, RouteDesk, RulesPolicy

MODELS = [{"name": "s", "tier": "small"}, {"name": "m", "tier": "medium"}, {"name": "l", "tier": "large"}]
ROUTE: dict[str, Any] = {"op": "route", "task": "t", "models": MODELS, "value_usd": 2.0, "must_try": True}


@pytest.fixture(params=[LearnedPolicy, RulesPolicy])
def desk(request: pytest.FixtureRequest) -> RouteDesk:
    policy: Policy = request.param()
    return RouteDesk(policy)


def test_every_first_attempt_names_a_model_on_offer(desk: RouteDesk) -> None:
    reply = desk.answer(ROUTE)
    assert reply["model"] in {"s", "m", "l"}
    assert reply["cap_usd"] is None or float(str(reply["cap_usd"])) > 0
    json.dumps(reply, allow_nan=False)


def test_no_money_is_no_attempt() -> None:
    assert RouteDesk(LearnedPolicy()).answer({**ROUTE, "budget_left_usd": 0})["stop"] is True


def test_what_needs_no_answer_is_acknowledged(desk: RouteDesk) -> None:
    attempt = {"task": "t", "model": "s", "verdict": "pass", "cost_usd": 0.2}
    assert desk.answer({"op": "hello", "protocol": 1}) == {"ok": True}
    assert desk.answer({"op": "outcome", **attempt, "calls": 3}) == {"ok": True}
    assert desk.answer({"op": "audit", **attempt, "solved": False}) == {"ok": True}
    assert desk.answer({"op": "of a later version"}) == {"ok": True}


def test_a_plan_is_never_capped_above_what_is_left(desk: RouteDesk) -> None:
    ready = [{"task": name, "models": MODELS, "attempts": []} for name in ("a", "b")]
    desk.answer({"op": "plan", "plan": "p", "budget_usd": 1, "models": MODELS, "tasks": [{"task": "a"}, {"task": "b"}]})
    reply = desk.answer({"op": "next", "plan": "p", "budget_left_usd": 0.05, "ready": ready})
    assert reply["task"] in {"a", "b"}
    assert 0 < float(str(reply["cap_usd"])) <= 0.05
    assert desk.answer({"op": "next", "plan": "p", "budget_left_usd": 0, "ready": ready}) == {"stop": True}


def test_estimates_are_answered_too(desk: RouteDesk) -> None:
    reply = desk.answer({"op": "estimate", "measure": "cost_usd", "task": "t", "model": "s", "type": "bug-fix"})
    assert float(str(reply["p10"])) <= float(str(reply["p50"])) <= float(str(reply["p90"]))


@pytest.mark.parametrize(
    "request_",
    [
        [],
        {},
        {"op": "route"},
        {**ROUTE, "models": []},
        {**ROUTE, "models": ["s"]},
        {**ROUTE, "value_usd": -1},
        {**ROUTE, "value_usd": float("nan")},
        {**ROUTE, "attempts": [{"model": "s", "verdict": "perhaps", "cost_usd": 1}]},
        {"op": "outcome", "task": "t", "model": "s", "verdict": "pass", "cost_usd": "much"},
        {"op": "audit", "task": "t"},
        {"op": "next", "ready": []},
        {"op": "estimate"},
        {"op": []},
        {"op": {}},
        {"op": 1},
        {**ROUTE, "attempts": [{"model": "s", "verdict": "fail", "cost_usd": 1e308}]},
        {"op": "outcome", "task": "t", "model": "s", "verdict": "pass", "cost_usd": 10**400},
        {"op": "estimate_total", "tasks": [3, {"measure": "tokens"}]},
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(desk: RouteDesk, request_: object) -> None:
    with pytest.raises(BadRequest, match=r"`|request|estimate"):
        desk.answer(request_)


@pytest.mark.parametrize("cost", [0, 1e-12, 1e12])
@pytest.mark.parametrize("verdict", ["pass", "fail", "capped"])
def test_odd_costs_and_values_hurt_nobody(verdict: str, cost: float) -> None:
    desk = RouteDesk(LearnedPolicy())
    attempt = {"model": "s", "verdict": verdict, "cost_usd": cost}
    for _ in range(30):
        desk.answer({"op": "outcome", "task": "t", **attempt})
    for value in (0, 1e-9, 1e12):
        reply = desk.answer({**ROUTE, "value_usd": value, "attempts": [attempt], "models": MODELS[1:]})
        assert reply["model"] in {"m", "l"}


@pytest.mark.parametrize("much", [1e308, pytest.param(10**400, id="400 digits")])
def test_what_is_left_and_what_a_task_is_worth_may_be_any_number(desk: RouteDesk, much: float) -> None:
    money = {"value_usd": much, "budget_left_usd": much, "complexity": much}
    assert desk.answer({**ROUTE, **money})["model"] in {"s", "m", "l"}
    reply = desk.answer({"op": "next", "budget_left_usd": much, "ready": [{**ROUTE, **money, "attempts": []}]})
    assert reply["task"] == "t"
    json.dumps(reply, allow_nan=False)


def test_a_cost_that_nobody_can_believe_spoils_no_later_answer() -> None:
    desk = RouteDesk(LearnedPolicy())
    before = desk.answer(ROUTE)
    for number in range(40):
        told = {"op": "outcome", "task": f"t{number}", "model": "s", "verdict": "fail", "cost_usd": 1e308}
        with pytest.raises(BadRequest, match="cost_usd"):
            desk.answer(told)
    assert desk.answer(ROUTE) == before


@pytest.mark.parametrize("learner", [Estimator, DocumentedLearner])
@pytest.mark.parametrize("value", [1e308, 1e300, 5e-324, pytest.param(10**400, id="400 digits")])
def test_totals_of_the_most_and_the_least_are_numbers(learner: type[Estimator], value: float) -> None:
    desk = RouteDesk(RulesPolicy(), learner())
    asked = {"op": "estimate", "measure": "cost_usd", "task": "t", "model": "s"}
    for _ in range(12):
        desk.answer({**asked, "op": "outcome", "cost_usd": value})
    for reply in (desk.answer(asked), desk.answer({"op": "estimate_total", "tasks": [asked] * 100})):
        json.dumps(reply, allow_nan=False)
        assert float(str(reply["p10"])) <= float(str(reply["p50"])) <= float(str(reply["p90"]))


def test_what_is_said_anew_of_a_task_goes_before_and_what_is_not_said_stays() -> None:
    desk = RouteDesk(RulesPolicy())
    asked = {name: ROUTE[name] for name in ("op", "task", "models", "must_try")}
    assert desk.answer({**asked, "complexity": 2, "text": "words"})["model"] == "s"
    assert desk.answer(asked)["model"] == "s"
    assert desk.answer({**asked, "complexity": 10})["model"] == "l"
    assert desk.answer({**asked, "complexity": None})["model"] == "l"
