"""Made-up work of very different shape, and what it took; seeded."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence

from bursar.estimation import Key

Runs = Sequence[tuple[Key, float]]


def key(**known: object) -> Key:
    """Work of the measure `tokens`."""
    return Key(measure="tokens", **known)  # type: ignore[arg-type]


def by_model_and_task(seed: int, count: int = 260) -> Runs:
    """Models and tasks have levels of their own, and tasks come again."""
    luck = random.Random(seed)
    models = {f"m{number}": luck.gauss(0, 0.5) for number in range(3)}
    tasks = {f"t{number}": luck.gauss(0, 0.5) for number in range(80)}

    def one() -> tuple[Key, float]:
        model, task = luck.choice(list(models)), luck.choice(list(tasks))
        return key(model=model, task=task), math.exp(6 + models[model] + tasks[task] + luck.gauss(0, 0.4))

    return [one() for _ in range(count)]


def by_size(seed: int, count: int = 260) -> Runs:
    """Nothing but a number that is known beforehand tells what it takes."""
    luck = random.Random(seed)

    def one(number: int) -> tuple[Key, float]:
        size = luck.lognormvariate(8, 1)
        facts = {"characters": size, "luck": luck.random()}
        return key(model="m", task=str(number), facts=facts), math.exp(2 + 0.6 * math.log(size) + luck.gauss(0, 0.3))

    return [one(number) for number in range(count)]


def heavy_tails(seed: int, count: int = 260) -> Runs:
    """One in eight takes many times as long."""
    luck = random.Random(seed)

    def one(number: int) -> tuple[Key, float]:
        tail = luck.expovariate(0.7) if luck.random() < 0.125 else 0.0
        return key(model="m", type=luck.choice("ab"), task=str(number)), math.exp(4 + luck.gauss(0, 0.3) + tail)

    return [one(number) for number in range(count)]


def projects_in_a_row(seed: int, count: int = 260) -> Runs:
    """One project after the other, each at a level of its own that the first of it does not know."""
    luck = random.Random(seed)
    levels = [luck.gauss(3, 0.8) for _ in range(count)]
    made = []
    for number in range(count):
        project = number // 30
        known = key(model="m", project=f"p{project}", task=str(number), complexity=luck.randint(1, 10))
        made.append((known, math.exp(levels[project] + luck.gauss(0, 0.5))))
    return made


def drifting(seed: int, count: int = 260) -> Runs:
    """Everything gets dearer, slowly and by fits."""
    luck, level, made = random.Random(seed), 5.0, []
    for number in range(count):
        level += luck.gauss(0.004, 0.05)
        made.append((key(model="m", task=str(number)), math.exp(level + luck.gauss(0, 0.4))))
    return made


def whole_numbers(seed: int, count: int = 260) -> Runs:
    """Small counts, with many ties."""
    luck = random.Random(seed)
    return [(key(model=luck.choice("xy"), task=str(n)), float(1 + int(luck.expovariate(0.3)))) for n in range(count)]


STREAMS: dict[str, Callable[[int], Runs]] = {
    each.__name__: each
    for each in (by_model_and_task, by_size, heavy_tails, projects_in_a_row, drifting, whole_numbers)
}


def blocks(runs: Runs, size: int = 10) -> Iterator[tuple[int, Runs]]:
    """Neighbours, and where each block begins."""
    for start in range(60, len(runs) - size + 1, size):
        yield start, runs[start : start + size]
