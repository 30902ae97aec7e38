"""Limits of subscriptions: what providers say of them, and, where they say nothing, what one's own history says.

On the way of every status line, so it imports next to nothing.
"""

from __future__ import annotations

from bursar.logs.blocks import find_blocks
from bursar.logs.index import DAY_MS, LogIndex
from bursar.logs.periods import Wanted, add_up, rows_by_session

_WEEK_MINUTES = 10_080
_ENOUGH_BLOCKS = 3
_ENOUGH_WEEKS = 2
_WEEKS = 12


class PlanWindow:
    """How much of a subscription's window is used.

    Attributes:
        agent: whose.
        minutes: how long it is: 300, 10080.
        percent: used; None where nobody knows.
        is_official: the provider says so; else it is the share of the most that was ever used in such a window.
        at: when it was said, in ms; 0 for an estimate.
        resets_at: when it begins anew, in ms; 0 where that is not known.
    """

    __slots__ = ("agent", "at", "is_official", "minutes", "percent", "resets_at")

    def __init__(
        self, agent: str, minutes: int, percent: float | None, *, is_official: bool, at: int = 0, resets_at: int = 0
    ) -> None:
        self.agent = agent
        self.minutes = minutes
        self.percent = percent
        self.is_official = is_official
        self.at = at
        self.resets_at = resets_at


def note_limit(index: LogIndex, source: str, name: str, minutes: int, percent: float, resets_at: int, at: int) -> None:
    """What a provider says is kept, if it is not kept already. `resets_at` in s (0: not said), `at` in ms."""
    known = index.database.query(
        "SELECT 1 FROM plan_limit WHERE source = ? AND name = ? AND minutes = ? AND percent = ? AND resets_at = ?"
        " AND at > ?",
        (source, name, minutes, percent, resets_at, at - 60_000),
    )
    if not known:
        with index.database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO plan_limit VALUES (?, ?, ?, ?, ?, ?)",
                (source, name, minutes, percent, resets_at, at),
            )


def plan_windows(index: LogIndex, agents: list[str], now: int) -> list[PlanWindow]:
    """The windows that providers speak of; for an agent of which none is known, estimates. `now` in ms."""
    windows: list[PlanWindow] = []
    for agent in agents:
        rows = index.database.query(
            "SELECT minutes, percent, resets_at, at FROM plan_limit WHERE source = ? ORDER BY minutes", (agent,)
        )
        said = [_official(agent, *row, now=now) for row in rows]
        windows += said or [_block_estimate(index, agent, now), _week_estimate(index, agent, now)]
    return windows


def _official(agent: str, minutes: int, percent: float, resets_at: int, at: int, *, now: int) -> PlanWindow:
    """Once the window has begun anew, nobody has said how much of it is used."""
    ends = resets_at * 1000 or at + minutes * 60_000
    known = percent if now < ends else None
    return PlanWindow(agent, minutes, known, is_official=True, at=at, resets_at=1000 * resets_at if now < ends else 0)


def _block_estimate(index: LogIndex, agent: str, now: int) -> PlanWindow:
    blocks = [block for block in find_blocks(index, Wanted(agent=agent)) if block.last_at is not None]
    current = next((block for block in blocks if block.is_active(now)), None)
    most = max((block.totals.fresh_tokens for block in blocks if block is not current), default=0)
    if not most or len(blocks) < _ENOUGH_BLOCKS:
        return PlanWindow(agent, 300, None, is_official=False)
    used = 0 if current is None else current.totals.fresh_tokens
    resets_at = 0 if current is None else current.ends_at
    return PlanWindow(agent, 300, 100 * used / most, is_official=False, resets_at=resets_at)


def _week_estimate(index: LogIndex, agent: str, now: int) -> PlanWindow:
    weeks = [
        add_up(
            row.totals
            for row in rows_by_session(
                index, Wanted(since=now - 7 * DAY_MS * (back + 1), until=now - 7 * DAY_MS * back, agent=agent)
            )
        ).fresh_tokens
        for back in range(_WEEKS)
    ]
    most = max(weeks[1:])
    if sum(week > 0 for week in weeks[1:]) < _ENOUGH_WEEKS:
        return PlanWindow(agent, _WEEK_MINUTES, None, is_official=False)
    return PlanWindow(agent, _WEEK_MINUTES, 100 * weeks[0] / most, is_official=False)
