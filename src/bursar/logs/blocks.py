"""Blocks of five hours, as subscriptions count, read from the sums in the index.

This is on the way of every status line, so it imports next to nothing.
"""

from __future__ import annotations

from bursar.logs.index import DAY_MS
from bursar.logs.periods import SUMS, Totals, Wanted, add_up, model_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bursar.logs.index import LogIndex

HOUR_MS = 3_600_000
BLOCK_MS = 5 * HOUR_MS
_EVER = 1 << 62


class Block:
    """Five hours that began with a call, at the full hour (UTC) before it; or, where nothing was used, the gap to the
    next.

    Attributes:
        last_at: the last call; None in a gap.
        ends_at: five hours after the start; of a gap, the next call.
    """

    __slots__ = ("ends_at", "last_at", "models", "starts_at")

    def __init__(self, starts_at: int, ends_at: int, last_at: int | None = None) -> None:
        self.starts_at = starts_at
        self.ends_at = ends_at
        self.last_at = last_at
        self.models: dict[str, Totals] = {}

    @property
    def totals(self) -> Totals:
        """Over all models."""
        return add_up(self.models.values())

    def is_active(self, now: int) -> bool:
        """It has begun and not ended (`now` in ms), and the last call is no five hours ago."""
        return self.last_at is not None and self.starts_at <= now < self.ends_at and now - self.last_at < BLOCK_MS

    def rates(self, now: int) -> BlockRates | None:
        """How it goes on if it goes on like this; None where it has ended, or has lasted no minute."""
        minutes = (now - self.starts_at) / 60_000
        return (
            BlockRates(self, minutes, (self.ends_at - now) / 60_000) if self.is_active(now) and minutes >= 1 else None
        )


class BlockRates:
    """For people: how quickly a block is used, and what it comes to at its end. Nothing is decided by it."""

    __slots__ = ("minutes_left", "tokens_at_end", "tokens_per_minute", "usd_at_end", "usd_per_hour")

    def __init__(self, block: Block, minutes: float, minutes_left: float) -> None:
        totals = block.totals
        usd = totals.nano_usd / 1e9
        self.minutes_left = round(minutes_left)
        self.tokens_per_minute = totals.total_tokens / minutes
        self.usd_per_hour = 60 * usd / minutes
        self.tokens_at_end = round(totals.total_tokens + self.tokens_per_minute * minutes_left)
        self.usd_at_end = round(usd + usd / minutes * minutes_left, 2)


def find_blocks(index: LogIndex, wanted: Wanted) -> list[Block]:
    """Blocks of five hours and the gaps between them, oldest first. A block also ends after five hours without a call.

    Those that began within the time that is wanted, and as a whole.

    Source: what the established tool (ccusage) calls session billing blocks.
    """
    found = _all_blocks(index, Wanted(None, None, wanted.project, wanted.model, wanted.agent, wanted.session))
    since, until = wanted.since or 0, wanted.until or _EVER
    return [block for block in found if since <= block.starts_at < until]


def running_block(index: LogIndex, agent: str, now: int) -> Block | None:
    """The block of an agent that is going on, if there is one; `now` in ms.

    Where a block begins depends on all before it, back to a gap: so far back is looked, and no further.
    """
    for days in (2, 16, now // DAY_MS):
        start = now - days * DAY_MS
        blocks = _all_blocks(index, Wanted(since=start, agent=agent))
        if not blocks:
            return None
        gaps = (block for block in blocks if block.last_at is None and block.ends_at <= now)
        if blocks[0].starts_at - start > BLOCK_MS or any(gaps):
            break
    return next((block for block in blocks if block.is_active(now)), None)


def _all_blocks(index: LogIndex, wanted: Wanted) -> list[Block]:
    condition, values = wanted.condition()
    models, blocks = model_names(index), list[Block]()
    found = index.database.query(
        f"SELECT model, min(first_at) AS first_at, max(last_at), {SUMS} FROM quarter WHERE {condition}"
        " GROUP BY quarter, model ORDER BY first_at",
        values,
    )
    for model, first_at, last_at, *sums in found:
        block = _block_at(blocks, first_at)
        known = block.models.setdefault(models[model], Totals())
        known.add(Totals(*sums))
        block.last_at = max(block.last_at or 0, last_at)
    return sorted(blocks, key=lambda block: block.starts_at)  # a gap may begin within the hour of the block after it


def _block_at(blocks: list[Block], at: int) -> Block:
    """The block that a call belongs to, begun if there is none; `blocks` has it, and the gap before it."""
    block = blocks[-1] if blocks else None
    last_at = None if block is None else block.last_at
    if block is not None and last_at is not None:
        if at < block.ends_at and at - last_at <= BLOCK_MS:
            return block
        if at - last_at > BLOCK_MS:
            blocks.append(Block(last_at + BLOCK_MS, at))
    start = at - at % HOUR_MS
    blocks.append(Block(start, start + BLOCK_MS, at))
    return blocks[-1]
