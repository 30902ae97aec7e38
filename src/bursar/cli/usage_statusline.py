"""`bursar usage statusline`: one line for Claude Code, which asks for it again and again. Imports next to nothing."""

from __future__ import annotations

import sys
import time

from bursar.cli.usage_prices import stated_prices
from bursar.errors import OK, UserError
from bursar.logs import LogIndex, Totals, Wanted, Zone, add_up, note_limit, rows_by_session, running_block, update_index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bursar.logs import Block

_DAY = 86_400
_MOST_STDIN = 1 << 20
_LIMITS = (("five_hour", 300, "5h"), ("seven_day", 10_080, "7d"))
_SETTINGS = """put this into ~/.claude/settings.json: \
{"statusLine": {"type": "command", "command": "bursar usage statusline"}}"""


def read_told() -> Mapping[str, Any]:
    """What Claude Code hands to the command; nothing where it cannot be read.

    Raises:
        UserError: nobody hands anything to it.
    """
    if sys.stdin.isatty():
        raise UserError("`statusline` reads what Claude Code hands to it on stdin", hint=_SETTINGS)
    import json

    try:
        told = json.loads(sys.stdin.buffer.read(_MOST_STDIN))
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def print_statusline(index: LogIndex, environment: Mapping[str, str], zone: Zone) -> int:
    """Reads what is new and prints: model; cost of session and day; what is left of the block; limits of the plan."""
    told, now = read_told(), int(time.time() * 1000)
    update_index(index, environment, stated=stated_prices(environment))
    limits = _note_limits(index, told, now)
    session = told.get("session_id")
    parts = [_model(told)]
    if isinstance(session, str) and session:
        parts.append(f"session {_session_cost(index, session, told)}")
    today = Wanted(_midnight(zone, now), _midnight(zone, now, days=1))
    parts.append(f"today {_usd(_used(index, today))}")
    parts.append(_block(running_block(index, "claude", now), now))
    sys.stdout.write(" | ".join(part for part in (*parts, limits) if part) + "\n")
    return OK


def _model(told: Mapping[str, Any]) -> str:
    model = told.get("model")
    name = model.get("display_name") or model.get("id") if isinstance(model, dict) else None
    return "".join(sign for sign in name if sign.isprintable()) if isinstance(name, str) else ""


def _session_cost(index: LogIndex, session: str, told: Mapping[str, Any]) -> str:
    """By the logs; where they have nothing yet, as Claude Code says itself."""
    used = _used(index, Wanted(session=session))
    cost = told.get("cost")
    stated = cost.get("total_cost_usd") if isinstance(cost, dict) else None
    if not used.calls and isinstance(stated, int | float) and 0 <= stated < 1e9:
        return f"{stated:.2f} USD"
    return _usd(used)


def _used(index: LogIndex, wanted: Wanted) -> Totals:
    return add_up(row.totals for row in rows_by_session(index, wanted))


def _midnight(zone: Zone, now: int, days: int = 0) -> int:
    """When today began, or a day so many days later."""
    seconds = now // 1000
    return 1000 * zone.midnight((seconds + zone.offset_at(seconds)) // _DAY + days)


def _block(block: Block | None, now: int) -> str:
    if block is None:
        return "no block"
    hours, minutes = divmod((block.ends_at - now) // 60_000, 60)
    return f"block {_usd(block.totals)}, {hours}h {minutes:02}m left"


def _note_limits(index: LogIndex, told: Mapping[str, Any], now: int) -> str:
    """What Claude Code says of the plan's limits is kept for `bursar usage windows`, and told."""
    limits, said = told.get("rate_limits"), []
    for name, minutes, short in _LIMITS:
        window = limits.get(name) if isinstance(limits, dict) else None
        if not isinstance(window, dict):
            continue
        percent, resets = window.get("used_percentage"), window.get("resets_at")
        if not isinstance(percent, int | float) or isinstance(percent, bool) or not 0 <= percent <= 100:
            continue  # versions have said the time of the reset there
        resets_at = int(resets) if isinstance(resets, int | float) and 0 < resets < 1 << 35 else 0
        note_limit(index, "claude", name, minutes, float(percent), resets_at, now)
        said.append(f"{short} {percent:.0f} %")
    return " · ".join(said)


def _usd(totals: Totals) -> str:
    """`1.20 USD`; with a `+` where the price of something is not known."""
    cents = (totals.nano_usd + 5_000_000) // 10_000_000
    return f"{cents // 100}.{cents % 100:02}{'+' if totals.unpriced else ''} USD"
