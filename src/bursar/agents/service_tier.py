"""How a provider served a call, in one word: the tier of its service, or that it was a fast one."""

from __future__ import annotations

_USUAL = frozenset({"", "standard", "default", "auto", "on_demand"})
_LONGEST = 40


def name_service_tier(tier: object, speed: object = None) -> str | None:
    """`fast`, `priority`, `batch`; `standard` where nothing unusual is said, None where nothing is said at all.

    Where both are unusual it is the speed, which costs more.
    """
    told = [value.lower() for value in (speed, tier) if isinstance(value, str) and _is_name(value)]
    unusual = next((value for value in told if value not in _USUAL), None)
    return unusual or ("standard" if told else None)


def _is_name(text: str) -> bool:
    return len(text) <= _LONGEST and text.isprintable()
