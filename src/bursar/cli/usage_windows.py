"""What `bursar usage windows` prints: how much of a subscription's windows is used, and who says so."""

from __future__ import annotations

from bursar.cli.usage_json import to_json, utc_text
from bursar.cli.usage_zone import local_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.logs import PlanWindow, Zone


def windows_as_json(windows: Sequence[PlanWindow]) -> str:
    """A list; what is not known is null."""
    rows: list[object] = [
        {
            "agent": window.agent,
            "windowMinutes": window.minutes,
            "usedPercent": window.percent,
            "source": "official" if window.is_official else "estimated",
            "saidAt": utc_text(window.at) if window.at else None,
            "resetsAt": utc_text(window.resets_at) if window.resets_at else None,
        }
        for window in windows
    ]
    return to_json({"windows": rows}) + "\n"


def render_windows(windows: Sequence[PlanWindow], now: int, zone: Zone) -> str:
    """A line for each that something is known of."""
    known = [window for window in windows if window.percent is not None or window.is_official]
    if not known:
        return "nothing is known of any subscription's windows\n"
    return "".join(_line(window, now, zone) for window in known)


def _line(window: PlanWindow, now: int, zone: Zone) -> str:
    length = f"{window.minutes // 1440} days" if window.minutes >= 2880 else f"{window.minutes / 60:g} hours"
    used = "unknown" if window.percent is None else f"{window.percent:.0f} %"
    if window.is_official and window.percent is None:
        told = "it has begun anew since the provider spoke of it"
    elif window.is_official:
        told = f"as the provider said {_ago(now - window.at)}"
    else:
        told = "of the most that was used in such a time before (an estimate: the provider says nothing)"
    resets = f"; begins anew at {local_text(window.resets_at, zone)}" if window.resets_at else ""
    return f"{window.agent:<10}{length:<10}{used:>8}  {told}{resets}\n"


def _ago(milliseconds: int) -> str:
    minutes = max(0, milliseconds // 60_000)
    if minutes < 1:
        return "just now"
    return f"{minutes} min ago" if minutes < 120 else f"{minutes // 60} h ago"
