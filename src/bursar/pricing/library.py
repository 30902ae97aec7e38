"""The price library (genai-prices, offline) behind one small port. Imported late: it costs 140 ms.

Source: https://github.com/pydantic/genai-prices, the data of the installed version; nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

from bursar.errors import InternalError
from bursar.pricing.rates import ModelRates, Rate, RateTable, plain_name
from bursar.usage import Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

ALIASES = ("haiku", "sonnet", "opus", "fable")  # what Claude Code takes for a model; which one is meant, it decides
FEMTO_PER_TOKEN = 1_000_000_000  # 1 USD per million tokens

# The library charges a kind of token without a price of its own at the price of the wider kind; bursar says "unknown".
_KEYS = {
    "input_tokens": "input_mtok",
    "cache_read_tokens": "cache_read_mtok",
    "cache_write_5m_tokens": "cache_write_mtok",
    "cache_write_1h_tokens": "cache_write_1h_mtok",
    "output_tokens": "output_mtok",
}


class Prices:
    """List prices at one moment."""

    def __init__(self, providers: list[Provider], at: datetime) -> None:
        self._providers = providers
        self._at = at
        self._table: RateTable | None = None

    def table(self, models: Iterable[str] = ALIASES) -> RateTable:
        """Rates of every model of the providers of `models`: an agent may answer with another than was asked for.

        A name that nobody knows adds nothing.
        """
        wanted = {provider.id: provider for name in models if (provider := self._provider(name)) is not None}
        rates = [self._rates(model) for provider in wanted.values() for model in provider.models]
        return RateTable(rates, dated=self._at.isoformat())

    def cost_nano_usd(self, model: str, usage: Usage) -> int | None:
        """The cost of ONE call, rounded up; None if the model, or the price of a kind of token it used, is unknown."""
        if self._table is None:
            rates = [self._rates(known) for provider in self._providers for known in provider.models]
            self._table = RateTable(rates, dated=self._at.isoformat())
        return self._table.cost_nano_usd(model, usage)

    def nearest_models(self, name: str, count: int = 3) -> tuple[str, ...]:
        """Names of models with prices that look like `name`, the nearest first; for messages."""
        import difflib  # 6 ms, for a message that is rarely needed

        known = list(dict.fromkeys(model.id for provider in self._providers for model in provider.models))
        return tuple(difflib.get_close_matches(plain_name(name), known, n=count, cutoff=0.5))

    def _provider(self, name: str) -> Provider | None:
        plain = plain_name(name)
        if plain in ALIASES:
            return next(provider for provider in self._providers if provider.id == "anthropic")
        for provider in self._providers:
            if any(model.is_match(plain) for model in provider.models):
                return provider
        return None

    def _rates(self, model: ModelInfo) -> ModelRates:
        price = model.get_prices(self._at)
        rates = {counter: rate for counter, key in _KEYS.items() if (rate := _rate(price, key)) is not None}
        return ModelRates(model=model.id.lower(), match=_match(model.match), rates=rates)


def load_prices(at: date | datetime) -> Prices:
    """The list prices that held at a moment (a date means its beginning, UTC). Offline; imports the library."""
    from genai_prices.data_snapshot import get_snapshot

    moment = at if isinstance(at, datetime) else datetime.combine(at, time(), tzinfo=UTC)
    providers = get_snapshot().providers
    # Names are looked up at those who made the model before those who sell it too.
    first = ("anthropic", "openai", "google")
    ordered = sorted(providers, key=lambda provider: first.index(provider.id) if provider.id in first else len(first))
    return Prices(ordered, moment)


def library_version() -> str:
    """Which release of the price library is installed; cheap, for it is not imported."""
    from importlib.metadata import version

    return version("genai-prices")


def price_changes() -> list[date]:
    """The days on which a list price of any model changes, in order; prices by the hour of a day are not among them."""
    from genai_prices.data_snapshot import get_snapshot
    from genai_prices.types import StartDateConstraint

    return sorted(
        {
            price.constraint.start_date
            for provider in get_snapshot().providers
            for model in provider.models
            if isinstance(model.prices, list)
            for price in model.prices
            if isinstance(price.constraint, StartDateConstraint)
        }
    )


def _rate(price: ModelPrice, key: str) -> Rate | None:
    value: Any = getattr(price, key)
    if value is None:
        return None
    if isinstance(value, Decimal):
        return Rate(_femto(value))
    return Rate(_femto(value.base), tuple((tier.start, _femto(tier.price)) for tier in value.tiers))


def _femto(usd_per_million: Decimal) -> int:
    """Femto-USD per token, rounded up where a price has more than nine decimals."""
    return int((usd_per_million * FEMTO_PER_TOKEN).to_integral_value(rounding=ROUND_CEILING))


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
