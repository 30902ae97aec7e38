"""Dated prices, listed or stated by the user → the cost of one call. What has no price has no cost, never a cost of 0.

`load_prices` reads the price library (slow, once, in the process that starts a run); the `RateTable` it gives is plain
data that any other process reads in no time. Integers only.
"""

from bursar.pricing.library import ALIASES, Prices, library_version, load_prices, price_history
from bursar.pricing.overrides import LongContext, PriceOverride
from bursar.pricing.rates import COUNTERS, FEMTO_PER_NANO, FEMTO_PER_TOKEN, STANDARD, ModelRates, Rate, RateTable
from bursar.pricing.snapshot import data_stamp

__all__ = [
    "ALIASES",
    "COUNTERS",
    "FEMTO_PER_NANO",
    "FEMTO_PER_TOKEN",
    "STANDARD",
    "LongContext",
    "ModelRates",
    "PriceOverride",
    "Prices",
    "Rate",
    "RateTable",
    "data_stamp",
    "library_version",
    "load_prices",
    "price_history",
]
