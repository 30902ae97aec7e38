"""The documented rules as a policy: tiers by complexity, a cheaper one for a large share, one up after a failure."""

from __future__ import annotations

import pytest

from bursar.routing import AttemptVerdict, Facts, Offer, PastAttempt, Purchase, RulesPolicy

OFFERS = (Offer("s", "small"), Offer("m", "medium"), Offer("l", "large"))


def purchase(complexity: float | None = 5, text: str = "", left: float | None = None, *failed: str) -> Purchase:
    attempts = tuple(PastAttempt(model, AttemptVerdict.FAIL, 0.1) for model in failed)
    offers = tuple(offer for offer in OFFERS if offer.name not in failed)
    facts = Facts(complexity=complexity, text=text)
    return Purchase(task="t", facts=facts, offers=offers, attempts=attempts, budget_left_usd=left)


@pytest.mark.parametrize(("complexity", "model"), [(1, "s"), (3, "s"), (4, "m"), (8, "m"), (9, "l"), (10, "l")])
def test_tiers_by_complexity(complexity: int, model: str) -> None:
    assert RulesPolicy().choose(purchase(complexity)).model == model


def test_without_a_complexity_the_text_is_scored() -> None:
    assert RulesPolicy().choose(purchase(None, "Read\nRead it all")).model == "s"
    assert RulesPolicy().choose(purchase(None, "Decide\nResearch the architecture")).model == "l"


@pytest.mark.parametrize(
    ("complexity", "left", "model"),
    [
        (9, 10.0, "l"),  # 0.12 USD of 10
        (9, 0.5, "m"),  # the large tier would take 24 %, the medium one 10 %
        (9, 0.1, "l"),  # the next cheaper one would take too much as well: the documents leave the first choice
        (5, 0.2, "s"),  # 25 % against 6 %
        (2, 0.001, "s"),
    ],
)
def test_no_task_takes_more_than_15_percent_of_what_remains_if_the_next_tier_takes_less(
    complexity: int, left: float, model: str
) -> None:
    assert RulesPolicy().choose(purchase(complexity, "", left)).model == model


@pytest.mark.parametrize(
    ("complexity", "failed", "model"),
    [(2, ("s",), "m"), (2, ("s", "m"), "l"), (5, ("m",), "l"), (5, ("m", "l"), None), (9, ("l",), None)],
)
def test_a_failure_goes_one_tier_up_and_never_down(complexity: int, failed: tuple[str, ...], model: str | None) -> None:
    assert RulesPolicy().choose(purchase(complexity, "", None, *failed)).model == model


def test_a_plan_is_done_task_by_task() -> None:
    choice = RulesPolicy().choose_next([purchase(2, "", None, "s"), purchase(2)], 3.0)
    assert choice is not None
    assert (choice.model, choice.cap_usd) == ("m", 3.0)
    assert RulesPolicy().choose_next([purchase(9, "", None, "l")], 3.0) is None
