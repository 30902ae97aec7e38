"""Which task may start next: state and events in, decisions out. Pure: no clock, no process, no money.

Everything that is ready may run; waves are for people to look at. Of the ready tasks, the one that heads the longest
chain of work goes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bursar.graph import Graph


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
    """The ready set of one graph, kept up to date by four events: started, done, failed, returned."""

    def __init__(self, graph: Graph, *, done: Iterable[str] = (), lengths: Mapping[str, int] | None = None) -> None:
        """All tasks are open but those in `done`; `lengths` weighs them (1 each where absent)."""
        self._graph = graph
        self._depends_on = {node.key: frozenset(node.depends_on) for node in graph.nodes}
        self._standing = {node.key: Standing.OPEN for node in graph.nodes}
        self._order = {node.key: position for position, node in enumerate(graph.nodes)}
        self._waits_for = {node.key: set(graph.dependencies(node.key)) for node in graph.nodes}
        self._chain = _chains(graph, lengths or {})
        self._ready = {key for key, waits in self._waits_for.items() if not waits}
        for key in done:
            self.done(key)

    def ready(self) -> list[str]:
        """Tasks that may start now, longest chain first; position in the plan decides between equals."""
        return sorted(self._ready, key=lambda key: (-self._chain[key], self._order[key]))

    def started(self, key: str) -> None:
        """The task runs and is no longer on offer."""
        self._move(key, Standing.RUNNING, from_=(Standing.OPEN,))
        self._ready.discard(key)

    def returned(self, key: str) -> None:
        """The task did not run after all (no money for it now) and is on offer again."""
        self._move(key, Standing.OPEN, from_=(Standing.RUNNING,))
        self._ready.add(key)

    def done(self, key: str) -> None:
        """The task is merged: what waited only for it is ready."""
        self._move(key, Standing.DONE, from_=(Standing.OPEN, Standing.RUNNING))
        self._ready.discard(key)
        for dependent in self._graph.dependents(key):
            self._waits_for[dependent].discard(key)
            if not self._waits_for[dependent] and self._standing[dependent] is Standing.OPEN:
                self._ready.add(dependent)

    def failed(self, key: str) -> list[Skipped]:
        """The task will not be done in this run; everything that depends on it is skipped, nearest first.

        A file conflict is no dependency: a task that was only ordered behind this one may start.
        """
        self._move(key, Standing.FAILED, from_=(Standing.OPEN, Standing.RUNNING))
        self._ready.discard(key)
        skipped: list[Skipped] = []
        queue = [key]
        while queue:
            cause = queue.pop(0)
            for dependent in self._graph.dependents(cause):
                if self._standing[dependent] is not Standing.OPEN:
                    continue
                if cause not in self._depends_on[dependent]:
                    self._release(dependent, cause)
                    continue
                self._standing[dependent] = Standing.SKIPPED
                self._ready.discard(dependent)
                skipped.append(Skipped(dependent, cause))
                queue.append(dependent)
        return skipped

    def standing(self, key: str) -> Standing:
        """Where the task stands."""
        return self._standing[key]

    def _release(self, key: str, cause: str) -> None:
        self._waits_for[key].discard(cause)
        if not self._waits_for[key]:
            self._ready.add(key)

    def _move(self, key: str, to: Standing, *, from_: tuple[Standing, ...]) -> None:
        if self._standing[key] not in from_:
            raise ValueError(f"task {key} is {self._standing[key]}, so it cannot become {to}")
        self._standing[key] = to


def _chains(graph: Graph, lengths: Mapping[str, int]) -> dict[str, int]:
    """For each task the weight of the longest chain that begins with it."""
    chains: dict[str, int] = {}
    for key in reversed(graph.order):
        below = max((chains[dependent] for dependent in graph.dependents(key)), default=0)
        chains[key] = lengths.get(key, 1) + below
    return chains
