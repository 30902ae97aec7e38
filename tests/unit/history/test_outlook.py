"""What is told of a budget comes true as often as is told: worlds are made up, played, and played on."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from functools import cache
from statistics import fmean

import pytest

from bursar.budget import Limit, Unit
from bursar.history import Basis, Experience, Observation, Work, estimate_works, learn, weigh
from bursar.plan import Task
from tests.unit.history.test_history import SEEN

WORLDS, PLAYS = range(24), 80
LEVELS = {"haiku": 0.9, "sonnet": 1.6, "opus": 2.6}  # in logits, on a usual task
USD = {"haiku": 0.2, "sonnet": 0.4, "opus": 0.8}
TASKS = [Task(number=str(number), name="It", files=("it.py",), digest=f"new {number}") for number in range(8)]
SHARES = (0.3, 0.6, 0.9)


def attempts_at_one(luck: random.Random) -> list[tuple[str, bool, float]]:
    """Model by model, up to the first that succeeds: models fail together, and what is dear for one is for all."""
    hard, size, made = luck.gauss(0, 1.5), luck.lognormvariate(0, 0.5), list[tuple[str, bool, float]]()
    for model, level in LEVELS.items():
        is_good = luck.random() < 1 / (1 + math.exp(hard - level))
        made.append((model, is_good, USD[model] * size * luck.lognormvariate(0, 0.4) * (1.0 if is_good else 1.4)))
        if is_good:
            break
    return made


def experience(luck: random.Random) -> Experience:
    """Eighty tasks."""
    seen: list[Observation] = []
    for number in range(80):
        for model, is_good, usd in attempts_at_one(luck):
            took = replace(SEEN, tokens=int(usd * 3e5), nano_usd=int(usd * 1e9), task_type="simple-impl")
            outcome, key = "succeeded" if is_good else "failed", f"r/{number}/{model}"
            seen.append(replace(took, model=model, outcome=outcome, key=key, digest=str(number)))
    return learn(seen)


@cache
def told_and_true() -> dict[float, tuple[float, float, float]]:
    """By the share of the draws that the money pays for: how often all is done, as told and in truth; and how often
    it pays for all that is begun, in truth.
    """
    found: dict[float, list[tuple[float, float, float]]] = {share: [] for share in SHARES}
    for world in WORLDS:
        luck = random.Random(world)
        basis = Basis(
            experience=experience(luck),
            project="/p",
            ladder_of=lambda _: list(LEVELS),
            price_of=lambda _: None,
            attempts=3,
            slots=3,
            seed=1,
        )
        estimated = estimate_works([Work(name=task.number, task=task) for task in TASKS], basis)
        plays = [[attempts_at_one(luck) for _ in TASKS] for _ in range(PLAYS)]
        costs = [sum(usd for task in play for _, _, usd in task) for play in plays]
        are_done = [all(task[-1][1] for task in play) for play in plays]
        for share in SHARES:
            usd = sorted(estimated.whole.amounts["cost_usd"].tolist())[int(share * 1000) - 1]
            told = weigh(estimated, Limit(int(usd * 1e9), Unit.USD)).probability
            pays = [cost <= usd for cost in costs]
            true = fmean(is_paid and is_done for is_paid, is_done in zip(pays, are_done, strict=True))
            found[share].append((told, true, fmean(pays)))
    return {share: (*(fmean(column) for column in zip(*rows, strict=True)),) for share, rows in found.items()}  # type: ignore[misc]


@pytest.mark.parametrize("share", SHARES)
def test_a_budget_finishes_the_work_as_often_as_is_told(share: float) -> None:
    told, true, pays = told_and_true()[share]
    assert told == pytest.approx(true, abs=0.08), f"worlds {WORLDS}"
    assert pays == pytest.approx(share, abs=0.09), f"worlds {WORLDS}"
