"""How near the scheduler comes to the shortest time possible, and how much faster than wave by wave.

    python benchmarks/schedule.py [--graphs 200] [--slots 5] [--seed 1] [--tasks 10000]

Nothing runs: the real scheduler decides, and a list of times stands for the agents. `ratio` is the makespan over a
lower bound: the longest of the critical path by dependencies, the work at one file, all work over the slots. A task
takes a median of 7 minutes; `spread` is the 90th percentile over the 10th. The scheduler is told nothing (`plain`), an
estimate that is off by a factor of 1.6 one time in three (`estimated`), or the truth (`exact`); `waves` starts a wave
when the one before has ended. Aim: mean of `estimated` ≤ 1.05; 10,000 tasks in ≤ 1 ms each and ≤ 300 MB.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bursar.graph import Graph, Node, build_graph
from bursar.run.scheduler import Scheduler

MEDIAN_MINUTES = 7.0
SPREADS = (4.0, 10.0, 22.0)
ESTIMATE_SIGMA = math.log(1.6)
P90 = 1.2816  # standard deviations of a normal distribution


@dataclass(frozen=True, slots=True)
class Work:
    """A graph and how long each of its nodes takes, in minutes."""

    graph: Graph
    minutes: Mapping[str, float]


def plan(random_: random.Random) -> list[Node]:
    """One plan: a few tasks in a row, some of them free to run beside."""
    return tasks("", random_.randint(3, 12), random_, free=0.5)


def roadmap(random_: random.Random) -> list[Node]:
    """Phases in a row or side by side; in each plans in up to three waves; in each plan two to four tasks in a row."""
    nodes: list[Node] = []
    ends: list[list[str]] = []
    for phase in range(random_.randint(3, 12)):
        before = ends[-1] if ends and random_.random() < 0.7 else random_.choice(ends) if ends else []
        ends.append(phase_of(phase, before, nodes, random_))
    return nodes


def phase_of(phase: int, before: Sequence[str], nodes: list[Node], random_: random.Random) -> list[str]:
    """Adds one phase's tasks; the last tasks of its last plans."""
    last = list(before)
    for wave in range(random_.randint(1, 3)):
        ended: list[str] = []
        for number in range(random_.choice((1, 1, 2, 2, 3, 4))):
            waits = tuple(last)
            for task in range(random_.randint(2, 4)):
                key = f"{phase}-{wave}-{number}/{task}"
                nodes.append(Node(key, waits, (f"src/m{phase}/f{random_.randint(0, 40)}.py",)))
                waits = (key,)
            ended += waits
        last = ended
    return last


def layered(random_: random.Random) -> list[Node]:
    """Layers of any width; each node waits for one to three of the layer before."""
    nodes: list[Node] = []
    above: list[str] = []
    for layer in range(random_.randint(2, 10)):
        here = [f"{layer}/{n}" for n in range(random_.randint(1, 12))]
        for key in here:
            waits = random_.sample(above, min(len(above), random_.randint(1, 3)))
            nodes.append(Node(key, tuple(waits), (f"f{random_.randint(0, 60)}",)))
        above = here
    return nodes


def chains(random_: random.Random) -> list[Node]:
    """Chains of unlike length that have nothing to do with each other."""
    return [
        Node(f"{chain}/{n}", (f"{chain}/{n - 1}",) if n else ())
        for chain in range(random_.randint(4, 12))
        for n in range(random_.randint(1, 12))
    ]


def sparse(random_: random.Random) -> list[Node]:
    """Any earlier nodes may be waited for; files are shared now and then."""
    return tasks("", random_.randint(15, 80), random_, free=0.3)


def tasks(prefix: str, count: int, random_: random.Random, *, free: float) -> list[Node]:
    """Nodes of which each waits for one or two earlier ones, or for none."""
    nodes: list[Node] = []
    for n in range(count):
        waits = [] if random_.random() < free else [random_.randrange(n) for _ in range(random_.randint(1, 2)) if n]
        files = (f"f{random_.randint(0, count)}", f"g{n}")
        nodes.append(Node(f"{prefix}{n}", tuple(f"{prefix}{each}" for each in dict.fromkeys(waits)), files))
    return nodes


SHAPES: Sequence[Callable[[random.Random], list[Node]]] = (plan, roadmap, layered, chains, sparse)


def make_work(nodes: Sequence[Node], spread: float, random_: random.Random) -> Work:
    """The nodes with times drawn from a log-normal distribution of that spread."""
    graph = build_graph(nodes)
    assert isinstance(graph, Graph)
    sigma = math.log(spread) / (2 * P90)
    return Work(graph, {node.key: MEDIAN_MINUTES * math.exp(random_.gauss(0, sigma)) for node in graph.nodes})


def lower_bound(work: Work, slots: int) -> float:
    """No schedule is shorter, whatever it knows."""
    by_file: dict[str, float] = {}
    ends: dict[str, float] = {}
    nodes = by_key(work.graph)
    for key in work.graph.order:
        node = nodes[key]
        ends[key] = work.minutes[key] + max((ends[name] for name in node.depends_on), default=0.0)
        for file in set(node.files):
            by_file[file] = by_file.get(file, 0.0) + work.minutes[key]
    return max(max(ends.values()), sum(work.minutes.values()) / slots, max(by_file.values(), default=0.0))


def by_key(graph: Graph) -> Mapping[str, Node]:
    """The nodes by their keys."""
    return {node.key: node for node in graph.nodes}


def makespan(work: Work, slots: int, lengths: Mapping[str, float] | None) -> float:
    """Minutes until all is done, with the real scheduler."""
    scheduler = Scheduler(work.graph, lengths=lengths)
    running: list[tuple[float, str]] = []
    now = 0.0
    while True:
        for key in scheduler.offers():
            if len(running) >= slots:
                break
            scheduler.started(key)
            heapq.heappush(running, (now + work.minutes[key], key))
        if not running:
            return now
        now, key = heapq.heappop(running)
        scheduler.done(key)


def by_waves(work: Work, slots: int) -> float:
    """Minutes until all is done where a wave waits for the one before; in each, writers of one file take turns."""
    nodes = by_key(work.graph)
    return sum(
        makespan(Work(subgraph([nodes[key] for key in wave]), work.minutes), slots, None) for wave in work.graph.waves()
    )


def subgraph(nodes: Sequence[Node]) -> Graph:
    """Nodes of one wave: no dependency is among them."""
    graph = build_graph([Node(node.key, (), node.files) for node in nodes])
    assert isinstance(graph, Graph)
    return graph


def main() -> None:
    """Prints a line for each shape and spread, the mean of all, and what 10,000 tasks cost."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--graphs", type=int, default=200)
    options.add_argument("--slots", type=int, default=5)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--tasks", type=int, default=10_000)
    chosen = options.parse_args()
    print(f"seed {chosen.seed}, {chosen.slots} slots")
    print(f"{'shape':<10}{'spread':>7}{'graphs':>8}{'plain':>8}{'estimated':>11}{'exact':>8}{'waves':>8}{'faster':>8}")
    compare(chosen.graphs, chosen.slots, random.Random(chosen.seed))
    for shape in (free, wide, long_rows, roadmap_of):
        print(cost_line(shape, chosen.tasks, chosen.slots), flush=True)


def compare(graphs: int, slots: int, random_: random.Random) -> None:
    """The table; `faster` is the time of the waves over that of `estimated`."""
    all_rows: list[tuple[float, ...]] = []
    kinds = [(shape, spread) for shape in SHAPES for spread in SPREADS]
    for index, (shape, spread) in enumerate(kinds):
        count = graphs // len(kinds) + (index < graphs % len(kinds))
        rows = [ratios(make_work(shape(random_), spread, random_), slots, random_) for _ in range(count)]
        all_rows += rows
        print(f"{shape.__name__:<10}{spread:>7.0f}{count:>8}{figures(rows)}")
    print(f"{'mean':<10}{'':>7}{len(all_rows):>8}{figures(all_rows)}")
    worst = max(row[1] for row in all_rows)
    print(f"worst `estimated`: {worst:.2f}")


def figures(rows: Sequence[Sequence[float]]) -> str:
    """The means of a row's columns, and what the waves lose."""
    means = [statistics.fmean(column) for column in zip(*rows, strict=True)]
    plain, estimated, exact, waves = means
    return f"{plain:>8.3f}{estimated:>11.3f}{exact:>8.3f}{waves:>8.3f}{waves / estimated:>7.2f}x"


def ratios(work: Work, slots: int, random_: random.Random) -> tuple[float, ...]:
    """Makespans over the lower bound: plain, estimated, exact, by waves."""
    bound = lower_bound(work, slots)
    guesses = {key: minutes * math.exp(random_.gauss(0, ESTIMATE_SIGMA)) for key, minutes in work.minutes.items()}
    spans = [makespan(work, slots, lengths) for lengths in (None, guesses, work.minutes)]
    return tuple(span / bound for span in (*spans, by_waves(work, slots)))


def free(count: int) -> list[Node]:
    """All may start at once."""
    return [Node(str(n)) for n in range(count)]


def wide(count: int) -> list[Node]:
    """All may start at once, but that three each write one file."""
    return [Node(str(n), (), (f"f{n // 3}", f"g{n}")) for n in range(count)]


def long_rows(count: int) -> list[Node]:
    """A hundred chains."""
    return [Node(str(n), (str(n - 100),) if n >= 100 else (), (f"f{n}",)) for n in range(count)]


def roadmap_of(count: int) -> list[Node]:
    """Phases as above, until there are enough."""
    nodes: list[Node] = []
    random_, phase = random.Random(1), 0
    before: list[str] = []
    while len(nodes) < count:
        before = phase_of(phase, before if random_.random() < 0.7 else [], nodes, random_)
        phase += 1
    return nodes[:count]


def cost_line(shape: Callable[[int], list[Node]], count: int, slots: int) -> str:
    """What deciding costs for many tasks: CPU, linking left out, and the largest size of this process so far."""
    work = make_work(shape(count), 10.0, random.Random(1))
    began = time.process_time()
    makespan(work, slots, None)
    seconds = time.process_time() - began
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return f"{shape.__name__:<12}{count:>8} tasks: {seconds / count * 1000:.3f} ms a task, {megabytes:.0f} MB"


if __name__ == "__main__":
    main()
