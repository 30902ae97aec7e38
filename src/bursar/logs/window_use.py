"""How much of subscriptions' windows is used, as budgets on them see it: with what a token took of them so far.

Not in the door: status lines go through that, and do without budgets.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bursar.budget import WindowUse
from bursar.logs.index import QUARTER_MS, LogIndex
from bursar.logs.limits import PlanWindow, plan_windows

_MINUTE_MS = 60_000
_TOKENS = "input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + output_tokens"


def window_uses(index: LogIndex, agents: Sequence[str], now: datetime) -> list[WindowUse]:
    """Every window of these agents; one that has begun anew since it was told of is taken as unused."""
    at, uses = int(now.timestamp() * 1000), list[WindowUse]()
    for agent in agents:
        rows = index.database.query(
            "SELECT minutes, percent, resets_at, at FROM plan_limit WHERE source = ? ORDER BY minutes", (agent,)
        )
        uses += [_official(index, agent, *row, now=at) for row in rows]
        if not rows:
            uses += [_estimated(index, window, at) for window in plan_windows(index, [agent], at)]
    return uses


def _official(
    index: LogIndex, agent: str, minutes: int, percent: float, resets_at: int, at: int, *, now: int
) -> WindowUse:
    ends, length = resets_at * 1000 or at + minutes * _MINUTE_MS, minutes * _MINUTE_MS
    is_over = now >= ends
    return WindowUse(
        agent=agent,
        minutes=minutes,
        percent=0.0 if is_over else percent,
        is_official=True,
        said_at=_instant(at),
        resets_at=_instant(0 if is_over else resets_at * 1000),
        has_begun_anew=is_over,
        percent_per_token=_per_token(index, agent, percent, ends - length, at),
    )


def _estimated(index: LogIndex, window: PlanWindow, now: int) -> WindowUse:
    since = (window.resets_at or now) - window.minutes * _MINUTE_MS
    return WindowUse(
        agent=window.agent,
        minutes=window.minutes,
        percent=window.percent,
        is_official=False,
        resets_at=_instant(window.resets_at),
        percent_per_token=_per_token(index, window.agent, window.percent or 0.0, since, now),
    )


def _per_token(index: LogIndex, agent: str, percent: float, since: int, until: int) -> float | None:
    """What was used of the window, by what the logs show of that time; None where either is nothing.

    What was used elsewhere, on the same subscription, makes a token look dearer: it errs to the safe side.
    """
    rows = index.database.query(
        f"SELECT sum({_TOKENS}) FROM quarter JOIN session ON session.id = quarter.session"
        " WHERE source = ? AND quarter BETWEEN ? AND ? AND first_at >= ? AND last_at <= ?",
        (agent, since // QUARTER_MS, until // QUARTER_MS, since, until),
    )
    tokens = rows[0][0]
    return percent / tokens if tokens and percent else None


def _instant(at: int) -> datetime | None:
    return datetime.fromtimestamp(at / 1000, UTC) if at else None
