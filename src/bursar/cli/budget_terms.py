"""The terms of a budget, by the keys of its table in the settings: as words, and as data for JSON."""

from __future__ import annotations

from bursar.budget import LOGS_LABEL, Budget, format_quantity


def terms_in_words(budget: Budget) -> dict[str, str]:
    """What holds, key by key."""
    thresholds = ", ".join(f"{each.percent / 100:g} {each.name or each.level}" for each in budget.thresholds)
    return {
        "limit": format_quantity(budget.limit.quantity, budget.limit.unit),
        "match": ", ".join(f"{label}={value}" for label, value in _match(budget).items()) or "everything",
        **({"include_logs": "yes: what agents' logs show counts, too"} if LOGS_LABEL in budget.selector else {}),
        "period": str(budget.period),
        "timezone": budget.period.timezone or "UTC",
        "on_limit": str(budget.on_limit),
        "thresholds": thresholds or "none",
        "counts": str(budget.counts),
        "allow_unknown_price": "true" if budget.allows_unknown_price else "false",
    }


def terms_as_data(budget: Budget) -> dict[str, object]:
    """What is not said in `bursar budget list` already."""
    return {
        "match": _match(budget),
        "include_logs": LOGS_LABEL in budget.selector,
        "timezone": budget.period.timezone,
        "counts": str(budget.counts),
        "thresholds": [
            {"share": threshold.percent / 100, "level": str(threshold.level), "name": threshold.name}
            for threshold in budget.thresholds
        ],
        "stop": None if budget.stop_percent is None else budget.stop_percent / 100,
        "allow_unknown_price": budget.allows_unknown_price,
    }


def _match(budget: Budget) -> dict[str, str]:
    """What operations must carry, as the settings say it."""
    return {label: value for label, value in budget.selector.items() if label != LOGS_LABEL}
