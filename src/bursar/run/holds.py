"""How much to hold for an attempt before it starts. Pure.

Source: docs/decisions/0007-holds.md
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from bursar.budget import Amount
from bursar.estimation import Estimate
from bursar.pricing import RateTable
from bursar.usage import Usage

DEFAULT = "default"  # a hold's source where nothing is known
_OUTPUT_SHARE = 10  # one token in ten of an agent's traffic is output; the rest is its conversation, read again


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What to ask the ledger for.

    Attributes:
        amount: what is wanted.
        minimum: what will do: the same for an estimate, next to nothing for a default.
        source: where the number comes from, in words.
    """

    amount: Amount
    minimum: Amount
    source: str


def choose_hold(
    estimate: Estimate | None, token_budget: int | None, default_tokens: int, *, rates: RateTable, model: str
) -> Hold:
    """The p90 estimate, else the task's own budget, else the default (at most what is available).

    A task is never held more for than its own budget allows.
    """
    if estimate is not None:
        tokens = min(estimate.tokens_p90, token_budget or estimate.tokens_p90)
        amount = price_of_tokens(tokens, rates, model)
        return Hold(amount=amount, minimum=amount, source="estimate")
    if token_budget is not None:
        amount = price_of_tokens(token_budget, rates, model)
        return Hold(amount=amount, minimum=_anything(amount), source="token budget of the task")
    amount = price_of_tokens(default_tokens, rates, model)
    return Hold(amount=amount, minimum=_anything(amount), source=DEFAULT)


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


def output_of(tokens: int) -> int:
    """How many of the tokens are output, as far as one can say beforehand."""
    return -(-tokens // _OUTPUT_SHARE)


def _anything(amount: Amount) -> Amount:
    return Amount(1, None if amount.nano_usd is None else 1)
