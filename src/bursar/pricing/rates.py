"""Rates as plain data, and the arithmetic on them: whole femto-USD per token, rounded up once per call to nano-USD.

The values of this room are named tuples: `dataclasses` takes longer to import than a price to look up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from bursar.usage import Usage

STANDARD = "standard"  # the service tier that a call has when nothing is said of one

FEMTO_PER_NANO = 1_000_000
FEMTO_PER_TOKEN = 1_000_000_000  # 1 USD per million tokens; list prices have at most 9 decimals: whole femto-USD

COUNTERS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
)


class Rate(NamedTuple):
    """What a token of one kind costs in femto-USD: `base`, and from the first tier passed on, the tier's.

    A tier (start, rate) applies to every token of a call whose whole input, cache included, is more than `start`.
    """

    base: int
    tiers: tuple[tuple[int, int], ...] = ()

    def at(self, total_input_tokens: int) -> int:
        """The rate for a call with so much input."""
        rate = self.base
        for start, tier_rate in self.tiers:
            if total_input_tokens > start:
                rate = tier_rate
        return rate


class ModelRates(NamedTuple):
    """One model's rates, by counter of `Usage`; a counter that is absent has no price.

    `match` says which names mean this model: ["equals" | "starts_with" | "ends_with" | "contains" | "regex", text], or
    ["or" | "and", match, …].

    Attributes:
        service_tier: calls of this service tier have these rates.
        halved: at a service tier named here, the counters named with it cost half.
    """

    model: str
    match: Sequence[Any]
    rates: Mapping[str, Rate]
    service_tier: str = STANDARD
    halved: Mapping[str, Sequence[str]] = {}

    def means(self, name: str) -> bool:
        """`name`, in lower case, is a name of this model."""
        return name == self.model or _matches(self.match, name)

    def halved_at(self, service_tier: str) -> Sequence[str] | None:
        """The counters that cost half at a service tier; None if no price is known of that tier."""
        return () if service_tier == self.service_tier else self.halved.get(service_tier)

    def cost_nano_usd(self, usage: Usage, service_tier: str = STANDARD) -> int | None:
        """The cost of one call, rounded up; None if a kind of token that it used has no price at that service tier."""
        halved = self.halved_at(service_tier)
        if halved is None:
            return None
        halves = 0
        for counter in COUNTERS:
            tokens: int = getattr(usage, counter)
            rate = self.rates.get(counter)
            if tokens and rate is None:
                return None
            if tokens and rate is not None:
                halves += tokens * rate.at(usage.total_input_tokens) * (1 if counter in halved else 2)
        return -(-halves // (2 * FEMTO_PER_NANO))


def _matches(match: Sequence[Any], name: str) -> bool:
    kind, *rest = match
    if kind in ("or", "and"):
        return (any if kind == "or" else all)(_matches(part, name) for part in rest)
    text = str(rest[0])
    match kind:
        case "equals":
            return name == text
        case "starts_with":
            return name.startswith(text)
        case "ends_with":
            return name.endswith(text)
        case "contains":
            return text in name
        case "regex":
            return re.search(text, name) is not None
    return False


class RateTable:
    """Rates of some models on one day: pure data, to JSON and back."""

    def __init__(self, models: Sequence[ModelRates], *, dated: str) -> None:
        self._models = tuple(models)
        self._found: dict[tuple[str, str], ModelRates | None] = {}
        self.dated = dated

    @property
    def all_rates(self) -> tuple[ModelRates, ...]:
        """All that it knows; of two that mean one model, the first holds."""
        return self._models

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it knows."""
        return tuple(model.model for model in self._models)

    def cost_nano_usd(self, model: str, usage: Usage, service_tier: str = STANDARD) -> int | None:
        """The cost of ONE call (a price may depend on the call's size); None if the model or a rate is not known."""
        rates = self.find(model, service_tier)
        return None if rates is None else rates.cost_nano_usd(usage, service_tier)

    def dearest_nano_usd(self, model_or_alias: str, usage: Usage) -> int | None:
        """What a call costs at most, at whichever service tier a price is stated for.

        Where an alias (`sonnet`) leaves the model open, the dearest of its family counts. None if neither a model nor a
        family of that name is known.
        """
        name = plain_name(model_or_alias)
        if self.find(model_or_alias) is None:
            meant = [known for known in self._models if name in known.model]
            if all(known.service_tier != STANDARD for known in meant):
                return None
        elif self.cost_nano_usd(model_or_alias, usage) is None:
            return None
        else:
            tiers = {known.service_tier for known in self._models if known.means(name)} | {STANDARD}
            meant = [found for tier in tiers if (found := self.find(model_or_alias, tier)) is not None]
        costs = [known.cost_nano_usd(usage, known.service_tier) for known in meant]
        return max((cost for cost in costs if cost is not None), default=None)

    def find(self, model: str, service_tier: str = STANDARD) -> ModelRates | None:
        """The rates that hold for a model's calls: those of the service tier, else the standard ones."""
        key = (model, service_tier)
        if key not in self._found:
            name = plain_name(model)
            meant = [known for known in self._models if known.means(name)]
            own = (known for known in meant if known.service_tier == service_tier)
            standard = (known for known in meant if known.service_tier == STANDARD)
            self._found[key] = next(own, None) or next(standard, None)
        return self._found[key]

    @cached_property
    def text(self) -> str:
        """The table as JSON, always the same: it goes along with every attempt."""
        import json  # reports of what was spent get on without

        return json.dumps(self.to_data())

    @classmethod
    def from_text(cls, text: str) -> RateTable:
        """The table whose `text` this is."""
        import json

        return cls.from_data(json.loads(text))

    def to_data(self) -> dict[str, Any]:
        """The table as JSON values."""
        return {
            "dated": self.dated,
            "models": [
                {
                    "model": model.model,
                    "match": model.match,
                    "rates": {counter: [rate.base, *map(list, rate.tiers)] for counter, rate in model.rates.items()},
                    "service_tier": model.service_tier,
                    "halved": {tier: list(counters) for tier, counters in model.halved.items()},
                }
                for model in self._models
            ],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> RateTable:
        """The table that `to_data` gave."""
        models = [
            ModelRates(
                model=model["model"],
                match=model["match"],
                rates={counter: _rate(values) for counter, values in model["rates"].items()},
                service_tier=model.get("service_tier", STANDARD),  # tables that were kept by earlier releases have none
                halved=model.get("halved", {}),
            )
            for model in data["models"]
        ]
        return cls(models, dated=data["dated"])


def _rate(values: Sequence[Any]) -> Rate:
    base, *tiers = values
    return Rate(base, tuple((start, rate) for start, rate in tiers))


def femto_per_token(usd_per_million: Decimal) -> int:
    """Femto-USD per token, rounded up where a price has more than nine decimals."""
    return int((usd_per_million * FEMTO_PER_TOKEN).to_integral_value(rounding=ROUND_CEILING))


def plain_name(model: str) -> str:
    """The name without what does not change the price: case, its maker, the mark of the long-context variant (`[1m]`).

    Only makers are dropped (`openai/gpt-5`): who sells another's model may have prices of its own.
    """
    return re.sub(r"^(?:anthropic|openai|google)/|\[[^]]*\]$", "", model.strip().lower())
