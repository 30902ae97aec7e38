"""What routing has saved: only as far as one can tell."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from bursar.history import Observation, learn
from bursar.reports import Savings, render_savings, savings_as_data, weigh_savings
from tests.unit.history.test_history import SEEN

RANKS = {"cheap": 0, "middle": 1, "dear": 2}
USD = {"cheap": 0.1, "middle": 0.3, "dear": 1.0}


def attempts(model: str, count: int, **rest: Any) -> list[Observation]:
    luck = random.Random(model)
    known = replace(SEEN, model=model, plan_id=model, **rest)
    return [
        replace(
            known,
            key=f"{model}{n}",
            task=str(n),
            digest=f"{model}{n}",
            nano_usd=int(1e9 * USD[model] * luck.uniform(0.8, 1.2)),
        )
        for n in range(count)
    ]


def weigh(seen: list[Observation]) -> Savings:
    return weigh_savings(seen, learn(seen), RANKS, seed=1)


def test_what_the_dear_one_would_have_cost_is_learned_from_its_own_attempts() -> None:
    savings = weigh([*attempts("cheap", 20), *attempts("dear", 20)])
    strongest, cheapest = savings.alternatives
    assert (strongest.model, cheapest.model, strongest.observations) == ("dear", "cheap", 20)
    assert strongest.p10 is not None
    assert strongest.p90 is not None
    assert 30e9 < strongest.p10 < 41e9 < strongest.p90 < 60e9  # 40 tasks at a dollar
    assert savings.paid == sum(each.nano_usd or 0 for each in [*attempts("cheap", 20), *attempts("dear", 20)])
    lines = list(render_savings(savings))
    assert "saved" in lines[1]
    assert "more was paid" in lines[2]


def test_failures_are_paid_for_and_counted() -> None:
    failed = attempts("cheap", 20, outcome="failed")
    savings = weigh([*failed, *attempts("dear", 20)])
    assert (savings.failed_attempts, savings.finished, savings.tasks) == (20, 20, 40)
    without = weigh([*attempts("cheap", 20), *attempts("dear", 20)])
    assert (savings.alternatives[1].p50 or 0) > 2 * (without.alternatives[1].p50 or 0)  # a cheap one that fails is dear


def test_a_short_history_says_so_and_nothing_else() -> None:
    savings = weigh([*attempts("cheap", 20), *attempts("dear", 9)])
    assert savings.alternatives[0].p50 is None
    assert "not enough history" in list(render_savings(savings))[1]
    assert savings_as_data(savings)["alternatives"][0]["saved_nano_usd"] is None


def test_where_the_interval_holds_what_was_paid_there_is_no_difference() -> None:
    savings = weigh(attempts("dear", 30))
    assert "no difference" in list(render_savings(savings))[1]


def test_without_any_known_cost_there_is_nothing_to_compare() -> None:
    savings = weigh([replace(each, nano_usd=None) for each in attempts("dear", 12)])
    assert savings.unpriced == 12
    assert list(render_savings(savings)) == ["no finished attempt of this project has a known cost: nothing to compare"]
