"""Which models would be asked one after the other, said before the first has tried."""

from __future__ import annotations

import pytest

from bursar.routing import AttemptVerdict, Facts, LearnedPolicy, Offer, PastAttempt, Purchase, expected_ladder

OFFERS = (Offer("a", "small"), Offer("b", "medium"), Offer("c", "large"))
COSTS = {"a": 0.1, "b": 0.4, "c": 1.0}


def seasoned() -> LearnedPolicy:
    """Each model has succeeded where the one before it has failed, half of the time."""
    policy = LearnedPolicy()
    for number in range(90):
        for model in list("abc")[: 1 + number % 3]:
            verdict = AttemptVerdict.PASS if model == "abc"[number % 3] else AttemptVerdict.FAIL
            policy.observe(f"t{number}", Facts(), PastAttempt(model, verdict, COSTS[model]))
    return policy


def purchase(value_usd: float) -> Purchase:
    return Purchase(task="new", facts=Facts(), offers=OFFERS, value_usd=value_usd)


@pytest.mark.parametrize(("value_usd", "most", "models"), [(3.0, 3, ["a", "b", "c"]), (3.0, 2, ["a", "b"])])
def test_the_cheap_first_and_the_dear_after_their_failures(value_usd: float, most: int, models: list[str]) -> None:
    assert expected_ladder(seasoned(), purchase(value_usd), most) == models


def test_where_the_next_is_not_worth_its_price_the_ladder_ends() -> None:
    assert expected_ladder(seasoned(), purchase(0.3), 3) == ["a"]


def test_asking_teaches_nothing() -> None:
    policy = seasoned()
    before = policy.choose(purchase(3.0))
    expected_ladder(policy, purchase(3.0), 3)
    assert (policy.choose(purchase(3.0)), policy.learner.outcomes) == (before, seasoned().learner.outcomes)
