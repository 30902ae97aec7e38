"""Sums over quarters of an hour → rows of a report: by day, week, month, session, or block of five hours. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from bursar.logs.index import QuarterSum

HOUR_MS = 3_600_000
BLOCK_MS = 5 * HOUR_MS


@dataclass(slots=True)
class Totals:
    """What was used. The counters are disjoint; `nano_usd` is of the calls whose cost is known, `unpriced` counts the
    others."""

    calls: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    nano_usd: int = 0
    unpriced: int = 0

    @property
    def total_tokens(self) -> int:
        """All four counters."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens + self.output_tokens

    def add(self, other: Totals | QuarterSum) -> None:
        """`other` is in it too."""
        self.calls += other.calls
        self.input_tokens += other.input_tokens
        self.cache_read_tokens += other.cache_read_tokens
        self.cache_write_tokens += other.cache_write_tokens
        self.output_tokens += other.output_tokens
        self.nano_usd += other.nano_usd
        self.unpriced += other.unpriced


@dataclass(slots=True)
class UsageRow:
    """One line of a report.

    Attributes:
        label: the day (`2026-11-18`), the first day of the week, the month (`2026-11`), or the session.
        models: what each model was used for, in the order in which they were first met.
        first_at, last_at: the first and the last call, in ms since 1970.
    """

    label: str
    first_at: int
    last_at: int
    source: str = ""
    project: str = ""
    models: dict[str, Totals] = field(default_factory=dict)

    @property
    def totals(self) -> Totals:
        """Over all models."""
        return add_up(self.models.values())


@dataclass(slots=True)
class Block:
    """Five hours that began with a call, at the full hour (UTC) before it; or, where `calls` is 0, the gap to the next.

    Attributes:
        last_at: the last call; None in a gap.
        ends_at: five hours after the start; of a gap, the next call.
    """

    starts_at: int
    ends_at: int
    last_at: int | None = None
    models: dict[str, Totals] = field(default_factory=dict)

    @property
    def totals(self) -> Totals:
        """Over all models."""
        return add_up(self.models.values())


def add_up(parts: Iterable[Totals]) -> Totals:
    """The sum of the parts."""
    whole = Totals()
    for part in parts:
        whole.add(part)
    return whole


def group_by_period(sums: Iterable[QuarterSum], label: Callable[[datetime], str], zone: tzinfo) -> list[UsageRow]:
    """A row for each label that `label` gives to a local time, oldest first."""
    labels: dict[int, str] = {}
    rows: dict[str, UsageRow] = {}
    for each in sums:
        name = labels.get(each.at)
        if name is None:
            name = labels[each.at] = label(datetime.fromtimestamp(each.at / 1000, UTC).astimezone(zone))
        _add(rows.setdefault(name, UsageRow(name, each.first_at, each.last_at)), each)
    return [rows[name] for name in sorted(rows)]


def group_by_session(sums: Iterable[QuarterSum]) -> list[UsageRow]:
    """A row for each session of each agent, the latest last."""
    rows: dict[tuple[str, str], UsageRow] = {}
    for each in sums:
        row = UsageRow(each.session, each.first_at, each.last_at, each.source, each.project)
        _add(rows.setdefault((each.source, each.session), row), each)
    return sorted(rows.values(), key=lambda row: row.last_at)


def find_blocks(sums: Sequence[QuarterSum]) -> list[Block]:
    """Blocks of five hours and the gaps between them, oldest first. A block also ends after five hours without a call.

    Source: what the established tool (ccusage) calls session billing blocks.
    """
    blocks: list[Block] = []
    for each in sorted(sums, key=lambda each: each.first_at):
        block = blocks[-1] if blocks else None
        last_at = None if block is None else block.last_at
        if block is None or last_at is None or each.first_at >= block.ends_at or each.first_at - last_at > BLOCK_MS:
            if last_at is not None and each.first_at - last_at > BLOCK_MS:
                blocks.append(Block(last_at + BLOCK_MS, each.first_at))
            start = each.first_at - each.first_at % HOUR_MS
            block = Block(start, start + BLOCK_MS, each.last_at)
            blocks.append(block)
        block.models.setdefault(each.model, Totals()).add(each)
        block.last_at = max(block.last_at or 0, each.last_at)
    return sorted(blocks, key=lambda block: block.starts_at)  # a gap may begin within the hour of the block after it


def day_of(at: datetime) -> str:
    """`2026-11-18`."""
    return f"{at:%Y-%m-%d}"


def week_of(at: datetime, first_weekday: int = 6) -> str:
    """The day that the week began with; weeks begin on Sunday (6) unless another day (Monday is 0) is meant."""
    return day_of(at - timedelta(days=(at.weekday() - first_weekday) % 7))


def month_of(at: datetime) -> str:
    """`2026-11`."""
    return f"{at:%Y-%m}"


def _add(row: UsageRow, each: QuarterSum) -> None:
    row.models.setdefault(each.model, Totals()).add(each)
    row.first_at, row.last_at = min(row.first_at, each.first_at), max(row.last_at, each.last_at)
