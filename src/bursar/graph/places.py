"""Who claims what, one node after the other in the order of ranks, and whom each has to wait for.

Claimed folders and paths are places in a tree. Who takes a place waits for the last who have been in it or below it,
or else for the last who took a folder that it lies in; all before them follow through them. So everybody is waited for
once and waits once, however deep the folders are, and the number of waits grows with the number of claims.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Visit:
    """A node at a place: its key, the text of its claim, and its place in the order of ranks."""

    key: str
    text: str
    rank: int


@dataclass(slots=True, eq=False)
class Place:
    """A path or folder that somebody claims, below the claimed folder that it lies in.

    Attributes:
        taken: the last who took all of it.
        passed: who claimed a part of it by a pattern, since it or a folder above it was taken.
        busy: the places below it where somebody has been since then.
    """

    parent: Place | None = None
    taken: Visit | None = None
    passed: list[Visit] = field(default_factory=list)
    busy: list[Place] = field(default_factory=list)
    is_busy: bool = False

    def take(self, visit: Visit) -> Sequence[Visit]:
        """The visitor has all of it; whom they wait for."""
        before = list(self._leave())
        if not before and (last := self._last_taken()):
            before.append(last)
        self.taken = visit
        self._wake()
        return before

    def pass_through(self, visit: Visit) -> Sequence[Visit]:
        """The visitor has a part of it; whom they wait for."""
        last = self._last_taken()
        self.passed.append(visit)
        self._wake()
        return [last] if last else []

    def _last_taken(self) -> Visit | None:
        last: Visit | None = None
        place: Place | None = self
        while place is not None:
            if place.taken is not None and (last is None or place.taken.rank > last.rank):
                last = place.taken
            place = place.parent
        return last

    def _wake(self) -> None:
        place = self
        while place.parent is not None and not place.is_busy:
            place.is_busy = True
            place.parent.busy.append(place)
            place = place.parent

    def _leave(self) -> Iterator[Visit]:
        """Who was here last, for each part of the place; nobody is afterwards."""
        leaving = [self]
        while leaving:
            place = leaving.pop()
            yield from place.passed
            if place is not self and not place.passed and not place.busy and place.taken is not None:
                yield place.taken
            for below in place.busy:
                below.is_busy = False
            leaving += place.busy
            place.passed, place.busy = [], []


@dataclass(slots=True, eq=False)
class Pattern:
    """A pattern that somebody claims: the last who did, and who has since claimed something that it may meet."""

    taken: Visit | None = None
    passed: list[Visit] = field(default_factory=list)

    def take(self, visit: Visit) -> Sequence[Visit]:
        """The visitor has all of it; whom they wait for."""
        before = self.passed or ([self.taken] if self.taken else [])
        self.taken, self.passed = visit, []
        return before

    def pass_through(self, visit: Visit) -> Sequence[Visit]:
        """The visitor has something that it may meet; whom they wait for."""
        self.passed.append(visit)
        return [self.taken] if self.taken else []
