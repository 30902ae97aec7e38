"""Eight agents and money for a few of them: they do not starve each other until none is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bursar.budget import Unit
from bursar.graph import Graph, build_graph, plan_nodes
from bursar.journal import TaskState
from bursar.plan import Metrics, Plan, Task, TokenRange
from bursar.run import RunSettings
from bursar.testing.simulated_agents import write_script
from bursar.testing.simulated_record import Record
from bursar.testing.simulated_scenario import Luck, Scenario
from bursar.testing.simulation import simulate
from tests.simulation.seeds import FIRST_SEED

AGENTS = range(1, 9)
SCALE = 2_000
HOLD = 4_000  # what is held blindly; the largest agents take about two and a half times as much


def need_of(seed: int, number: int) -> int:
    """What the first agent of that task takes in all, if nobody stops it."""
    script = write_script(f"run1/{number}/1", seed, is_tame=True, scale=SCALE)
    return sum(moment.begins.tokens for moment in script.moments if moment.begins is not None)


def unknown(seed: int, number: int) -> Metrics:
    """Nobody says what the task takes."""
    return Metrics()


def estimated(seed: int, number: int) -> Metrics:
    """Its author does."""
    need = need_of(seed, number)
    return Metrics(estimated_tokens=TokenRange(need * 7 // 10, need * 11 // 10))


def eight_agents(budget: int, metrics_of: Callable[[int, int], Metrics]) -> Callable[[int, Path], Scenario]:
    """Eight tasks that wait for nothing, a slot for each, and so many tokens for all."""

    def draw(seed: int, folder: Path) -> Scenario:
        tasks = tuple(
            Task(
                number=str(number),
                name=f"Task {number}",
                type="auto",
                files=(f"own{number}.txt",),
                digest=f"digest-{number}",
                metrics=metrics_of(seed, number),
            )
            for number in AGENTS
        )
        path = folder / "01-01-PLAN.md"
        plan = Plan(path=path, id="01-01", phase="01-sim", number="01", tasks=tasks, digest=str(seed))
        graph = build_graph(plan_nodes(plan))
        assert isinstance(graph, Graph)
        settings = RunSettings(max_parallel=len(AGENTS), default_hold_tokens=HOLD, attempt_limit_seconds=None)
        return Scenario(
            seed=seed, plan=plan, graph=graph, settings=settings, unit=Unit.TOKENS, quantity=budget, scale=SCALE
        )

    return draw


def conduct(seed: int, share: float, metrics_of: Callable[[int, int], Metrics]) -> Record:
    """One conductor, agents that behave, and `share` times what the largest of them takes."""
    budget = int(share * max(need_of(seed, number) for number in AGENTS))
    scenario = eight_agents(budget, metrics_of)
    return simulate(seed, luck=lambda seed, life: Luck(), scenario=scenario, most_lives=1, is_tame=True)


@pytest.mark.parametrize("metrics_of", [unknown, estimated])
@pytest.mark.parametrize("share", [1.1, 1.5, 2.5])
def test_eight_agents_do_not_starve_each_other(share: float, metrics_of: Callable[[int, int], Metrics]) -> None:
    print(f"seeds {FIRST_SEED} to {FIRST_SEED + 7}")
    for seed in range(FIRST_SEED, FIRST_SEED + 8):
        record = conduct(seed, share, metrics_of)
        done = sum(task.state is TaskState.MERGED for task in record.tasks)
        assert done >= int(share), f"seed {seed}: {record.tasks}"
        assert not record.breaches


def test_of_eight_whose_authors_are_right_none_is_cut_off() -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + 8):
        record = conduct(seed, 2.0, estimated)
        assert {row.state for row in record.attempts} == {"succeeded"}, f"seed {seed}: {record.attempts}"
