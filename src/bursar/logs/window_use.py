"""How much of subscriptions' windows is used, as limits on them see it.

Not in the door: status lines go through that, and do without budgets.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bursar.budget import WindowUse
from bursar.logs.index import LogIndex
from bursar.logs.limits import PlanWindow, plan_windows

_MINUTE_MS = 60_000


def window_uses(index: LogIndex, agents: Sequence[str], now: datetime) -> list[WindowUse]:
    """Every window of these agents; one that has begun anew since it was told of is taken as unused."""
    at, uses = int(now.timestamp() * 1000), list[WindowUse]()
    for agent in agents:
        rows = index.database.query(
            "SELECT minutes, percent, resets_at, at FROM plan_limit WHERE source = ? ORDER BY minutes", (agent,)
        )
        uses += [_official(agent, *row, now=at) for row in rows]
        if not rows:
            uses += [_estimated(window) for window in plan_windows(index, [agent], at)]
    return uses


def _official(agent: str, minutes: int, percent: float, resets_at: int, at: int, *, now: int) -> WindowUse:
    is_over = now >= (resets_at * 1000 or at + minutes * _MINUTE_MS)
    return WindowUse(
        agent=agent,
        minutes=minutes,
        percent=0.0 if is_over else percent,
        is_official=True,
        said_at=_instant(at),
        resets_at=_instant(0 if is_over else resets_at * 1000),
        has_begun_anew=is_over,
    )


def _estimated(window: PlanWindow) -> WindowUse:
    return WindowUse(
        agent=window.agent,
        minutes=window.minutes,
        percent=window.percent,
        is_official=False,
        resets_at=_instant(window.resets_at),
    )


def _instant(at: int) -> datetime | None:
    return datetime.fromtimestamp(at / 1000, UTC) if at else None
