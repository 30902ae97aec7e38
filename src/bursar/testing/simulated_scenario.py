"""What a simulated run is about: a plan, its budget and settings, and the bad luck of each conductor, from one seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bursar.budget import Limit, Unit
from bursar.graph import Graph, build_graph, plan_nodes
from bursar.journal import RequestKind
from bursar.plan import Metrics, Plan, Task, TokenRange
from bursar.run import RunLimit, RunSettings

NANO_PER_TOKEN = 10_000
_FILES = tuple(f"file{number}.txt" for number in range(6))
_BAD_LIVES = 6  # so many conductors may meet with bad luck; those after them do not, and must bring the run to its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One run, before it begins. `scale`: about how many tokens a call takes."""

    seed: int
    plan: Plan
    graph: Graph
    settings: RunSettings
    unit: Unit | None
    quantity: int
    scale: int

    def limit(self, life: int) -> RunLimit | None:
        """The limit that the user gives the life-th conductor; more each time, in the end enough for anything."""
        if self.unit is None:
            return None
        tokens = self.quantity * (1 << min(life, 20))
        if self.unit is Unit.TOKENS:
            return RunLimit(text=f"{tokens} tokens", limit=Limit(tokens, Unit.TOKENS))
        nano = tokens * NANO_PER_TOKEN
        return RunLimit(text=f"{nano / 1e9:.9f} USD", limit=Limit(nano, Unit.USD))


@dataclass(frozen=True, slots=True, kw_only=True)
class Luck:
    """What befalls one conductor.

    Attributes:
        crash_at, is_before, errors: see `Faults`.
        stop_after: seconds until it gets a signal to stop; None for never.
        ask_after, asks: seconds until somebody asks it for that; None for never.
        rival_after: seconds until somebody else tries to conduct the run, too.
        lock_lost_after: seconds until somebody else does conduct it, too: the lock is lost. None for never.
        turn_after, turn_by: when the wall clock jumps, and how far.
        pause: seconds until the next conductor.
        reboots: the machine restarts meanwhile.
    """

    crash_at: int = 0
    is_before: bool = True
    errors: Mapping[int, bool] = field(default_factory=dict)
    stop_after: float | None = None
    ask_after: float | None = None
    asks: RequestKind = RequestKind.PAUSE
    rival_after: float | None = None
    lock_lost_after: float | None = None
    turn_after: float | None = None
    turn_by: float = 0.0
    pause: float = 0.0
    reboots: bool = False


def draw_scenario(seed: int, folder: Path) -> Scenario:
    """Three to twelve tasks that wait for each other here and there, and often write the same files."""
    dice = random.Random(f"{seed}/scenario")
    tasks = _tasks(dice, dice.randint(3, 12))
    plan = Plan(path=folder / "01-01-PLAN.md", id="01-01", phase="01-sim", number="01", tasks=tasks, digest=str(seed))
    graph = build_graph(plan_nodes(plan))
    assert isinstance(graph, Graph)
    scale = dice.choice((200, 2_000, 8_000))
    return Scenario(
        seed=seed,
        plan=plan,
        graph=graph,
        settings=RunSettings(
            max_parallel=dice.randint(1, 5),
            default_hold_tokens=scale * dice.choice((2, 6)),
            attempt_limit_seconds=dice.choice((120.0, 600.0)),
            startup_delay_seconds=dice.choice((0.0, 0.0, 0.0, 1.5)),
            max_attempts=dice.choice((1, 1, 3)),
            auto_approved=frozenset({"human-verify"}),
            downgrades=dice.random() < 0.2,
        ),
        unit=dice.choice((None, Unit.TOKENS, Unit.TOKENS, Unit.USD)),
        quantity=scale * len(tasks) * dice.choice((1, 3, 10)),
        scale=scale,
    )


def _tasks(dice: random.Random, count: int) -> tuple[Task, ...]:
    tasks: list[Task] = []
    for number in range(1, count + 1):
        after = tuple(str(other) for other in range(max(1, number - 4), number) if dice.random() < 0.25)
        files = () if dice.random() < 0.15 else tuple(dice.sample(_FILES, dice.choice((1, 1, 2))))
        kind = "auto"
        if dice.random() < 0.1:
            kind, files = dice.choice(("checkpoint:human-verify", "checkpoint:decision")), ()
        own = (f"own{number}.txt",) if kind == "auto" and files else ()
        tasks.append(
            Task(
                number=str(number),
                name=f"Task {number}",
                type=kind,
                depends_on=after,
                files=(*files, *own),
                digest=f"digest-{number}",
                metrics=_metrics(dice),
            )
        )
    return tuple(tasks)


def _metrics(dice: random.Random) -> Metrics:
    estimated = TokenRange(500, dice.choice((2_000, 9_000))) if dice.random() < 0.3 else None
    return Metrics(estimated_tokens=estimated)


def draw_luck(seed: int, life: int) -> Luck:
    """The bad luck of the life-th conductor."""
    if life >= _BAD_LIVES:
        return Luck()
    dice = random.Random(f"{seed}/luck/{life}")
    kind = dice.choices(("crash", "disk", "stop", "ask", "none"), (48, 20, 8, 8, 16))[0]
    first = dice.randint(1, dice.choice((12, 60, 140)))
    return Luck(
        crash_at=first if kind == "crash" else 0,
        is_before=dice.random() < 0.5,
        errors=_errors(dice, first) if kind == "disk" else {},
        stop_after=dice.choice((0.0, 1.0, 60.0, 900.0)) * dice.random() if kind == "stop" else None,
        ask_after=dice.choice((1.0, 60.0, 900.0)) * dice.random() if kind == "ask" else None,
        asks=dice.choices(tuple(RequestKind), (5, 3, 1))[0],
        rival_after=dice.uniform(0, 300) if dice.random() < 0.3 else None,
        turn_after=dice.uniform(0, 300) if dice.random() < 0.2 else None,
        turn_by=dice.choice((-86_400.0, -3600.0, 3600.0, 40 * 86_400.0)),
        pause=dice.choice((0.0, 1.0, 60.0, 7200.0)) * dice.random(),
        reboots=dice.random() < 0.1,
        lock_lost_after=dice.choice((0.1, 3.0, 60.0, 900.0)) * dice.random() if dice.random() < 0.25 else None,
    )


def _errors(dice: random.Random, first: int) -> dict[int, bool]:
    is_plain = dice.random() < 0.5
    return dict.fromkeys(range(first, first + dice.choice((1, 1, 2, 40))), is_plain)
