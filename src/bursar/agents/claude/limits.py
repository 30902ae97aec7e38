"""What Claude Code passes on of its provider's words about a subscription: `rate_limit_event`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from bursar.agents.claude import wire
from bursar.events import WindowTold

_MINUTES = {
    "five_hour": 300,
    "seven_day": 10_080,
    "seven_day_opus": 10_080,
    "seven_day_sonnet": 10_080,
    "seven_day_overage_included": 10_080,
}
_REFUSED = "rejected"
_LATEST = 1 << 35


def read_limits(told: wire.RateLimitInfo | None) -> Iterator[WindowTold]:
    """The windows that are told of; one that is used up is among them also where its share is not said."""
    if told is None:
        return
    windows = dict(told.unifiedWindows or {})
    used_up = told.rateLimitType if told.status == _REFUSED and not told.isUsingOverage else None
    if told.rateLimitType in _MINUTES and told.rateLimitType not in windows:
        windows[told.rateLimitType] = wire.UnifiedWindow(told.utilization, told.resetsAt)
    for name, window in windows.items():
        is_used_up = name == used_up
        percent = 100.0 if is_used_up else _percent(window.utilization)
        if percent is not None and name in _MINUTES:
            yield WindowTold(
                name=name,
                minutes=_MINUTES[name],
                percent=percent,
                resets_at=_instant(window.resetsAt or (told.resetsAt if is_used_up else None)),
                is_used_up=is_used_up,
            )


def _percent(share: float | int | None) -> float | None:
    """A share of 1 as percent; past the window's cap it is all of it. None where it is no such share."""
    if share is None or not math.isfinite(share) or not 0 <= share <= 10:
        return None
    return min(100.0, round(100 * share, 2))


def _instant(at: float | int | None) -> int | None:
    return int(at) if at is not None and 0 < at < _LATEST else None
