"""Prices that the user states: for a model of their own, a contract, a service tier. They go before the list prices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from bursar.pricing.rates import COUNTERS, STANDARD, ModelRates, Rate, femto_per_token, plain_name


class LongContext(NamedTuple):
    """From `above_tokens` of input on (more than, cache included), these USD per million tokens hold, by counter."""

    above_tokens: int
    usd_per_million: Mapping[str, Decimal]


class PriceOverride(NamedTuple):
    """What calls of one model cost.

    Attributes:
        model: the model's name, or a pattern in which `*` stands for anything.
        usd_per_million: USD per million tokens, by counter of `Usage`. A counter that is absent has the price of
            `like`, else none.
        like: a model whose prices hold where nothing else is said; empty for none.
        since: the first day (UTC) on which this holds; None for always.
        service_tier: the service tier whose calls cost this.
        long_context: further prices for calls with more input.
        source: where it was stated, for people.
    """

    model: str
    usd_per_million: Mapping[str, Decimal]
    like: str = ""
    since: date | None = None
    service_tier: str = STANDARD
    long_context: Sequence[LongContext] = ()
    source: str = ""

    def rates(self, like: Mapping[str, Rate]) -> ModelRates:
        """The rates of its calls; `like` are the rates that hold where it says nothing."""
        own = {counter: rate for counter in COUNTERS if (rate := self._rate(counter)) is not None}
        return ModelRates(
            model=plain_name(self.model),
            match=_match(self.model),
            rates={**like, **own},
            service_tier=self.service_tier,
        )

    def _rate(self, counter: str) -> Rate | None:
        if counter not in self.usd_per_million:
            return None
        tiers = sorted(
            (tier.above_tokens, femto_per_token(tier.usd_per_million[counter]))
            for tier in self.long_context
            if counter in tier.usd_per_million
        )
        return Rate(femto_per_token(self.usd_per_million[counter]), tuple(tiers))


def choose_overrides(overrides: Iterable[PriceOverride], day: date) -> tuple[PriceOverride, ...]:
    """Those that hold on a day, the one that goes first, first: of one model and service tier only the latest.

    Of two with the same first day the one that was stated later holds. A name goes before a pattern.
    """
    latest: dict[tuple[str, str], PriceOverride] = {}
    for override in overrides:
        key = (plain_name(override.model), override.service_tier)
        if _begins(override) > day:
            continue
        if key not in latest or _begins(override) >= _begins(latest[key]):
            latest.pop(key, None)
            latest[key] = override
    return tuple(sorted(latest.values(), key=lambda override: "*" in override.model))


def _begins(override: PriceOverride) -> date:
    return override.since or date.min


def _match(pattern: str) -> list[Any]:
    name = plain_name(pattern)
    if "*" not in name:
        return ["equals", name]
    return ["regex", "^" + ".*".join(map(re.escape, name.split("*"))) + "$"]
