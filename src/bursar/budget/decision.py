"""Who gets how much: the one decision that every store takes, on balances that it has locked.

An amount has two sides, tokens and USD, and they belong together: the USD are the cost of those tokens. So a smaller
grant keeps their proportion: its tokens are rounded down, and the cost of those tokens is rounded up to whole nano-USD.
The cost still fits: with tokens t ≤ T·(U/C) of a wish for T tokens at cost C, where U is what is available in USD,
C·(t/T) ≤ U, and U is whole. Neither side is ever cut below `minimum`, where the minimum fits; so a request is refused
exactly when its minimum does not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bursar.budget.types import Amount, Balance, OnLimit, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """One budget that could not cover a request; quantities in its unit. `wanted` None: the cost is unknown."""

    balance: Balance
    wanted: int | None


def decide(balances: Sequence[Balance], amount: Amount, minimum: Amount | None) -> Amount | tuple[Shortfall, ...]:
    """The largest grant up to `amount` that every blocking budget can cover, or every budget that stands in the way.

    Budgets that only warn never stand in the way. A frozen budget lets nothing pass, not even what is free; a blocking
    budget in USD nothing whose cost is unknown.

    Args:
        balances: of all budgets that the operation is charged to.
        minimum: the least that is worth having, on both sides; None: all or nothing. Where its cost is unknown, its
            share of the amount's cost is meant.
    """
    blocking = [balance for balance in balances if balance.budget.on_limit is OnLimit.BLOCK]
    least = amount if minimum is None else _least(amount, minimum)
    shortfalls = tuple(_shortfall(balance, least) for balance in blocking if not _fits(balance, least))
    if shortfalls:
        return shortfalls
    return _largest(amount, least, _available(blocking, Unit.TOKENS), _available(blocking, Unit.USD))


def _least(amount: Amount, minimum: Amount) -> Amount:
    if amount.nano_usd is None:
        return Amount(minimum.tokens, None)
    if minimum.nano_usd is None:
        return Amount(minimum.tokens, _share(amount.nano_usd, minimum.tokens, amount.tokens))
    return minimum


def _fits(balance: Balance, least: Amount) -> bool:
    wanted = least.of(balance.budget.limit.unit)
    return wanted is not None and wanted <= balance.available and not balance.is_frozen


def _shortfall(balance: Balance, least: Amount) -> Shortfall:
    return Shortfall(balance=balance, wanted=least.of(balance.budget.limit.unit))


def _available(balances: Sequence[Balance], unit: Unit) -> int | None:
    """What the tightest budget of that unit has left; None where there is none."""
    return min((each.available for each in balances if each.budget.limit.unit is unit), default=None)


def _largest(amount: Amount, least: Amount, tokens_left: int | None, nano_left: int | None) -> Amount:
    tokens = amount.tokens if tokens_left is None else min(amount.tokens, tokens_left)
    if amount.nano_usd is None or least.nano_usd is None:
        return Amount(tokens, amount.nano_usd)
    affordable = amount.nano_usd if nano_left is None else min(amount.nano_usd, nano_left)
    if amount.tokens == 0:
        return Amount(0, affordable)
    if amount.nano_usd:
        tokens = min(tokens, amount.tokens * affordable // amount.nano_usd)
    return Amount(max(tokens, least.tokens), max(_share(amount.nano_usd, tokens, amount.tokens), least.nano_usd))


def _share(nano_usd: int, tokens: int, of_tokens: int) -> int:
    """The cost of some of the tokens, rounded up to whole nano-USD; no tokens cost nothing."""
    return -(-nano_usd * tokens // of_tokens) if of_tokens else 0
