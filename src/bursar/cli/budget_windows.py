"""Windows of subscriptions in `bursar budget list`: what is used of those that the settings limit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bursar.budget import WindowLimit, WindowUse, name_window
from bursar.clock import SystemClock
from bursar.logs import SOURCES, open_index, update_index
from bursar.logs.window_use import window_uses
from bursar.paths import LOGS_FILE, state_dir


def render_windows(limits: Sequence[WindowLimit]) -> str:
    """A line for each limit, after what is new in the logs was read; nothing without limits."""
    if not limits:
        return ""
    agents, now = sorted({limit.agent for limit in limits}), SystemClock().now()
    Path(state_dir()).mkdir(parents=True, exist_ok=True, mode=0o700)
    index = open_index(os.path.join(state_dir(), LOGS_FILE))
    try:
        update_index(index, os.environ, [source for source in SOURCES if source.name in agents])
        uses = window_uses(index, agents, now)
    finally:
        index.close()
    return "".join(_line(limit, use, now) for limit in limits for use in _of(limit, uses))


def _of(limit: WindowLimit, uses: Sequence[WindowUse]) -> Sequence[WindowUse | None]:
    found = [use for use in uses if (use.agent, use.minutes) == (limit.agent, limit.minutes)]
    return found or [None]


def _line(limit: WindowLimit, use: WindowUse | None, now: datetime) -> str:
    name = f"{name_window(limit.agent, limit.minutes):<20}"
    if use is None or use.percent is None:
        return f"{name} nothing is known of it, limit {limit.percent:g} % · {limit.on_limit}\n"
    said = "has begun anew since it was told of" if use.has_begun_anew else _said(use, now)
    resets = "" if use.resets_at is None else f" · begins anew {use.resets_at.astimezone():%Y-%m-%d %H:%M}"
    return f"{name} {use.percent:.0f} % used ({said}), limit {limit.percent:g} %{resets} · {limit.on_limit}\n"


def _said(use: WindowUse, now: datetime) -> str:
    if use.said_at is None:
        return "an estimate"
    return f"said {int((now - use.said_at).total_seconds()) // 60} min ago"
