"""Rates of success: no outcome counts twice, and what is said to be nearly sure nearly always happens."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import pytest

from bursar.estimation import Key, SuccessRates
from tests.unit.estimation.streams import key

SEEDS = range(60)
OUTCOMES = 150


def some(**known: object) -> Key:
    return key(**{"model": "m", "type": "t", "complexity": 5} | known)


@pytest.mark.parametrize("other", [{}, {"complexity": 6}, {"type": "u"}, {"model": "n"}])
def test_seven_good_outcomes_are_seven_wherever_they_were_seen(other: dict[str, object]) -> None:
    """Not four times seven, because four groups have them; they say the same of work that shares any of the groups."""
    rates = SuccessRates()
    for _ in range(7):
        rates.observe(some(), True)
    assert rates.estimate(some(**other)).rate == pytest.approx((7 + 6 * 0.85) / (7 + 6))


def test_what_was_seen_of_the_very_same_goes_before_the_rest() -> None:
    rates = SuccessRates()
    for _ in range(20):
        rates.observe(some(), True)
        rates.observe(some(complexity=9), False)
    easy, hard, neither = (rates.estimate(some(complexity=each)).rate for each in (5, 9, 3))
    assert hard < 0.3 < neither < 0.7 < easy


def said_and_seen(spread: float) -> Iterator[tuple[float, bool]]:
    """In made-up worlds, where models, types and complexities differ by so much in log odds."""
    for seed in SEEDS:
        luck = random.Random(seed)
        base = math.log(1 / luck.uniform(0.05, 0.6) - 1)
        models, types = ([luck.gauss(0, spread) for _ in range(size)] for size in (3, 4))
        rates = SuccessRates()
        for _ in range(OUTCOMES):
            model, type_, complexity = luck.randrange(3), luck.randrange(4), luck.choice((2, 5, 8))
            odds = math.exp(base + models[model] + types[type_] - 0.15 * (complexity - 5))
            work, is_good = some(model=model, type=type_, complexity=complexity), luck.random() < odds / (1 + odds)
            yield rates.estimate(work).rate, is_good
            rates.observe(work, is_good)


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
def test_nine_of_ten_are_about_nine_of_ten(spread: float) -> None:
    """Of 0.9 and more, which is 0.95 on average: who counts outcomes twice promises more, and keeps less."""
    sure = [(said, is_good) for said, is_good in said_and_seen(spread) if said > 0.9]
    assert len(sure) > 500
    promised, kept = sum(said for said, _ in sure) / len(sure), sum(is_good for _, is_good in sure) / len(sure)
    assert kept > promised - 0.08, f"seeds {SEEDS}: {promised:.3f} said, {kept:.3f} kept"
