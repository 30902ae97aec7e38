"""Windows of subscriptions: how much of one may be used, how much is, and whether one more attempt may begin. Pure.

A percentage is told after the call and belongs to somebody else's books, so nothing here is a hold: it is looked at
before something starts, and what runs is only guessed at.

Source: docs/decisions/0037-windows-as-budgets.md
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bursar.budget.thresholds import PERIOD_THRESHOLDS
from bursar.budget.types import Level, OnLimit, Threshold
from bursar.errors import UserError

MOST_MINUTES = 60 * 24 * 366
_MINUTES = {"m": 1, "h": 60, "d": 1440}
_LENGTH = re.compile(r"(?P<number>[1-9][0-9]{0,5}) ?(?P<unit>[mhd])")
_SHARE = re.compile(r"(?P<percent>[0-9]{1,3}(?:\.[0-9])?) ?%")


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowLimit:
    """How much of a window of an agent's subscription may be used before nothing more of that agent starts.

    Attributes:
        agent: whose subscription; empty for whichever agent works.
        minutes: how long the window is: 300, 10080.
        percent: of what the provider allows; in (0, 100].
        thresholds: percents of `percent` at which it speaks up.
    """

    agent: str
    minutes: int
    percent: float
    on_limit: OnLimit = OnLimit.BLOCK
    thresholds: tuple[Threshold, ...] = PERIOD_THRESHOLDS


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowUse:
    """What is known of a window's use.

    Attributes:
        percent: used when that was said; 0 where the window has begun anew since; None where nobody knows.
        is_official: the provider says so; else it is the share of the most that was ever used in such a window.
        said_at: when; None for an estimate.
        resets_at: when it begins anew; None where that is not known.
        has_begun_anew: since anybody spoke of it.
        percent_per_token: what a token (cache included) takes of it; None where that is not known.
    """

    agent: str
    minutes: int
    percent: float | None
    is_official: bool
    said_at: datetime | None = None
    resets_at: datetime | None = None
    has_begun_anew: bool = False
    percent_per_token: float | None = None

    def ahead(self, tokens: int) -> float | None:
        """How many percent so many tokens will take, if they are like those before; None where nobody knows."""
        return None if self.percent_per_token is None else self.percent_per_token * tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowDenial:
    """An attempt does not start: the window is used up to its limit, or would be.

    Attributes:
        ahead: percent that is expected of what runs and of this attempt; None where nobody knows.
        is_hopeless: the attempt alone is expected to take more than the limit: no reset helps.
    """

    limit: WindowLimit
    use: WindowUse
    ahead: float | None
    is_hopeless: bool = False


def decide_window(
    limit: WindowLimit, use: WindowUse, *, running_tokens: int, own_tokens: int, is_blind: bool = False
) -> WindowDenial | None:
    """Why an attempt that is to take `own_tokens` may not start now; None: it may, as far as anybody knows.

    Args:
        running_tokens: what attempts have used since the percentage was told, and what those that run are still
            expected to use.
        is_blind: nothing stands behind `own_tokens`: then it is expected to take at most half of the limit, so that
            it starts in a window of which little is used.
    """
    if use.percent is None:
        return None
    running, own = use.ahead(running_tokens), use.ahead(own_tokens)
    if own is not None and is_blind:
        own = min(own, limit.percent / 2)
    ahead = None if running is None or own is None else running + own
    if use.percent < limit.percent and use.percent + (ahead or 0.0) <= limit.percent:
        return None
    return WindowDenial(limit=limit, use=use, ahead=ahead, is_hopeless=own is not None and own > limit.percent)


@dataclass(frozen=True, slots=True)
class WindowFiring:
    """What a new percentage sets off: at most one alert, and the thresholds never to fire again in this window."""

    level: Level
    message: str
    marks: tuple[int, ...]


def due_window_alert(limit: WindowLimit, use: WindowUse, marked: Collection[int]) -> WindowFiring | None:
    """The highest threshold that is newly reached; None if none is.

    Its words name no percentage but the threshold's, so that two processes that see the same say the same.
    """
    if use.percent is None:
        return None
    used = 100 * use.percent / limit.percent
    new = [each for each in limit.thresholds if each.percent <= used and each.percent not in marked]
    if not new or new[-1].percent < max(marked, default=0):
        return None
    highest = new[-1]
    message = (
        f"{name_window(use.agent, use.minutes)} has reached {highest.percent} % of its limit of {limit.percent:g} %"
    )
    return WindowFiring(highest.level, message, tuple(each.percent for each in new))


def name_window(agent: str, minutes: int) -> str:
    """`window codex 5h`: for people."""
    return f"window {agent} {window_length(minutes)}"


def window_length(minutes: int) -> str:
    """`5h`, `7d`, `90m`: as settings write it."""
    for unit in ("d", "h"):
        if minutes % _MINUTES[unit] == 0:
            return f"{minutes // _MINUTES[unit]}{unit}"
    return f"{minutes}m"


def parse_window_length(text: str) -> int:
    """Minutes of a window.

    Raises:
        UserError: it is no such length, or longer than a year.
    """
    found = _LENGTH.fullmatch(text.strip())
    minutes = int(found["number"]) * _MINUTES[found["unit"]] if found else 0
    if not 1 <= minutes <= MOST_MINUTES:
        raise UserError(f"the window `{text}` is no length of time", hint='write it like "5h" or "7d"')
    return minutes


def parse_share(text: str) -> float:
    """Percent of a window, more than 0 and at most 100.

    Raises:
        UserError: it is none.
    """
    found = _SHARE.fullmatch(text.strip())
    percent = float(found["percent"]) if found else 0.0
    if not 0 < percent <= 100:
        raise UserError(f"the limit `{text}` is no share of a window", hint='write it like "80 %"')
    return percent
