"""Nodes and what holds between them, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """A task, plan or phase: its key, the keys it waits for, and the files it writes."""

    key: str
    depends_on: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two nodes that may write one file and that no dependency orders: `second` is made to wait for `first`.

    Attributes:
        file: the path, folder or pattern that `first` names.
        other: what `second` names; None where it is the same.
    """

    first: str
    second: str
    file: str
    other: str | None = None

    def __str__(self) -> str:
        """`3 waits for 2: both write src/a.py`."""
        both = f"both write {self.file}" if self.other is None else f"{self.file} and {self.other} overlap"
        return f"{self.second} waits for {self.first}: {both}"


@dataclass(frozen=True, slots=True)
class Cycle:
    """Nodes of which each waits for the next, and the last for the first; the first is not repeated at the end."""

    path: tuple[str, ...]

    @property
    def drawing(self) -> str:
        """`1 → 3 → 2 → 1`: an arrow reads "waits for"."""
        return " → ".join((*self.path, self.path[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Nodes in the order given, with everything that can be said of their order.

    Attributes:
        wave: the longest chain of dependencies that ends at a node, counted in nodes, so from 1. Waves are for display:
            what is ready may run, whatever its wave.
        conflicts: pairs of writers of one file, each an edge of its own beside the dependencies.
        order: keys such that everything a node waits for, conflicts included, stands before it.
        waits_for: direct dependencies and conflicts of each node.
        waited_for_by: the same edges the other way round.
    """

    nodes: tuple[Node, ...]
    wave: Mapping[str, int]
    conflicts: tuple[Conflict, ...]
    order: tuple[str, ...]
    waits_for: Mapping[str, tuple[str, ...]]
    waited_for_by: Mapping[str, tuple[str, ...]]

    def dependencies(self, key: str) -> tuple[str, ...]:
        """What must be done before `key` may start: its dependencies, then conflicting writers that go first."""
        return self.waits_for[key]

    def dependents(self, key: str) -> tuple[str, ...]:
        """What waits for `key`, conflicting writers included."""
        return self.waited_for_by[key]

    def waves(self) -> tuple[tuple[str, ...], ...]:
        """The keys of each wave from the first, in the order given."""
        rows: list[list[str]] = [[] for _ in range(max(self.wave.values(), default=0))]
        for node in self.nodes:
            rows[self.wave[node.key] - 1].append(node.key)
        return tuple(tuple(row) for row in rows)

    def critical_path(self, weight: Callable[[str], float] | None = None) -> tuple[str, ...]:
        """The heaviest chain of nodes of which each waits for the one before; it bounds how fast all can be done.

        `weight` is at least 0 and counts 1 where absent. Of equal chains the one through earlier nodes is given.
        """
        total: dict[str, float] = {}
        via: dict[str, str | None] = {}
        for key in self.order:
            heaviest = max(self.waits_for[key], key=total.__getitem__, default=None)
            via[key] = heaviest
            total[key] = (1 if weight is None else weight(key)) + (0 if heaviest is None else total[heaviest])
        path: list[str] = []
        last = max(self.order, key=total.__getitem__, default=None)
        while last is not None:
            path.append(last)
            last = via[last]
        return tuple(reversed(path))
