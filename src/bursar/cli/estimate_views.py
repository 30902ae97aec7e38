"""A forecast for people and for programs. Money leaves as whole nano-USD, rounded up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from bursar.budget import format_quantity
from bursar.estimation import DRAWS, Draws
from bursar.history import SURE, Basis, Chance, Estimated, Told, to_nano_usd
from bursar.layout import count_of
from bursar.money import format_usd
from bursar.reports import plain

_SHARES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


def render(title: str, estimated: Estimated, basis: Basis, chance: Chance | None) -> Iterator[str]:
    """The forecast, line by line."""
    count = len(estimated.told)
    yield f"{title}: {count} {'task' if count == 1 else 'tasks'}, an attempt at each"
    width = max(len(each.work.name) for each in estimated.told)
    priced = not estimated.unpriced
    for each in estimated.told:
        words = f"{each.model}  {plain(each.work.title)[:48]}"
        yield f"  {each.work.name:<{width}}  {_amounts(each.rung.amounts, priced)}  {words}".rstrip()
    whole = estimated.whole
    yield ""
    sums = _amounts({**whole.amounts, "seconds": whole.seconds}, priced)
    yield f"all together: {sums} with at most {basis.slots} at once"
    yield f"everything succeeds with probability {whole.success:.2f}, {_tries(basis.attempts)}"
    if estimated.unpriced:
        yield f"no price is known for {', '.join(estimated.unpriced)}: what it costs is unknown"
    if chance is not None:
        yield from _render_chance(chance)
    yield _render_basis(estimated.told, basis)
    yield f"{DRAWS:,} draws with seed {basis.seed}"


def as_data(title: str, estimated: Estimated, basis: Basis, chance: Chance | None) -> dict[str, Any]:
    """The forecast for programs."""
    whole, priced = estimated.whole, not estimated.unpriced
    data: dict[str, Any] = {
        "target": title,
        "seed": basis.seed,
        "draws": DRAWS,
        "max_parallel": basis.slots,
        "attempts_per_task": basis.attempts,
        "observations": basis.experience.observations,
        "coverage": coverage_of(basis),
        "tasks": [_task_as_data(each, priced) for each in estimated.told],
        "total": _as_quantiles({**whole.amounts, "seconds": whole.seconds}, priced),
        "success": round(whole.success, 4),
        "unpriced_models": list(estimated.unpriced),
    }
    return data if chance is None else data | {"budget": _chance_as_data(chance)}


def coverage_of(basis: Basis) -> float | None:
    """The share of past attempts whose tokens lay within the interval that would have been given; None for too few."""
    return basis.experience.estimator.coverage("tokens")


def _task_as_data(each: Told, priced: bool) -> dict[str, Any]:
    return {
        "task": each.work.name,
        "title": each.work.title,
        "model": each.model,
        "source": each.source,
        "success": round(each.rung.success, 4),
        **_as_quantiles(each.rung.amounts, priced),
    }


def _as_quantiles(amounts: dict[str, Draws], priced: bool) -> dict[str, Any]:
    cost = {name: to_nano_usd(value) for name, value in _quantiles(amounts["cost_usd"]).items()} if priced else None
    return {
        "tokens": {name: math.ceil(value) for name, value in _quantiles(amounts["tokens"]).items()},
        "nano_usd": cost,
        "seconds": {name: round(value, 1) for name, value in _quantiles(amounts["seconds"]).items()},
    }


def _chance_as_data(chance: Chance) -> dict[str, Any]:
    return {
        "unit": chance.limit.unit.value,
        "limit": chance.limit.quantity,
        "finishes": round(chance.probability, 4),
        "suffices": round(chance.enough, 4),
        "sure": SURE,
        "needed": chance.needed,
        "needed_to_pay": chance.needed_for_money,
    }


def _quantiles(draws: Draws) -> dict[str, float]:
    ordered = draws.copy()
    ordered.sort()
    return {
        name: ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] for name, share in _SHARES.items()
    }


def _amounts(amounts: dict[str, Draws], priced: bool) -> str:
    tokens, seconds = _quantiles(amounts["tokens"]), _quantiles(amounts["seconds"])
    parts = [f"{_short(tokens['p50'])} tokens ({_short(tokens['p10'])} to {_short(tokens['p90'])})"]
    if priced:
        cost = {name: format_usd(to_nano_usd(value)) for name, value in _quantiles(amounts["cost_usd"]).items()}
        parts.append(f"{cost['p50']} ({cost['p10'].removesuffix(' USD')} to {cost['p90'].removesuffix(' USD')})")
    parts.append(f"{_time(seconds['p50'])} ({_time(seconds['p10'])} to {_time(seconds['p90'])})")
    return ", ".join(parts)


def _render_chance(chance: Chance) -> Iterator[str]:
    limit = format_quantity(chance.limit.quantity, chance.limit.unit)
    told = f"with {limit} this finishes with probability {chance.probability:.2f}"
    if chance.needed is not None:
        yield f"{told}; it needs {format_quantity(chance.needed, chance.limit.unit)} for {SURE}"
        return
    yield f"{told}; no budget makes that {SURE}, because tasks fail"
    needed = format_quantity(chance.needed_for_money, chance.limit.unit)
    yield f"it pays for what is begun with probability {chance.enough:.2f}; for {SURE} that takes {needed}"


def _render_basis(told: Sequence[Told], basis: Basis) -> str:
    seen, coverage = basis.experience.observations, coverage_of(basis)
    sources = sorted({each.source for each in told if not each.source.startswith("learned")})
    if not seen:
        return f"no history, nothing here has been measured: {', '.join(sources)}"
    words = [f"from {count_of(seen, 'finished attempt')}"]
    if coverage is not None:
        words.append(f"{100 * coverage:.0f} % of them within their intervals")
    if sources:
        words.append(f"not enough of them yet: {', '.join(sources)}")
    return "; ".join(words)


def _tries(attempts: int) -> str:
    return "one attempt each" if attempts == 1 else f"at most {attempts} attempts each"


def _short(tokens: float) -> str:
    if tokens < 1_000:
        return f"{math.ceil(tokens)}"
    return f"{tokens / 1_000:.3g}k" if tokens < 999_500 else f"{tokens / 1_000_000:.3g}M"


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"
