"""Dated prices → the cost of one call. Integers only; what has no price has no cost, never a cost of 0.

`load_prices` reads the price library (slow, once, in the process that starts a run); the `RateTable` it gives is plain
data that any other process reads in no time.
"""

from bursar.pricing.library import ALIASES, Prices, library_version, load_prices, price_changes
from bursar.pricing.rates import RateTable

__all__ = ["ALIASES", "Prices", "RateTable", "library_version", "load_prices", "price_changes"]
