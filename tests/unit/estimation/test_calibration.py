"""What intervals keep, stage by stage, in three made-up worlds that nothing was tried in while it was built.

Four hundred or more outcomes stand behind each share, those of one world alike: of 0.80, 0.72 to 0.88 is chance.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import pytest

from bursar.estimation import Estimator
from tests.unit.estimation.streams import Runs, key

pytestmark = pytest.mark.faults  # ten seconds of arithmetic; test_estimator.py asks for the same in one world
LONG, SHORT = range(3), range(3, 20)  # seeds of worlds with so many outcomes
COUNT, FEW = 150, 30


def skewed(luck: random.Random, count: int) -> Runs:
    """Types, models, complexities; tasks come again. What is left over is skewed."""
    types, models = ([luck.gauss(0, spread) for _ in range(size)] for spread, size in ((0.6, 6), (0.4, 4)))
    tasks = [(luck.randrange(6), luck.randint(1, 10), luck.gauss(0, 0.3)) for _ in range(70)]
    runs = []
    for _ in range(count):
        number, model = luck.randrange(len(tasks)), luck.randrange(len(models))
        kind, complexity, own = tasks[number]
        known = key(model=f"m{model}", type=f"t{kind}", complexity=complexity, project="p", task=f"k{number}")
        usual = math.exp(9 + types[kind] + models[model] + 0.08 * complexity + own)
        runs.append((known, usual * luck.gammavariate(2.5, 0.4)))
    return runs


def two_humps(luck: random.Random, count: int) -> Runs:
    """An attempt goes straight through or wanders off, how often is the type's; how much else varies is the model's."""
    wander, noise = ([luck.uniform(low, high) for _ in range(4)] for low, high in ((0.1, 0.5), (0.2, 0.7)))
    runs = []
    for number in range(count):
        kind, model = luck.randrange(4), luck.randrange(3)
        known = key(model=f"m{model}", type=f"t{kind}", complexity=luck.choice([None, 3, 7]), task=f"k{number}")
        far = luck.uniform(1, 2) if luck.random() < wander[kind] else 0.0
        runs.append((known, math.exp(10 + luck.gauss(0, noise[model]) + far)))
    return runs


def regimes(luck: random.Random, count: int) -> Runs:
    """Levels jump when a model is replaced, tails are heavy, and most kinds are seen once."""
    level, runs = luck.gauss(8, 1), []
    for number in range(count):
        level += luck.choice([-0.7, 0.7]) if luck.random() < 1 / 70 else 0.0
        heavy = luck.gauss(0, 1) / math.sqrt(luck.gammavariate(2, 0.5))
        files = luck.randint(1, 9)
        known = key(
            model=f"m{luck.randrange(5)}",
            type=f"t{luck.randrange(12)}",
            complexity=luck.randint(1, 10),
            task=f"k{number}",
            facts={"files": files},
        )
        runs.append((known, math.exp(level + 0.25 * math.log(files) + 0.5 * heavy)))
    return runs


WORLDS: Sequence[Callable[[random.Random, int], Runs]] = (skewed, two_humps, regimes)


@cache
def kept() -> tuple[Counter[str], Counter[str]]:
    """Outcomes that lay within what was said before them, and all of them; by stage, by how often the kind was seen."""
    within, all_ = Counter[str](), Counter[str]()
    for world in WORLDS:
        for seed in (*LONG, *SHORT):
            runs = world(random.Random(f"{world.__name__}/{seed}"), COUNT if seed in LONG else FEW)
            for name, is_within in play(runs):
                all_[name] += 1
                within[name] += is_within
    return within, all_


def play(runs: Runs) -> Iterator[tuple[str, bool]]:
    """What each outcome counts for, and whether it lay within; also of totals of ten."""
    estimator = Estimator()
    for number, (work, value) in enumerate(runs):
        block = runs[number : number + 10]
        if number >= 30 and number % 5 == 0 and len(block) == 10:
            said = estimator.estimate_total([each for each, _ in block])
            yield "totals of ten", said.p10 <= sum(took for _, took in block) <= said.p90
        said = estimator.estimate(work)
        estimator.observe(work, value)
        if number < 10:
            continue
        is_within = said.p10 <= value <= said.p90
        yield "runs 10 to 29" if number < 30 else "runs 30 to 99" if number < 100 else "runs from 100 on", is_within
        yield "kinds never seen" if not said.alike else "kinds seen once or twice" if said.alike < 3 else "", is_within
        yield ("too low" if value < said.p10 else "too high" if value > said.p90 else ""), True


@pytest.mark.parametrize(
    "stage", ["runs 10 to 29", "runs 30 to 99", "runs from 100 on", "kinds never seen", "kinds seen once or twice"]
)
def test_eight_of_ten_are_kept_at_every_stage(stage: str) -> None:
    within, all_ = kept()
    assert all_[stage] >= 400
    assert 0.72 <= within[stage] / all_[stage] <= 0.88, f"seeds {LONG}, {SHORT}: {within[stage]} of {all_[stage]}"


def test_totals_of_ten_are_kept_about_as_often() -> None:
    """They overlap, as here every fifth is asked for: that makes them fewer than they look."""
    within, all_ = kept()
    share = within["totals of ten"] / all_["totals of ten"]
    assert 0.66 <= share <= 0.92, f"seeds {LONG}: {share:.2f} of {all_['totals of ten']}"


def test_as_many_lie_below_as_above() -> None:
    within, all_ = kept()
    outcomes = sum(all_[stage] for stage in all_ if stage.startswith("runs "))
    assert 0.08 <= within["too low"] / outcomes <= 0.14
    assert 0.08 <= within["too high"] / outcomes <= 0.14
