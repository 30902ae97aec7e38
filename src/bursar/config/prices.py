"""`[[price]]`: what calls cost by the user's word. It goes before the list prices."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import msgspec

from bursar.budget import Unit, parse_limit
from bursar.config.files import FILE_NAME
from bursar.errors import UserError
from bursar.pricing import STANDARD, LongContext, PriceOverride

COUNTER_OF = {
    "input": "input_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write_5m": "cache_write_5m_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "output": "output_tokens",
}
_LONGEST_NAME = 200
_DEAREST = Decimal(1_000_000)  # USD for a million tokens: whoever means more has got the unit wrong
_FORM = re.compile(r"(?P<dollar>\$)?(?P<number>\d{1,9}(?:\.\d{1,12})?)(?P<unit> ?USD)?", re.IGNORECASE)


class _Rates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    input: str = ""
    cache_read: str = ""
    cache_write_5m: str = ""
    cache_write_1h: str = ""
    output: str = ""

    def usd_per_million(self, where: str) -> dict[str, Decimal]:
        """What is stated, by counter.

        Raises:
            UserError: it is not money.
        """
        stated = {key: getattr(self, key) for key in COUNTER_OF}
        return {COUNTER_OF[key]: _usd(text, f"{where}{key}") for key, text in stated.items() if text}


class LongContextTable(_Rates, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[price.long_context]]`: the prices of calls with more input than that, cache included."""

    above: str


class PriceTable(_Rates, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[price]]`: USD for a million tokens, as text (`"3.75 USD"`): a number in TOML would be a float.

    Attributes:
        model: a name, or a pattern in which `*` stands for anything.
        like: a model whose list prices hold where nothing else is said.
        since: the first day (UTC) on which it holds.
        service_tier: the tier of service whose calls cost this, as the provider reports it: `priority`, `batch`, ….
    """

    model: str
    like: str = ""
    since: date | None = None
    service_tier: str = STANDARD
    long_context: list[LongContextTable] = []

    def override(self) -> PriceOverride:
        """What the table states.

        Raises:
            UserError: it states nothing, or nonsense.
        """
        where = f"price of `{self.model}`: "
        self._check(where)
        usd = self.usd_per_million(where)
        return PriceOverride(
            model=self.model,
            usd_per_million=usd,
            like=self.like,
            since=self.since,
            service_tier=self.service_tier,
            long_context=[_long_context(tier, usd, where) for tier in self.long_context],
            source=FILE_NAME,
        )

    def _check(self, where: str) -> None:
        for name in (self.model, self.service_tier):
            if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
                raise UserError(f"{where}`{name[:_LONGEST_NAME]!r}` is no name")
        if not self.like and not (self.input and self.output):
            raise UserError(
                f"{where}it needs `input` and `output`, or a model that it is `like`",
                hint='[[price]]\nmodel = "my-model"\ninput = "3 USD"\noutput = "15 USD"   # for a million tokens',
            )


def check_prices(tables: list[PriceTable], where: str) -> None:
    """Every table makes sense.

    Raises:
        UserError: one does not.
    """
    for table in tables:
        try:
            table.override()
        except UserError as error:
            raise UserError(f"{where}{error.message}", hint=error.hint) from error


def _long_context(tier: LongContextTable, base: Mapping[str, Decimal], where: str) -> LongContext:
    above = parse_limit(tier.above)
    usd = tier.usd_per_million(f"{where}long_context.")
    if above.unit is not Unit.TOKENS:
        raise UserError(f"{where}long_context.above must be in tokens", hint='above = "200k tokens"')
    if without := sorted(set(usd) - set(base)):
        raise UserError(f"{where}`{without[0]}` has a price for long context and none for less")
    return LongContext(above_tokens=above.quantity, usd_per_million=usd)


def _usd(text: str, where: str) -> Decimal:
    found = _FORM.fullmatch(text.strip(" "))
    if found is None or not (found["dollar"] or found["unit"]):
        raise UserError(
            f"{where}: `{text}` is not an amount in USD for a million tokens", hint='for example "3.75 USD"'
        )
    usd = Decimal(found["number"])
    if usd > _DEAREST:
        raise UserError(f"{where}: `{text}` is too much for a million tokens: at most {_DEAREST:,} USD")
    return usd
