"""How much to hold for an attempt before it starts. Pure.

Source: docs/decisions/0007-holds.md
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from bursar.budget import Amount, Balance, Limit, OnLimit
from bursar.estimation import Estimate
from bursar.pricing import RateTable
from bursar.run.expectations import Expectation
from bursar.usage import Usage

DEFAULT = "default"  # a hold's source where nothing is known
_LEAST_SHARE = 10  # of a task that is gone on with, at least one token in so many is held
_OUTPUT_SHARE = 10  # one token in ten of an agent's traffic is output; the rest is its conversation, read again


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What to ask the ledger for.

    Attributes:
        amount: what is wanted.
        minimum: what will do: the same for an estimate, next to nothing for a default.
        source: where the number comes from, in words.
        is_blind: nothing says that it will do: it is likely to have to grow.
    """

    amount: Amount
    minimum: Amount
    source: str
    is_blind: bool = False


def choose_hold(
    estimate: Estimate | None,
    token_budget: int | None,
    default_tokens: int,
    *,
    rates: RateTable,
    model: str,
    expected: Expectation | None = None,
) -> Hold:
    """What was learned at its p90, else the author's p90, else the task's own budget, else the default.

    A task is never held more for than its own budget allows. What few attempts tell goes before the default alone, and
    what is available will do from its median on. The default is at most what is available.
    """
    if expected is not None and expected.is_sure:
        amount = _expected(expected, token_budget, rates, model)
        return Hold(amount=amount, minimum=amount, source=expected.source)
    if estimate is not None:
        tokens = min(estimate.tokens_p90, token_budget or estimate.tokens_p90)
        amount = price_of_tokens(tokens, rates, model)
        return Hold(amount=amount, minimum=amount, source="estimate")
    if token_budget is not None:
        amount = price_of_tokens(token_budget, rates, model)
        return Hold(amount=amount, minimum=_anything(amount), source="token budget of the task")
    if expected is not None:
        amount = _expected(expected, None, rates, model)
        return Hold(amount=amount, minimum=price_of_tokens(expected.tokens_p50, rates, model), source=expected.source)
    amount = price_of_tokens(default_tokens, rates, model)
    return Hold(amount=amount, minimum=_anything(amount), source=DEFAULT, is_blind=True)


def within_cap(hold: Hold, cap: Limit | None) -> Hold:
    """The same hold, or the share of it that the cap leaves an attempt: more it will never use."""
    if cap is None:
        return hold
    return replace(hold, amount=_capped(hold.amount, cap), minimum=_capped(hold.minimum, cap))


def _capped(amount: Amount, cap: Limit) -> Amount:
    wanted = amount.of(cap.unit)
    if wanted is None or wanted <= cap.quantity:
        return amount
    tokens = max(1, amount.tokens * cap.quantity // wanted)
    return Amount(tokens, None if amount.nano_usd is None else max(1, amount.nano_usd * cap.quantity // wanted))


def leaves_room_to_grow(hold: Hold, blind_running: int, balances: Iterable[Balance]) -> bool:
    """Whether each attempt that runs on a blind hold could still get as much again, were this one held, too.

    Where many start blind on a budget that is enough for some, all are stopped and none is done. One alone may start on
    whatever there is, and what is known to fit is never kept waiting.
    """
    if not hold.is_blind or not blind_running:
        return True
    for balance in balances:
        if balance.budget.on_limit is not OnLimit.BLOCK:
            continue
        wanted = hold.amount.of(balance.budget.limit.unit, balance.budget.counts)
        if wanted is not None and balance.available < wanted * (1 + blind_running):
            return False
    return True


def _expected(expected: Expectation, token_budget: int | None, rates: RateTable, model: str) -> Amount:
    """The tokens at p90, at what such attempts have cost; the list price of all of them where that is not known."""
    tokens = min(expected.tokens_p90, token_budget or expected.tokens_p90)
    priced = price_of_tokens(tokens, rates, model)
    if priced.nano_usd is None or expected.nano_usd_p90 is None:
        return priced
    return replace(priced, nano_usd=max(1, expected.nano_usd_p90))


@lru_cache(maxsize=256)  # most attempts of a run ask for the same
def price_of_tokens(tokens: int, rates: RateTable, model: str) -> Amount:
    """An amount of tokens with what it would cost if one in ten were output; None where no price is known."""
    output = output_of(tokens)
    usage = Usage(input_tokens=tokens - output, output_tokens=output)
    return Amount(tokens, rates.dearest_nano_usd(model, usage))


def with_parts(hold: Hold) -> Hold:
    """The same hold for budgets that count only fresh or output tokens: a guess at both, so at most what is available.

    All may be fresh, one in ten is output; both grow with what is metered.
    """
    amount, minimum = hold.amount, hold.minimum
    parts = replace(amount, fresh_tokens=amount.tokens, output_tokens=output_of(amount.tokens))
    return replace(hold, amount=parts, minimum=replace(minimum, fresh_tokens=1, output_tokens=1))


def with_more(hold: Hold, tokens: int, token_budget: int | None) -> Hold:
    """The same hold with so many tokens more to read, as far as the task's own budget allows."""
    whole = hold.amount.tokens
    wanted = max(whole, min(whole + tokens, token_budget or whole + tokens))
    if wanted == whole:
        return hold
    money = hold.amount.nano_usd
    amount = replace(hold.amount, tokens=wanted, nano_usd=None if money is None else -(-money * wanted // whole))
    return replace(hold, amount=amount, minimum=amount if hold.minimum == hold.amount else hold.minimum)


def less(hold: Hold, used_tokens: int) -> Hold:
    """What is left to hold of a task that has used so much already, at least a tenth.

    Where it has used nearly all that was expected, nobody knows what it lacks: then anything will do to go on.
    """
    whole = hold.amount.tokens
    if hold.is_blind or not used_tokens:
        return hold
    least = -(-whole // _LEAST_SHARE)
    tokens = max(least, whole - used_tokens)
    amount = Amount(tokens, None if hold.amount.nano_usd is None else -(-hold.amount.nano_usd * tokens // whole))
    is_known = hold.minimum == hold.amount and tokens > least
    return Hold(amount=amount, minimum=amount if is_known else _anything(amount), source=f"rest of the {hold.source}")


def output_of(tokens: int) -> int:
    """How many of the tokens are output, as far as one can say beforehand."""
    return -(-tokens // _OUTPUT_SHARE)


def _anything(amount: Amount) -> Amount:
    return Amount(1, None if amount.nano_usd is None else 1)
