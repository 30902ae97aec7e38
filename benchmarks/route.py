"""`python -m benchmarks.route`: what the policies bring in made-up worlds, and what one choice costs in CPU time.

The first table says per cent of what the best fixed order of models would have brought, chosen in hindsight: 300 tasks
from an empty history, each worth so many times the mean cost of an attempt. The second, CPU time per choice.
"""

from __future__ import annotations

import time

from benchmarks.routing_worlds import OFFERS, WORLDS, attempt_at, best_ladder, build_world, play, usual_cost

from bursar.routing import Facts, LearnedPolicy, Policy, Purchase, RulesPolicy

TASKS = 300
SEEDS = range(3)
VALUES = (1.0, 3.0, 10.0, 50.0)
HISTORIES = (0, 100, 1_000, 10_000)
CHOICES = 200


def main() -> None:
    """Prints both tables."""
    print(f"{'world':<26}" + "".join(f"{f'x{value:g}':>14}" for value in VALUES) + "    (learned / rules, %)")
    for name in WORLDS:
        cells = [
            f"{brought(LearnedPolicy, name, value):.0f} / {brought(RulesPolicy, name, value):.0f}" for value in VALUES
        ]
        print(f"{name:<26}" + "".join(f"{cell:>14}" for cell in cells))
    print(f"\n{'attempts learned from':<26}{'µs a choice':>14}{'µs an outcome':>16}")
    for history in HISTORIES:
        choice, outcome = cpu_of(history)
        print(f"{history:<26,}{choice:>14,.0f}{outcome:>16,.0f}")


def brought(policy: type[LearnedPolicy] | type[RulesPolicy], name: str, value: float) -> float:
    """Per cent of what the best fixed order brings, over all seeds."""
    got = best = 0.0
    for seed in SEEDS:
        world = build_world(name, TASKS, seed)
        worth = value * usual_cost(world)
        got += sum(play(policy(), world, worth)) / TASKS
        best += best_ladder(world, worth)
    return 100 * got / best


def cpu_of(history: int) -> tuple[float, float]:
    """Microseconds of one choice for a fresh task, and of one outcome, after so many attempts."""
    policy: Policy = LearnedPolicy()
    world = build_world("dearer is better", history or 1, 0)
    began = time.process_time()
    for number, task in enumerate(world[:history]):
        policy.observe(str(number), Facts("bug-fix", "world"), attempt_at(task, OFFERS[number % 3].name, None))
    learned = time.process_time()
    for number in range(CHOICES):
        policy.choose(Purchase(task=f"new-{number}", facts=Facts("bug-fix", "world"), offers=OFFERS, value_usd=2.0))
    chosen = time.process_time()
    return 1e6 * (chosen - learned) / CHOICES, 1e6 * (learned - began) / max(history, 1)


if __name__ == "__main__":
    main()
