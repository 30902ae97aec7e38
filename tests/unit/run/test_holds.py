"""How much is held for an attempt before it starts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.budget import Amount, Limit, Unit
from bursar.estimation import Estimate
from bursar.pricing import RateTable
from bursar.run.holds import Hold, choose_hold, price_of_tokens, within_cap

FEMTO = 1_000_000
RATES = RateTable.from_data(
    {
        "dated": "",
        "models": [
            {
                "model": "m",
                "match": ["equals", "m"],
                "rates": {"input_tokens": [FEMTO], "output_tokens": [11 * FEMTO]},
            }
        ],
    }
)
ESTIMATE = Estimate(tokens_p10=100, tokens_p50=300, tokens_p90=1000, source="")


@pytest.mark.parametrize(
    ("estimate", "token_budget", "tokens", "minimum"),
    [
        (ESTIMATE, None, 1000, 1000),
        (ESTIMATE, 400, 400, 400),
        (ESTIMATE, 5000, 1000, 1000),
        (None, 400, 400, 1),
        (None, 99_000, 99_000, 1),
        (None, None, 50_000, 1),
    ],
)
def test_an_estimate_goes_before_the_tasks_budget_and_that_before_the_default(
    estimate: Estimate | None, token_budget: int | None, tokens: int, minimum: int
) -> None:
    hold = choose_hold(estimate, token_budget, 50_000, rates=RATES, model="m")
    assert (hold.amount.tokens, hold.minimum.tokens) == (tokens, minimum)
    assert hold.amount.nano_usd == tokens * 2  # nine parts at 1, one at 11
    assert hold.source


def test_a_model_without_a_price_is_held_for_at_an_unknown_cost() -> None:
    hold = choose_hold(None, None, 1000, rates=RATES, model="nobody knows")
    assert (hold.amount, hold.minimum) == (Amount(1000, None), Amount(1, None))


@given(st.integers(1, 10**9))
def test_one_token_in_ten_is_priced_as_output_rounded_up(tokens: int) -> None:
    output = -(-tokens // 10)
    assert price_of_tokens(tokens, RATES, "m") == Amount(tokens, tokens - output + 11 * output)


@pytest.mark.parametrize(
    ("cap", "amount", "minimum"),
    [
        (None, Amount(1000, 500), Amount(1000, 500)),
        (Limit(500, Unit.USD), Amount(1000, 500), Amount(1000, 500)),
        (Limit(100, Unit.USD), Amount(200, 100), Amount(200, 100)),
        (Limit(250, Unit.TOKENS), Amount(250, 125), Amount(250, 125)),
        (Limit(1, Unit.USD), Amount(2, 1), Amount(2, 1)),
    ],
)
def test_no_more_is_held_than_an_attempts_cap_leaves_it(cap: Limit | None, amount: Amount, minimum: Amount) -> None:
    """Else what was learned of attempts without a cap would never fit, and the task would never start."""
    wanted = Amount(1000, 500)
    capped = within_cap(Hold(amount=wanted, minimum=wanted, source="learned"), cap)
    assert (capped.amount, capped.minimum) == (amount, minimum)


def test_a_cap_in_usd_says_nothing_of_a_cost_that_is_unknown() -> None:
    wanted = Amount(1000, None)
    capped = within_cap(Hold(amount=wanted, minimum=wanted, source="learned"), Limit(1, Unit.USD))
    assert capped.amount == wanted
