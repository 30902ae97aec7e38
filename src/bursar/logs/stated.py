"""Prices that the user states, for the index: seldom read, because most often nothing has changed since."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bursar.pricing import PriceOverride


class StatedPrices:
    """Where stated prices come from.

    Attributes:
        mark: another text whenever they may have changed; cheap to know.
        load: gives them.
    """

    __slots__ = ("load", "mark")

    def __init__(self, mark: str, load: Callable[[], Sequence[PriceOverride]]) -> None:
        self.mark = mark
        self.load = load

    def digest(self, overrides: Sequence[PriceOverride]) -> str:
        """Another text for other prices; empty for none. Where they were stated does not matter."""
        if not overrides:
            return ""
        from hashlib import sha256

        told = [repr((each.model, sorted(each.usd_per_million.items()), each.like, each.since, each.service_tier,
                      [(tier.above_tokens, sorted(tier.usd_per_million.items())) for tier in each.long_context]))
                for each in overrides]  # fmt: skip
        return sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()[:32]


NOTHING_STATED = StatedPrices("", lambda: ())
