"""What is learned decides what is held; those of whom nobody knows anything leave each other room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.budget import Balance, Budget, Limit, OnLimit, Unit
from bursar.estimation import Estimate
from bursar.run.expectations import Expectation
from bursar.run.holds import Hold, choose_hold, leaves_room_to_grow
from tests.unit.run.test_holds import ESTIMATE, RATES


def expectation(observations: int, nano_usd_p90: int | None = None) -> Expectation:
    return Expectation(tokens_p50=90_000, tokens_p90=120_000, nano_usd_p90=nano_usd_p90, observations=observations)


def hold(expected: Expectation | None, estimate: Estimate | None = None, token_budget: int | None = None) -> Hold:
    return choose_hold(estimate, token_budget, 50_000, rates=RATES, model="m", expected=expected)


@pytest.mark.parametrize(
    ("expected", "estimate", "token_budget", "tokens", "minimum"),
    [
        (expectation(10), None, None, 120_000, 120_000),
        (expectation(10), ESTIMATE, None, 120_000, 120_000),
        (expectation(10), ESTIMATE, 70_000, 70_000, 70_000),
        (expectation(9), ESTIMATE, None, 1_000, 1_000),
        (expectation(9), None, 70_000, 70_000, 1),
        (expectation(3), None, None, 120_000, 90_000),
        (None, None, None, 50_000, 1),
    ],
)
def test_many_outcomes_go_before_the_author_and_few_before_the_default_alone(
    expected: Expectation | None, estimate: Estimate | None, token_budget: int | None, tokens: int, minimum: int
) -> None:
    chosen = hold(expected, estimate, token_budget)
    assert (chosen.amount.tokens, chosen.minimum.tokens) == (tokens, minimum)
    assert chosen.is_blind is (chosen.source == "default")


def test_what_such_attempts_have_cost_goes_before_the_list_price_of_all_their_tokens() -> None:
    assert hold(expectation(10, nano_usd_p90=77)).amount.nano_usd == 77
    assert hold(expectation(10)).amount.nano_usd == 240_000


def test_a_model_without_a_price_stays_unknown() -> None:
    chosen = choose_hold(None, None, 1, rates=RATES, model="nobody knows", expected=expectation(10, nano_usd_p90=77))
    assert chosen.amount.nano_usd is None


def balance(available: int, on_limit: OnLimit = OnLimit.BLOCK) -> Balance:
    budget = Budget(name="b", limit=Limit(1_000_000, Unit.TOKENS), on_limit=on_limit)
    return Balance(budget=budget, spent=1_000_000 - available, reserved=0, metered=0)


@pytest.mark.parametrize(
    ("running", "available", "may"),
    [(0, 1, True), (1, 100_000, True), (1, 99_999, False), (2, 150_000, True), (3, 150_000, False)],
)
def test_a_blind_attempt_leaves_each_other_blind_one_as_much_again(running: int, available: int, may: bool) -> None:
    assert leaves_room_to_grow(hold(None), running, [balance(available)]) is may


@given(st.integers(0, 100), st.integers(0, 1_000_000))
def test_what_is_known_is_never_kept_waiting(running: int, available: int) -> None:
    assert leaves_room_to_grow(hold(expectation(10)), running, [balance(available)])
    assert leaves_room_to_grow(hold(None, ESTIMATE), running, [balance(available)])


def test_a_budget_that_blocks_nothing_keeps_nobody_waiting() -> None:
    assert leaves_room_to_grow(hold(None), 5, [balance(1, OnLimit.WARN)])
    assert leaves_room_to_grow(hold(None), 5, [])
