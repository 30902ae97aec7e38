"""What logged calls cost at the prices of their day. What is known of a model is looked up once, and kept."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import date
from typing import Protocol

import msgspec

from bursar.logs.bundles import Rates
from bursar.logs.call import STANDARD
from bursar.logs.index import LogIndex
from bursar.logs.stated import NOTHING_STATED, StatedPrices
from bursar.pricing import COUNTERS, FEMTO_PER_NANO, ModelRates, Rate, data_stamp, price_history

Counts = tuple[int, int, int, int, int]
"""The five counters of a call."""

_RELEASE = ""  # no model is called so
_encode, _decode = msgspec.json.encode, msgspec.json.decode  # read logs have msgspec loaded, and `json` not
_UNIT = 2 * FEMTO_PER_NANO  # rates are kept in halves of a femto-USD: some tiers cost half
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_Bands = tuple[list[int], list[list[int | None]]]
"""Of one model on one day: the numbers of input tokens past which other rates hold, and the five rates of each band."""


class CallPrices(Protocol):
    """What calls cost."""

    def costs_nano_usd(self, model: str, service_tier: str, day: int, calls: Iterable[Counts]) -> list[int | None]:
        """What each call cost that was made on that day (since 1970, UTC); None where nobody knows."""
        ...

    def whole_rates(self, model: str, service_tier: str, day: int, most_input: int) -> Rates | None:
        """Nano-USD for a token of each counter, where calls with so much input at most cost just that, and nothing is
        to be rounded; None where it is not so simple."""
        ...


class LoggedPrices:
    """Prices for the calls of an index, which keeps what was looked up. Used within a write of the index.

    Attributes:
        is_due: these prices were not asked for yet: of this release of the library, or with what the user states.
        is_stated_anew: the user states other prices than when calls were priced last.
    """

    def __init__(self, index: LogIndex, stated: StatedPrices = NOTHING_STATED) -> None:
        self._index = index
        self._stated = stated
        self._overrides = tuple(stated.load())
        self._digest = stated.digest(self._overrides)
        self._release = f"{data_stamp()} {self._digest}".rstrip()
        self._kept = index.prices(self._release)
        mark, digest = index.stated_prices()
        self.is_due = _RELEASE not in self._kept or mark != stated.mark
        self.is_stated_anew = digest != self._digest
        self._histories: dict[tuple[str, str], tuple[list[int], list[_Bands | None]]] = {}

    def costs_nano_usd(self, model: str, service_tier: str, day: int, calls: Iterable[Counts]) -> list[int | None]:
        """See `CallPrices`."""
        bands = self._find(model, service_tier or STANDARD, day)
        if bands is None:
            return [None for _ in calls]
        limits, rates = bands
        a, b, c, d, e = rates[0]
        if a is None or b is None or c is None or d is None or e is None:
            return [_cost_in(bands, call) for call in calls]
        if not limits:
            return [-(-(i * a + r * b + s * c + t * d + o * e) // _UNIT) for i, r, s, t, o in calls]
        first = limits[0]
        return [
            -(-(i * a + r * b + s * c + t * d + o * e) // _UNIT)
            if i + r + s + t <= first
            else _cost_in(bands, (i, r, s, t, o))
            for i, r, s, t, o in calls
        ]

    def whole_rates(self, model: str, service_tier: str, day: int, most_input: int) -> Rates | None:
        """See `CallPrices`."""
        bands = self._find(model, service_tier or STANDARD, day)
        if bands is None or (bands[0] and most_input > bands[0][0]):
            return None
        whole = [rate // _UNIT for rate in bands[1][0] if rate is not None and not rate % _UNIT]
        return None if len(whole) < len(COUNTERS) else (whole[0], whole[1], whole[2], whole[3], whole[4])

    def keep(self) -> None:
        """From now on these are the prices that were asked last."""
        self._index.forget_prices(self._release)
        self._index.keep_price(self._release, _RELEASE, "[]")
        self._index.keep_stated_prices(self._stated.mark, self._digest)

    def _find(self, model: str, service_tier: str, day: int) -> _Bands | None:
        known = self._histories.get((model, service_tier))
        if known is None:
            known = self._histories[model, service_tier] = self._history(model, service_tier)
        days, histories = known
        return histories[max(0, bisect_right(days, day) - 1)] if histories else None

    def _history(self, model: str, service_tier: str) -> tuple[list[int], list[_Bands | None]]:
        name = _encode([model, service_tier]).decode()
        data = self._kept.get(name)
        if data is None:
            history = price_history(model, service_tier, self._overrides)
            found = [(day.toordinal() - _EPOCH_DAY, _bands(rates, service_tier)) for day, rates in history]
            data = _encode(found).decode()
            self._index.keep_price(self._release, name, data)
        entries = _decode(data)
        return [day for day, _ in entries], [bands for _, bands in entries]


def _cost_in(bands: _Bands, call: Counts) -> int | None:
    """The cost of a call of any size, of which not every kind of token need have a price."""
    limits, rates = bands
    band = rates[bisect_left(limits, sum(call[:4]))]
    total = 0
    for tokens, rate in zip(call, band, strict=True):
        if tokens and rate is None:
            return None
        total += tokens * (rate or 0)
    return -(-total // _UNIT)


def _bands(rates: ModelRates | None, service_tier: str) -> _Bands | None:
    halved = None if rates is None else rates.halved_at(service_tier)
    if rates is None or halved is None:
        return None
    limits = sorted({start for rate in rates.rates.values() for start, _ in rate.tiers})
    sizes = [0, *(limit + 1 for limit in limits)]
    return limits, [[_rate(rates.rates.get(name), size, name in halved) for name in COUNTERS] for size in sizes]


def _rate(rate: Rate | None, total_input_tokens: int, is_halved: bool) -> int | None:
    return None if rate is None else rate.at(total_input_tokens) * (1 if is_halved else 2)
