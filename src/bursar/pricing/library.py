"""The price library (genai-prices, offline) behind one small port. Its data is read without it, which is quicker.

Source: https://github.com/pydantic/genai-prices, the data of the installed version; nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from bursar.errors import InternalError, UserError
from bursar.pricing.overrides import PriceOverride, choose_overrides
from bursar.pricing.rates import COUNTERS, STANDARD, ModelRates, Rate, RateTable, femto_per_token, plain_name
from bursar.pricing.sieve import NameSieve
from bursar.pricing.snapshot import read_providers

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

    from bursar.usage import Usage

ALIASES = ("haiku", "sonnet", "opus", "fable")  # what Claude Code takes for a model; which one is meant, it decides

_FIRST = ("anthropic", "openai", "google")  # they have made the models that others sell, too

# At these service tiers a call costs half. Source: the providers' pages of prices, checked 2026-11-21. Google's caches
# have no reduced price.
_ALL_BUT_CACHE_READS = tuple(counter for counter in COUNTERS if counter != "cache_read_tokens")
_HALVED: dict[str, dict[str, tuple[str, ...]]] = {
    "anthropic": {"batch": COUNTERS},
    "openai": {"batch": COUNTERS, "flex": COUNTERS},
    "google": {"batch": _ALL_BUT_CACHE_READS},
}

# The library charges a kind of token without a price of its own at the price of the wider kind; bursar says "unknown".
_KEYS = {
    "input_tokens": "input_mtok",
    "cache_read_tokens": "cache_read_mtok",
    "cache_write_5m_tokens": "cache_write_mtok",
    "cache_write_1h_tokens": "cache_write_1h_mtok",
    "output_tokens": "output_mtok",
}


class Prices:
    """Prices at one moment: the list prices, and before them what the user states."""

    def __init__(self, providers: list[Provider], at: datetime, overrides: Iterable[PriceOverride] = ()) -> None:
        self._providers = providers
        self._at = at
        self._overrides = choose_overrides(overrides, at.date())
        self._table: RateTable | None = None

    def table(self, models: Iterable[str] = ALIASES) -> RateTable:
        """Rates of every model of the providers of `models`: an agent may answer with another than was asked for.

        A name that nobody knows adds nothing. What the user states is always in it.
        """
        wanted = {provider.id: provider for name in models if (provider := self._provider(name)) is not None}
        return self._table_of(_models_of(wanted.values()))

    def cost_nano_usd(self, model: str, usage: Usage) -> int | None:
        """The cost of ONE call, rounded up; None if the model, or the price of a kind of token it used, is unknown."""
        return self.whole_table().cost_nano_usd(model, usage)

    def whole_table(self) -> RateTable:
        """Rates of all models of all providers."""
        if self._table is None:
            self._table = self._table_of(_models_of(self._providers))
        return self._table

    def find(self, model: str, service_tier: str = STANDARD) -> ModelRates | None:
        """The rates of one model, as in a table of its provider's; found without making one."""
        found = find_model(self._providers, model)
        alone = [] if found is None else [(found[0].id, found[1])]
        return self._table_of(alone).find(model, service_tier)

    def is_stated(self, rates: ModelRates) -> bool:
        """These rates are the user's word, and not the list's."""
        named = {(plain_name(override.model), override.service_tier) for override in self._overrides}
        return (rates.model, rates.service_tier) in named

    def nearest_models(self, name: str, count: int = 3) -> tuple[str, ...]:
        """Names of models with prices that look like `name`, the nearest first; for messages."""
        import difflib  # 6 ms, for a message that is rarely needed

        known = list(dict.fromkeys(model.id for provider in self._providers for model in provider.models))
        return tuple(difflib.get_close_matches(plain_name(name), known, n=count, cutoff=0.5))

    def check_overrides(self) -> None:
        """Every override that is like a model is like one that has a price.

        Raises:
            UserError: an override is like a model that nobody knows.
        """
        for override in self._overrides:
            if override.like and not self._rates_like(override.like):
                near = ", ".join(self.nearest_models(override.like))
                raise UserError(
                    f"{override.source}: the price of `{override.model}` is like that of `{override.like}`,"
                    " and no price of that model is known",
                    hint=f"known names that look like it: {near}" if near else "bursar price list --all",
                )

    def _provider(self, name: str) -> Provider | None:
        if plain_name(name) in ALIASES:
            return next(provider for provider in self._providers if provider.id == "anthropic")
        found = find_model(self._providers, name)
        return None if found is None else found[0]

    def _table_of(self, models: Iterable[tuple[str, ModelInfo]]) -> RateTable:
        """The user's prices, then the list prices of the models (each after its provider) of which they say nothing."""
        stated = [override.rates(self._rates_like(override.like)) for override in self._overrides]
        standard = [rates for rates in stated if rates.service_tier == STANDARD]
        listed = [
            self.rates_of(model, provider)
            for provider, model in models
            if not any(rates.means(model.id.lower()) for rates in standard)
        ]
        return RateTable([*stated, *listed], dated=self._at.isoformat())

    def _rates_like(self, name: str) -> Mapping[str, Rate]:
        """The list prices of the model that is meant; none if nothing is, or nobody knows it."""
        found = find_model(self._providers, name) if name else None
        return {} if found is None else self.rates_of(found[1]).rates

    def rates_of(self, model: ModelInfo, provider: str = "") -> ModelRates:
        """What calls of one model of the library cost."""
        price = model.get_prices(self._at)
        rates = {counter: rate for counter, key in _KEYS.items() if (rate := _rate(price, key)) is not None}
        halved = _HALVED.get(provider, {})
        return ModelRates(model=model.id.lower(), match=_match(model.match), rates=rates, halved=halved)


def _models_of(providers: Iterable[Provider]) -> Iterator[tuple[str, ModelInfo]]:
    return ((provider.id, model) for provider in providers for model in provider.models)


def load_prices(at: date | datetime, overrides: Iterable[PriceOverride] = ()) -> Prices:
    """The prices that held at a moment (a date means its beginning, UTC). Offline.

    Raises:
        UserError: an override is like a model that nobody knows.
    """
    moment = at if isinstance(at, datetime) else datetime.combine(at, time(), tzinfo=UTC)
    prices = Prices(_providers(), moment, overrides)
    prices.check_overrides()
    return prices


def price_history(
    model: str, service_tier: str = STANDARD, overrides: Sequence[PriceOverride] = ()
) -> list[tuple[date, ModelRates | None]]:
    """What calls of a model at a service tier cost, each price after the day from which on it holds, in order.

    The first holds from the beginning of time. None: nobody knows a price. Empty if nobody ever knew one.
    """
    providers = _providers() if overrides else _providers_with(model)
    found = find_model(providers, model)
    if found is None and not overrides:
        return []
    listed = found[1].prices if found is not None and isinstance(found[1].prices, list) else []
    days = {day for each in listed if (day := _first_day(each)) is not None}
    days |= {override.since for override in overrides if override.since is not None}
    moments = [(day, datetime.combine(day, time(), tzinfo=UTC)) for day in sorted({date.min, *days})]
    history = [(day, Prices(providers, moment, overrides).find(model, service_tier)) for day, moment in moments]
    return history if any(rates is not None for _, rates in history) else []


def _first_day(price: Any) -> date | None:
    """The day from which on one of a model's prices holds; None for one that holds without such a condition."""
    return getattr(getattr(price, "constraint", None), "start_date", None)


def _providers_with(model: str) -> list[Provider]:
    """Providers among which the name is what it is among all; none where it means no model."""
    first = _first_provider()
    if find_model(first, model) is not None:
        return first
    return _providers() if _sieve().lets_through(plain_name(model)) else []


@cache
def _first_provider() -> list[Provider]:
    """The provider at which names are looked up first, read without the others; none where that cannot be."""
    try:
        return read_providers(_FIRST[0])
    except InternalError:
        return []


@cache
def _sieve() -> NameSieve:
    return NameSieve(model.match for provider in _providers() for model in provider.models)


@cache
def _providers() -> list[Provider]:
    """All of the library; names are looked up at those who made the model before those who sell it too."""
    try:
        providers = read_providers()
    except InternalError:
        from genai_prices.data_snapshot import get_snapshot

        providers = get_snapshot().providers
    return sorted(providers, key=lambda provider: _FIRST.index(provider.id) if provider.id in _FIRST else len(_FIRST))


def find_model(providers: Iterable[Provider], name: str) -> tuple[Provider, ModelInfo] | None:
    """The first model that the name means, and who has it; None if there is none."""
    plain = plain_name(name)
    for provider in providers:
        for model in provider.models:
            if _means(model.match, plain):
                return provider, model
    return None


def _means(clause: Any, name: str) -> bool:
    """A clause of the library holds for a name in lower case; one that is not known holds for none."""
    if hasattr(clause, "equals"):
        return bool(name == clause.equals.lower())
    if hasattr(clause, "starts_with"):
        return name.startswith(clause.starts_with.lower())
    if hasattr(clause, "ends_with"):
        return name.endswith(clause.ends_with.lower())
    if hasattr(clause, "contains"):
        return clause.contains.lower() in name
    if hasattr(clause, "regex"):
        return re.search(clause.regex, name) is not None
    if hasattr(clause, "or_"):
        return any(_means(part, name) for part in clause.or_)
    return hasattr(clause, "and_") and all(_means(part, name) for part in clause.and_)


def library_version() -> str:
    """Which release of the price library is installed; cheap, for it is not imported."""
    from importlib.metadata import version

    return version("genai-prices")


def _rate(price: ModelPrice, key: str) -> Rate | None:
    value: Any = getattr(price, key)
    if value is None:
        return None
    if isinstance(value, Decimal):
        return Rate(femto_per_token(value))
    return Rate(femto_per_token(value.base), tuple((tier.start, femto_per_token(tier.price)) for tier in value.tiers))


def _match(clause: Any) -> list[Any]:
    """A clause of the library as plain data.

    Raises:
        InternalError: the library has a kind of clause that did not exist when this was written.
    """
    for kind in ("equals", "starts_with", "ends_with", "contains"):
        if hasattr(clause, kind):
            return [kind, getattr(clause, kind).lower()]
    if hasattr(clause, "regex"):
        return ["regex", clause.regex]
    for kind in ("or", "and"):
        if hasattr(clause, f"{kind}_"):
            return [kind, *map(_match, getattr(clause, f"{kind}_"))]
    raise InternalError(f"unknown clause in the price library: {type(clause).__name__}")
