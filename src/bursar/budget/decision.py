"""Who gets how much: the one decision that every store takes, on balances that it has locked.

An amount has several sides: tokens, those of them that are fresh, those that are output, and USD. They belong together:
the USD are the cost of those tokens. So a smaller grant keeps their proportion: its tokens are rounded down, and the
share of each other side is rounded up to a whole number. The share still fits: with tokens t ≤ T·(A/W) of a wish for T
tokens whose other side is W, where A is what is available of that side, W·(t/T) ≤ A, and A is whole. No side is ever
cut below `minimum`, where the minimum fits; so a request is refused exactly when its minimum does not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bursar.budget.types import Amount, Balance, Counting, OnLimit, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """One budget that could not cover a request; quantities in its unit. `wanted` None: the cost is unknown."""

    balance: Balance
    wanted: int | None


def decide(balances: Sequence[Balance], amount: Amount, minimum: Amount | None) -> Amount | tuple[Shortfall, ...]:
    """The largest grant up to `amount` that every blocking budget can cover, or every budget that stands in the way.

    Budgets that only warn never stand in the way. A frozen budget lets nothing pass, not even what is free; a blocking
    budget in USD nothing whose cost is unknown, unless it allows that and has anything left.

    Args:
        balances: of all budgets that the operation is charged to.
        minimum: the least that is worth having, on every side; None: all or nothing. Where a side of it is not given,
            its share of the amount's is meant.
    """
    blocking = [balance for balance in balances if balance.budget.on_limit is OnLimit.BLOCK]
    least = amount if minimum is None else _least(amount, minimum)
    shortfalls = tuple(_shortfall(balance, least) for balance in blocking if not _fits(balance, least))
    if shortfalls:
        return shortfalls
    return _largest(amount, least, blocking)


def _least(amount: Amount, minimum: Amount) -> Amount:
    def side(wish: int | None, least: int | None) -> int | None:
        return _share(wish, minimum.tokens, amount.tokens) if wish is not None and least is None else least

    return Amount(
        minimum.tokens,
        None if amount.nano_usd is None else side(amount.nano_usd, minimum.nano_usd),
        None if amount.fresh_tokens is None else side(amount.fresh_tokens, minimum.fresh_tokens),
        None if amount.output_tokens is None else side(amount.output_tokens, minimum.output_tokens),
    )


def _fits(balance: Balance, least: Amount) -> bool:
    wanted = balance.budget.amount_of(least)
    if wanted is None:
        is_covered = balance.budget.allows_unknown_price and balance.available > 0
    else:
        is_covered = wanted <= balance.available
    return is_covered and not balance.is_frozen


def _shortfall(balance: Balance, least: Amount) -> Shortfall:
    return Shortfall(balance=balance, wanted=balance.budget.amount_of(least))


def _largest(amount: Amount, least: Amount, blocking: Sequence[Balance]) -> Amount:
    """What fits of `amount`: as many tokens as every budget allows for, and their share of each other side."""
    if amount.tokens == 0:
        return Amount(
            0,
            _affordable(amount.nano_usd, blocking, Unit.USD),
            _affordable(amount.fresh_tokens, blocking, Unit.TOKENS, Counting.FRESH),
            _affordable(amount.output_tokens, blocking, Unit.TOKENS, Counting.OUTPUT),
        )
    tokens = amount.tokens
    for balance in blocking:
        wish = balance.budget.amount_of(amount)
        if wish is not None and wish > balance.available:
            tokens = min(tokens, amount.tokens * balance.available // wish)

    def side(wish: int | None, smallest: int | None) -> int | None:
        return None if wish is None else max(_share(wish, tokens, amount.tokens), smallest or 0)

    return Amount(
        max(tokens, least.tokens),
        side(amount.nano_usd, least.nano_usd),
        side(amount.fresh_tokens, least.fresh_tokens),
        side(amount.output_tokens, least.output_tokens),
    )


def _affordable(
    wish: int | None, blocking: Sequence[Balance], unit: Unit, counts: Counting = Counting.TOTAL
) -> int | None:
    """Where no tokens are asked for, only what more those before may be: as much of it as there is of that side."""
    if wish is None:
        return None
    left = [each.available for each in blocking if (each.budget.limit.unit, each.budget.counts) == (unit, counts)]
    return min([wish, *left])


def _share(wish: int, tokens: int, of_tokens: int) -> int:
    """The share of some of the tokens, rounded up to a whole number; no tokens cost nothing."""
    return -(-wish * tokens // of_tokens) if of_tokens else 0
