"""What a logged call cost at the list price of its day. What the price library says of a model is looked up once."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date
from typing import Any, cast

from bursar.logs.call import CallRow
from bursar.logs.index import LogIndex
from bursar.pricing import COUNTERS, ModelRates, Rate, data_stamp, price_history

_DAY_MS = 86_400_000
_FEMTO_PER_NANO = 1_000_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_Bands = tuple[list[int], list[tuple[int | None, ...]]]
"""Of one model on one day: the numbers of input tokens past which other rates hold, and the five rates of each band."""


class LoggedPrices:
    """Prices for the calls of an index, which keeps what was looked up. Used within a write of the index."""

    def __init__(self, index: LogIndex) -> None:
        self._index = index
        self._library = data_stamp()
        self._kept = index.prices(self._library)
        self._histories: dict[str, tuple[list[int], list[_Bands]]] = {}
        self._on_day: dict[tuple[str, int], _Bands | None] = {}

    def cost_nano_usd(self, call: CallRow) -> int | None:
        """What the call cost; None where the model, or the price of a kind of token, is unknown."""
        _, _, at, model, _, _, _, _, *counts, _ = call
        key = (model, at // _DAY_MS)
        if key not in self._on_day:
            self._on_day[key] = self._look_up(*key)
        bands = self._on_day[key]
        if bands is None:
            return None
        limits, rates = bands
        fresh, read, short, long, output = counts
        band = rates[bisect_left(limits, fresh + read + short + long)] if limits else rates[0]
        if None in band:
            return _cost_of_some(counts, band)
        a, b, c, d, e = cast("tuple[int, ...]", band)
        return -(-(fresh * a + read * b + short * c + long * d + output * e) // _FEMTO_PER_NANO)

    def _look_up(self, model: str, day: int) -> _Bands | None:
        if model not in self._histories:
            self._histories[model] = self._history(model)
        days, histories = self._histories[model]
        return histories[max(0, bisect_right(days, day) - 1)] if histories else None

    def _history(self, model: str) -> tuple[list[int], list[_Bands]]:
        data = self._kept.get(model)
        if data is None:
            history = [(day.toordinal() - _EPOCH_DAY, _to_data(rates)) for day, rates in price_history(model)]
            data = json.dumps(history, separators=(",", ":"))
            self._index.keep_price(self._library, model, data)
        entries = json.loads(data)
        return [day for day, _ in entries], [_bands(rates) for _, rates in entries]


def _to_data(rates: ModelRates) -> dict[str, Any]:
    return {counter: [rate.base, *map(list, rate.tiers)] for counter, rate in rates.rates.items()}


def _cost_of_some(counts: Sequence[int], rates: Sequence[int | None]) -> int | None:
    """As `cost_nano_usd`, where not every kind of token has a price."""
    if any(tokens and rate is None for tokens, rate in zip(counts, rates, strict=True)):
        return None
    total = sum(tokens * rate for tokens, rate in zip(counts, rates, strict=True) if rate is not None)
    return -(-total // _FEMTO_PER_NANO)


def _bands(data: dict[str, Any]) -> _Bands:
    rates = {name: Rate(base, tuple((start, rate) for start, rate in tiers)) for name, (base, *tiers) in data.items()}
    limits = sorted({start for rate in rates.values() for start, _ in rate.tiers})
    return limits, [
        tuple(_rate(rates.get(name), size) for name in COUNTERS) for size in [0, *(at + 1 for at in limits)]
    ]


def _rate(rate: Rate | None, total_input_tokens: int) -> int | None:
    return None if rate is None else rate.at(total_input_tokens)
