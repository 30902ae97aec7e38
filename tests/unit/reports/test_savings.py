"""What routing has saved: only as far as one can tell."""

from __future__ import annotations

import math
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


def test_what_is_done_again_is_another_work() -> None:
    """A plan or a job list that is run once more has the same numbers; what failed before is the same work."""
    again = [replace(each, key=f"again {each.key}") for each in attempts("dear", 12)]
    savings = weigh([*attempts("dear", 12), *again])
    assert (savings.tasks, savings.finished) == (24, 24)
    assert "no difference" in list(render_savings(savings))[1]
    failed = [replace(each, key=f"before {each.key}", outcome="failed") for each in again]
    assert weigh([*failed, *again]).tasks == 12


def test_what_was_not_finished_is_nothing_that_another_model_would_have_finished() -> None:
    """Half of what was paid for came to nothing: the other model is asked to finish the other half only."""
    half = [replace(each, outcome="failed") for each in attempts("middle", 20)]
    savings = weigh([*half, *attempts("dear", 20)])
    strongest = savings.alternatives[0]
    assert strongest.p50 is not None
    assert savings.finished == 20
    assert strongest.p50 < 30e9  # 20 tasks at a dollar, not 40
    nothing = weigh([replace(each, outcome="failed") for each in attempts("dear", 20)])
    assert list(render_savings(nothing))[-1] == "no task is finished: nothing to compare"


def test_what_is_not_counted_is_said() -> None:
    cut_off = [replace(each, key=f"cut {each.key}", outcome="interrupted") for each in attempts("dear", 3)]
    savings = weigh_savings(
        [*attempts("dear", 30), *cut_off], learn(attempts("dear", 30)), RANKS, seed=1, left_out=1_500
    )
    told = list(render_savings(savings))
    assert "not counted: 3 interrupted attempts, but where another one went on with the work" in told
    assert "not counted: 1,500 earlier attempts; these are the latest" in told
    assert (savings.interrupted, savings.failed_attempts, savings.tasks) == (3, 0, 30)


def escalated(seed: int, count: int = 80) -> tuple[list[Observation], float]:
    """Tasks that begin with the cheap model and go up after failures; what the dear one alone costs for as many."""
    luck = random.Random(seed)
    skill, seen, usd, solved = {"cheap": 0.3, "middle": 1.0, "dear": 1.8}, list[Observation](), 0.0, 0
    for number in range(count):
        hard, size, is_open = luck.gauss(0.3, 1), luck.lognormvariate(0, 0.4), True
        for model, level in skill.items():
            is_good = luck.random() < 1 / (1 + math.exp(2 * (hard - level)))
            cost = USD[model] * size * luck.lognormvariate(0, 0.4) * (1 if is_good else 1.5)
            if model == "dear":
                usd, solved = usd + cost, solved + is_good
            if is_open:
                outcome = "succeeded" if is_good else "failed"
                known = replace(SEEN, model=model, task=str(number), digest=str(number), key=f"{number}/{model}")
                seen.append(replace(known, nano_usd=int(1e9 * cost), outcome=outcome))
                is_open = not is_good
    finished = sum(each.outcome == "succeeded" for each in seen)
    return seen, 1e9 * usd / solved * finished


def test_a_model_that_was_asked_after_failures_only_is_not_taken_for_as_weak_as_it_looks() -> None:
    """What it would have cost lies within what is said, eight times of ten at least; seeds 0 to 19."""
    hits, shares = [], []
    for seed in range(20):
        seen, truth = escalated(seed)
        strongest = weigh(seen).alternatives[0]
        if strongest.p10 is not None and strongest.p50 is not None and strongest.p90 is not None:
            hits.append(strongest.p10 <= truth <= strongest.p90)
            shares.append(strongest.p50 / truth)
    assert len(hits) >= 15
    assert sum(hits) / len(hits) >= 0.8
    assert sorted(shares)[len(shares) // 2] < 1.3
