"""Money is a whole number of nano-USD (10⁻⁹ USD). There is no float in here.

Source: docs/decisions/0003-money-is-integer-nano-usd.md
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal

NANO_PER_USD = 1_000_000_000


def nano_usd_from_decimal(usd: Decimal) -> int:
    """A price in USD as nano-USD, rounded up, so that rounding never hides a cost."""
    from decimal import ROUND_CEILING  # here, because quick commands price nothing

    return int((usd * NANO_PER_USD).to_integral_value(rounding=ROUND_CEILING))


def format_usd(nano_usd: int | None, *, digits: int = 2) -> str:
    """`1.20 USD`, with more digits where the amount is smaller than `digits` can show; None is `unknown cost`."""
    if nano_usd is None:
        return "unknown cost"
    from decimal import Decimal  # here, because most of what quick commands say is in tokens

    usd = Decimal(nano_usd) / NANO_PER_USD
    smallest = Decimal(1).scaleb(-digits)
    if usd and abs(usd) < smallest:
        digits = min(9, 1 - usd.adjusted())
    return f"{usd:,.{digits}f} USD"
