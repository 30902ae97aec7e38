"""What a provider's headers say of a subscription's windows, as Claude Code 2.1.329 passes it on."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PREFIX = "anthropic-ratelimit-unified-"
_WINDOWS = {"five_hour": "5h", "seven_day": "7d"}


def read_limits(headers: dict[str, str]) -> dict[str, Any] | None:
    """`rate_limit_info`; None where the provider says nothing."""
    if f"{_PREFIX}status" not in headers:
        return None
    windows = {
        name: {
            "utilization": float(headers[f"{_PREFIX}{short}-utilization"]),
            "resetsAt": int(headers[f"{_PREFIX}{short}-reset"]),
        }
        for name, short in _WINDOWS.items()
        if f"{_PREFIX}{short}-utilization" in headers
    }
    return {
        "status": headers[f"{_PREFIX}status"],
        "resetsAt": int(headers.get(f"{_PREFIX}reset", 0)),
        "rateLimitType": headers.get(f"{_PREFIX}representative-claim", "five_hour"),
        "isUsingOverage": False,
        "unifiedWindows": windows,
    }
