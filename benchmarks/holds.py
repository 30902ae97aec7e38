"""What it would be worth to give back parts of running attempts' holds, before anybody builds it.

    python benchmarks/holds.py [--runs 400]

Nothing of the product runs: attempts are a size, a duration and a hold, drawn from a seed. Attempts are held for
blindly until ten have ended, then at the 90th percentile of the latest fifty; what does not fit waits; at its end an
attempt takes what it lacks, if that is there, else it was cut off. Three ways: holds stay (`none`); they are lowered to
the 90th percentile that was learned meanwhile, or to half as much again as was used (`learned`); or at half of its time
everybody knows what an attempt will take (`oracle`), which nobody can beat. Budgets are shares of what all tasks take.
"""

from __future__ import annotations

import argparse
import heapq
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

BLIND, MEDIAN, ENOUGH, LATEST = 50_000, 15_000, 10, 50
WAYS = ("none", "learned", "oracle")
CASES = [
    (slots, tasks, sigma, share) for slots, tasks in ((4, 30), (8, 60)) for sigma in (0.5, 1.0) for share in (0.5, 1, 2)
]


@dataclass(frozen=True, slots=True)
class Task:
    """Tokens that it takes, and minutes."""

    need: int
    minutes: float


@dataclass(slots=True)
class Run:
    """One run on one budget: what came of it, and how it stands.

    Attributes:
        held: tokens by task; began: when; blind: those whose hold nothing stands behind.
    """

    tasks: Sequence[Task]
    slots: int
    available: int
    way: str
    done: int = 0
    cut_off: int = 0
    ended_at: float = 0.0
    now: float = 0.0
    seen: list[int] = field(default_factory=list)
    held: dict[int, int] = field(default_factory=dict)
    began: dict[int, float] = field(default_factory=dict)
    blind: set[int] = field(default_factory=set)
    coming: list[tuple[float, str, int]] = field(default_factory=list)
    ready: list[int] = field(default_factory=list)

    def conduct(self) -> Run:
        """All that can be paid for has ended."""
        self.ready = list(range(len(self.tasks)))
        self._fill()
        while self.coming:
            self.now, event, number = heapq.heappop(self.coming)
            if event == "end":
                self._end(number)
            elif number in self.held:
                self._lower(number, self.tasks[number].need)
            self._fill()
        return self

    def _fill(self) -> None:
        while self.ready and len(self.held) < self.slots:
            is_blind = len(self.seen) < ENOUGH
            wanted = BLIND if is_blind else self._learned()
            if is_blind and self.blind and self.available < wanted * (1 + len(self.blind)):
                return
            hold = min(wanted, self.available) if is_blind else wanted
            if not 0 < hold <= self.available:
                return
            self._begin(self.ready.pop(0), hold, is_blind=is_blind)

    def _begin(self, number: int, hold: int, *, is_blind: bool) -> None:
        self.held[number], self.began[number] = hold, self.now
        self.available -= hold
        if is_blind:
            self.blind.add(number)
        minutes = self.tasks[number].minutes
        heapq.heappush(self.coming, (self.now + minutes, "end", number))
        if self.way == "oracle":
            heapq.heappush(self.coming, (self.now + minutes / 2, "known", number))

    def _end(self, number: int) -> None:
        need, hold = self.tasks[number].need, self.held.pop(number)
        self.blind.discard(number)
        if need > hold + self.available:
            self.cut_off, self.available = self.cut_off + 1, 0
            return
        self.available += hold - need
        self.done, self.ended_at = self.done + 1, self.now
        self.seen.append(need)
        if self.way == "learned" and len(self.seen) >= ENOUGH:
            for other in self.held:
                share = min(1.0, (self.now - self.began[other]) / self.tasks[other].minutes)
                self._lower(other, max(self._learned(), int(1.5 * share * self.tasks[other].need)))

    def _lower(self, number: int, hold: int) -> None:
        given_back = max(0, self.held[number] - hold)
        self.held[number] -= given_back
        self.available += given_back

    def _learned(self) -> int:
        latest = sorted(self.seen[-LATEST:])
        return latest[min(len(latest) - 1, len(latest) * 9 // 10)]


def draw_tasks(seed: int, count: int, sigma: float) -> list[Task]:
    """Sizes are spread as on a log scale; what takes more tokens takes longer."""
    dice = random.Random(seed)
    needs = [max(500, int(MEDIAN * dice.lognormvariate(0, sigma))) for _ in range(count)]
    return [Task(need, need / 1000 * dice.lognormvariate(0, 0.4)) for need in needs]


def main() -> None:
    """Prints for each case how many tasks are done and how long that takes, and how the other ways compare."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=400, metavar="N", help="of each case")
    runs = options.parse_args().runs
    print(f"{'slots':>5} {'tasks':>5} {'sigma':>5} {'budget':>6}  " + "".join(f"{way:>32}" for way in WAYS))
    for slots, count, sigma, share in CASES:
        drawn = [draw_tasks(seed, count, sigma) for seed in range(runs)]
        budgets = [int(share * sum(task.need for task in tasks)) for tasks in drawn]
        found = [
            [Run(tasks, slots, budget, way).conduct() for tasks, budget in zip(drawn, budgets, strict=True)]
            for way in WAYS
        ]
        cells = [_cell(each, found[0]) for each in found]
        print(f"{slots:>5} {count:>5} {sigma:>5} {share:>6}  " + "".join(f"{cell:>32}" for cell in cells))


def _cell(runs: Sequence[Run], plain: Sequence[Run]) -> str:
    done, before = (statistics.mean(run.done for run in each) for each in (runs, plain))
    minutes, usual = (statistics.mean(run.ended_at for run in each) for each in (runs, plain))
    return f"{done:.1f} ({done / before - 1:+.1%}) {minutes:.0f} min ({minutes / usual - 1:+.1%})"


if __name__ == "__main__":
    main()
