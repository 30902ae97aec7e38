"""What a power cut leaves of a file: what was synced, and an arbitrary choice of the writes that were not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple


class Change(NamedTuple):
    """A write that is not synced; or, without data, a new size."""

    offset: int
    data: bytes | None


@dataclass
class Content:
    """One file: what is safe of it, and what was done to it since."""

    durable: bytearray
    pending: list[Change] = field(default_factory=list)

    def sync(self) -> None:
        """Everything that was done is safe."""
        for change in self.pending:
            _apply(self.durable, change)
        self.pending.clear()


class Losses:
    """What gets lost, by the dice.

    Args:
        sector: what the disk writes at once, in bytes; a torn sector is written in part.
    """

    def __init__(self, dice: random.Random, sector: int) -> None:
        self._dice = dice
        self._sector = sector

    def survivors(self, content: Content) -> bytes:
        """The file as it is found: each sector old or new, or torn; its end where it was, or where it was to be."""
        left = bytearray(content.durable)
        chance = self._dice.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        longest = len(left)
        for change in content.pending:
            for piece in self._pieces(change):
                kept = self._kept(piece, chance)
                if kept is not None:
                    _apply(left, kept)
                if piece.data is not None:
                    longest = max(longest, piece.offset + len(piece.data))
                elif kept is not None:
                    longest = len(left)
        if self._dice.randrange(2):
            left += bytes(longest - len(left))
        return bytes(left)

    def _pieces(self, change: Change) -> Iterator[Change]:
        """A write, cut where the sectors of the disk begin."""
        if change.data is None:
            yield change
            return
        start, end = change.offset, change.offset + len(change.data)
        while start < end:
            stop = min(end, (start // self._sector + 1) * self._sector)
            yield Change(start, change.data[start - change.offset : stop - change.offset])
            start = stop

    def _kept(self, piece: Change, chance: float) -> Change | None:
        """All of it, with that chance; or a part, now and then; or nothing."""
        if self._dice.random() < chance:
            return piece
        return self.torn(piece) if self._dice.random() < 0.05 else None

    def torn(self, piece: Change) -> Change:
        """Its beginning or its end; a new size is there or not."""
        if piece.data is None:
            return piece
        spot = self._dice.randrange(len(piece.data) + 1)
        if self._dice.randrange(2):
            return Change(piece.offset, piece.data[:spot])
        return Change(piece.offset + spot, piece.data[spot:])


def _apply(content: bytearray, change: Change) -> None:
    end = change.offset + len(change.data or b"")
    if len(content) < change.offset:
        content += bytes(change.offset - len(content))
    if change.data is None:
        del content[end:]
    else:
        content[change.offset : end] = change.data
