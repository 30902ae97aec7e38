"""Whose turn it is where tasks may write one file. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, takewhile

from bursar.graph import Graph, touched_places


@dataclass(slots=True)
class _Queue:
    """The unfinished tasks at one place, in order: who takes all of it, and who only writes something in it."""

    takers: dict[str, None] = field(default_factory=dict)
    passers: dict[str, None] = field(default_factory=dict)


class Turns:
    """Tasks that may write one file take turns in the graph's order; those that have begun stand before all others.

    Nobody stands before what it waits for in that order, so the first unfinished task of all always has its turn.
    """

    def __init__(self, graph: Graph) -> None:
        self._touches = touched_places(graph.nodes)
        self._place = {key: place for place, key in enumerate(graph.order)}
        self._turn = dict(self._place)
        self._first = 0
        self._queues: dict[str, _Queue] = {}
        for key in graph.order:
            for touch in self._touches[key]:
                queue = self._queues.setdefault(touch.place, _Queue())
                (queue.takers if touch.takes_whole else queue.passers)[key] = None

    def has(self, key: str) -> bool:
        """Whether nobody who may write one of the task's files stands before it."""
        turn = self._turn[key]
        for touch in self._touches[key]:
            queue = self._queues[touch.place]
            if self._head(queue.takers) < turn or (touch.takes_whole and self._head(queue.passers) < turn):
                return False
        return True

    def begin(self, key: str) -> list[str]:
        """The task, whose turn it need not have been, stands before all others; who has lost their turn by that."""
        if self.has(key):
            return []
        self._first -= 1
        self._turn[key] = self._first
        losers: list[str] = []
        for touch in self._touches[key]:
            queue = self._queues[touch.place]
            losers += queue.takers
            if touch.takes_whole:
                losers += queue.passers
                queue.takers = {key: None, **queue.takers}
            else:
                queue.passers = {key: None, **queue.passers}
        return losers

    def give_back(self, key: str) -> list[str]:
        """The task, which had begun, stands where the graph's order has it; who may have their turn for that."""
        self._turn[key] = self._place[key]
        freed = [key]
        for touch in self._touches[key]:
            queue = self._queues[touch.place]
            queue.takers = dict.fromkeys(sorted(queue.takers, key=self._turn.__getitem__))
            queue.passers = dict.fromkeys(sorted(queue.passers, key=self._turn.__getitem__))
            freed += islice(queue.takers, 1)
            freed += self._passers_before(self._head(queue.takers), queue)
        return freed

    def end(self, key: str) -> list[str]:
        """The task stands in nobody's way any more; who may have their turn for that."""
        freed: list[str] = []
        for touch in self._touches[key]:
            queue = self._queues[touch.place]
            del (queue.takers if touch.takes_whole else queue.passers)[key]
            freed += islice(queue.takers, 1)
            if touch.takes_whole:
                freed += self._passers_before(self._head(queue.takers), queue)
        return freed

    def _passers_before(self, turn: float, queue: _Queue) -> Iterator[str]:
        return takewhile(lambda passer: self._turn[passer] < turn, queue.passers)

    def _head(self, queue: dict[str, None]) -> float:
        """The turn of the first in it."""
        return self._turn[next(iter(queue))] if queue else float("inf")
