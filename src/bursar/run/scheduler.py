"""Which task may start next: state and events in, decisions out. Pure: no clock, no process, no money.

Everything that is ready may run; waves are for people to look at. Of the ready tasks, the one that heads the longest
chain of work goes first.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from bursar.graph import Graph
from bursar.run.turns import Turns

_FEW = 8  # up to so many are put in one by one


class Standing(StrEnum):
    """Where the scheduler has a task."""

    OPEN = "open"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A task that will not run in this run, and the task that it waited for in vain."""

    task: str
    because: str


class Scheduler:
    """The ready set of one graph, kept up to date by four events: started, reopened, done, failed."""

    def __init__(self, graph: Graph, *, done: Iterable[str] = (), lengths: Mapping[str, float] | None = None) -> None:
        """All tasks are open but those in `done`; `lengths` weighs them, in any unit (1 each where absent)."""
        self._graph = graph
        self._standing = {node.key: Standing.OPEN for node in graph.nodes}
        self._depends_on = {node.key: frozenset(node.depends_on) for node in graph.nodes}
        self._waits_for = {key: set(names) for key, names in self._depends_on.items()}
        self._turns = Turns(graph)
        self.weigh(lengths or {})
        for key in done:
            self.done(key)

    def ready(self) -> list[str]:
        """Tasks that may start now, longest chain first; position in the plan decides between equals."""
        return list(self.offers())

    def offers(self, first: Sequence[str] = ()) -> Iterator[str]:
        """What `ready` lists now, one by one, for those who take few of many; starting them on the way is fine.

        Those of `first` that may start come before all others.
        """
        ready = map(self._by_rank.__getitem__, self._ready.copy())
        if not first:
            return ready
        early = [key for key in first if self._may_start(key)]
        return chain(early, (key for key in ready if key not in early))

    def weigh(self, lengths: Mapping[str, float]) -> None:
        """From here on `lengths` says who heads the longest chain: what each takes, in any unit (1 where absent)."""
        self._by_rank = _ranked(self._graph, lengths)
        self._rank = {key: rank for rank, key in enumerate(self._by_rank)}
        self._ready = _Sorted()  # ranks
        self._offer(self._standing)

    def open_tasks(self) -> list[str]:
        """Tasks that are neither running nor at their end, whatever they wait for, in the graph's order."""
        return [key for key, standing in self._standing.items() if standing is Standing.OPEN]

    def started(self, key: str) -> None:
        """The task runs and is no longer on offer, nor is any that may write one of its files.

        It need not have been on offer: one that an earlier conductor started runs, whatever has changed since.
        """
        self._move(key, Standing.RUNNING, from_=(Standing.OPEN,))
        self._withdraw(key)
        for loser in self._turns.begin(key):
            self._withdraw(loser)

    def reopened(self, key: str) -> list[Skipped]:
        """The task, which ran, has to be done again: it is on offer when its turn comes.

        One that was adopted may depend on a task that has been lost meanwhile: it is skipped, and what depends on it.
        """
        self._move(key, Standing.OPEN, from_=(Standing.RUNNING,))
        self._offer(self._turns.give_back(key))
        lost = [name for name in self._depends_on[key] if self._standing[name] in {Standing.FAILED, Standing.SKIPPED}]
        if not lost:
            return []
        self._standing[key] = Standing.SKIPPED
        skipped = [Skipped(key, min(lost, key=self._rank.__getitem__)), *self._skip_dependents(key)]
        for each in skipped:
            self._withdraw(each.task)
            self._leave(each.task)
        return skipped

    def done(self, key: str) -> None:
        """The task is merged: what waited only for it is ready."""
        self._move(key, Standing.DONE, from_=(Standing.OPEN, Standing.RUNNING))
        self._withdraw(key)
        for dependent in self._graph.dependents(key):
            self._waits_for[dependent].discard(key)
        self._leave(key)

    def failed(self, key: str) -> list[Skipped]:
        """The task will not be done in this run; everything that depends on it is skipped, nearest first.

        A file conflict is no dependency: a task that was only ordered behind this one may start.
        """
        self._move(key, Standing.FAILED, from_=(Standing.OPEN, Standing.RUNNING))
        self._withdraw(key)
        skipped = self._skip_dependents(key)
        for lost in (key, *(each.task for each in skipped)):
            self._leave(lost)
        return skipped

    def standing(self, key: str) -> Standing:
        """Where the task stands."""
        return self._standing[key]

    def _may_start(self, key: str) -> bool:
        """It is open, all that it depends on is done, and it is its turn with each of its files."""
        return self._standing[key] is Standing.OPEN and not self._waits_for[key] and self._turns.has(key)

    def _leave(self, key: str) -> None:
        """The task, done or lost, stands in nobody's way any more."""
        self._offer([*self._graph.dependents(key), *self._turns.end(key)])

    def _offer(self, keys: Iterable[str]) -> None:
        self._ready.add(map(self._rank.__getitem__, filter(self._may_start, keys)))

    def _withdraw(self, key: str) -> None:
        self._ready.discard(self._rank[key])

    def _skip_dependents(self, key: str) -> list[Skipped]:
        skipped: list[Skipped] = []
        queue = deque([key])
        while queue:
            cause = queue.popleft()
            for dependent in self._graph.dependents(cause):
                if cause in self._depends_on[dependent] and self._standing[dependent] is Standing.OPEN:
                    self._standing[dependent] = Standing.SKIPPED
                    self._withdraw(dependent)
                    skipped.append(Skipped(dependent, cause))
                    queue.append(dependent)
        return skipped

    def _move(self, key: str, to: Standing, *, from_: tuple[Standing, ...]) -> None:
        if self._standing[key] not in from_:
            raise ValueError(f"task {key} is {self._standing[key]}, so it cannot become {to}")
        self._standing[key] = to


class _Sorted:
    """A set of numbers in order: thousands of tasks may be ready while an event moves but a few."""

    def __init__(self) -> None:
        self._numbers: list[int] = []

    def add(self, numbers: Iterable[int]) -> None:
        new = [number for number in numbers if not self._has(number)]
        if len(new) > _FEW:
            self._numbers = sorted({*self._numbers, *new})
            return
        for number in dict.fromkeys(new):
            insort(self._numbers, number)

    def discard(self, number: int) -> None:
        if self._has(number):
            del self._numbers[bisect_left(self._numbers, number)]

    def copy(self) -> list[int]:
        return self._numbers.copy()

    def _has(self, number: int) -> bool:
        place = bisect_left(self._numbers, number)
        return place < len(self._numbers) and self._numbers[place] == number


def _ranked(graph: Graph, lengths: Mapping[str, float]) -> list[str]:
    """Who goes first when several may: the head of the heaviest chain of work, and of equals the first in the plan."""
    chains: dict[str, float] = {}
    for key in reversed(graph.order):
        below = max((chains[dependent] for dependent in graph.dependents(key)), default=0)
        chains[key] = lengths.get(key, 1) + below
    return sorted((node.key for node in graph.nodes), key=lambda key: -chains[key])  # stable: plan order stays
