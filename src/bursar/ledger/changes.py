"""Every change that a reservation can go through: pure functions from one holding to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bursar.budget import LARGEST_QUANTITY, NOTHING, Amount, Counting
from bursar.errors import KeyReused, StoreError
from bursar.ledger.entries import encode, encode_charge, encode_crediting, encode_ending
from bursar.ledger.holding import Account, Holding
from bursar.ledger.types import CallRecord, State


def missing_of(holding: Holding, target: Amount) -> Amount | None:
    """What has to be granted to raise the hold to `target`; None where it is as high already.

    A hold whose cost is known is not raised to an unknown cost for the sake of the cost alone. Where the target does
    not say how many tokens are fresh or output, all that are added may be.
    """
    held = holding.held
    tokens = max(0, target.tokens - held.tokens)
    fresh = _missing_part(target.fresh_tokens, held.tokens if held.fresh_tokens is None else held.fresh_tokens)
    output = _missing_part(target.output_tokens, held.tokens if held.output_tokens is None else held.output_tokens)
    if target.nano_usd is None:
        return Amount(tokens, None, fresh, output) if tokens or fresh or output else None
    nano_usd = max(0, target.nano_usd - _reserved_nano_usd(holding))
    return Amount(tokens, nano_usd, fresh, output) if tokens or nano_usd or fresh or output else None


def extend(holding: Holding, by: Amount) -> Holding:
    """The hold is higher by what was granted; all of it is granted now."""
    if not (by.tokens or by.nano_usd or by.fresh_tokens or by.output_tokens):
        return holding
    nano_usd = None if by.nano_usd is None else _reserved_nano_usd(holding) + by.nano_usd
    held = replace(holding.held + by, nano_usd=nano_usd)
    return holding._replace(held=held, granted=held)


def record(holding: Holding, call: CallRecord) -> Holding:
    """The call is metered; where that passes the hold, the hold rises with it, and what was granted does not.

    Raises:
        StoreError: the sum would pass 2⁶³ − 1.
    """
    metered = _tidy(holding.metered + amount_of_call(call, unpriced=0))
    if max(metered.tokens, metered.nano_usd or 0) > LARGEST_QUANTITY:
        raise StoreError(f"the calls of `{holding.key}` would pass 2^63 - 1; nothing was written")
    held = holding.held
    return holding._replace(
        metered=metered,
        held=_tidy(
            Amount(
                max(held.tokens, metered.tokens),
                None if held.nano_usd is None else max(held.nano_usd, metered.nano_usd or 0),
                max(held.counted(Counting.FRESH), metered.counted(Counting.FRESH)),
                max(held.counted(Counting.OUTPUT), metered.counted(Counting.OUTPUT)),
            )
        ),
        calls=holding.calls + 1,
        unpriced_calls=holding.unpriced_calls + (call.nano_usd is None),
    )


def charge(
    key: str,
    labels: Mapping[str, str],
    used: Amount | CallRecord,
    accounts: tuple[Account, ...],
    exempt: tuple[Account, ...],
) -> Holding:
    """What was used without a hold: settled as soon as it is known, and never held back."""
    charged = _tidy(used) if isinstance(used, Amount) else amount_of_call(used, unpriced=None)
    holding = Holding(
        key=key,
        request=encode(encode_charge(labels, used)),
        labels=dict(labels),
        place="",
        attempt=1,
        held=charged,
        granted=charged,
        accounts=accounts,
        exempt=exempt,
        state=State.SETTLED,
        charged=charged,
        ending=encode_ending("charged"),
    )
    if isinstance(used, Amount):
        return holding
    metered = amount_of_call(used, unpriced=0)
    return holding._replace(metered=metered, calls=1, unpriced_calls=int(used.nano_usd is None))


def amount_of_call(call: CallRecord, *, unpriced: int | None) -> Amount:
    """What a call used, exactly, in every counting; `unpriced` stands for its cost where that is unknown."""
    usage = call.usage
    nano_usd = unpriced if call.nano_usd is None else call.nano_usd
    return _tidy(Amount(usage.total_tokens, nano_usd, usage.fresh_tokens, usage.output_tokens))


def settle(holding: Holding, actual: Amount, unknown: Amount) -> Holding:
    """The hold has ended and `actual + unknown` is charged; within what was granted it is settled, else an overrun.

    Where part of the cost is unknown but the hold's was known, what was held is charged: the bound, never less.

    Raises:
        StoreError: `actual` is below what was metered, or the sum would pass 2⁶³ − 1.
    """
    _check_not_below_metered(holding, actual)
    charged = _tidy(_charge(holding, actual, unknown))
    if max(charged.tokens, charged.nano_usd or 0) > LARGEST_QUANTITY:
        raise StoreError(f"the charge of `{holding.key}` would pass 2^63 - 1; nothing was written")
    return holding._replace(
        state=State.OVERRUN if _is_above(charged, holding.granted) else State.SETTLED,
        charged=charged,
        unknown=_unknown_part(holding, actual, unknown, charged),
        ending=encode_ending("settled", actual, unknown),
    )


def release(holding: Holding) -> Holding:
    """The hold has ended and nothing is charged.

    Raises:
        StoreError: a call was recorded, so something was spent.
    """
    if holding.calls:
        raise StoreError(
            f"`{holding.key}` cannot be released: {holding.calls} recorded calls were spent", hint="settle it instead"
        )
    return holding._replace(state=State.RELEASED, charged=NOTHING, ending=encode_ending("released"))


def forfeit(holding: Holding) -> Holding:
    """The hold has ended and all of it is charged; what was not metered is the unknown part."""
    held = holding.held
    nano_usd = None if held.nano_usd is None else held.nano_usd - holding.metered_nano_usd
    return holding._replace(
        state=State.FORFEITED,
        charged=held,
        unknown=Amount(held.tokens - holding.metered.tokens, nano_usd),
        ending=encode_ending("forfeited"),
    )


def credit(holding: Holding, actual: Amount, evidence: str) -> Holding:
    """The forfeited charge is lowered to `actual`, which the evidence shows; nothing of it is unknown any more.

    Raises:
        StoreError: not below what was charged, below what was metered, or a known cost would become unknown.
    """
    charged = holding.charged or NOTHING
    _check_not_below_metered(holding, actual)
    if _is_above(actual, charged):
        raise StoreError(f"a credit lowers what was charged; `{holding.key}` was charged less than that")
    if actual.nano_usd is None and charged.nano_usd is not None:
        raise StoreError(f"a credit on `{holding.key}` needs the cost, not only the tokens")
    crediting = encode_crediting(actual, evidence)
    lowered = _tidy(_bounded(holding, actual, charged))
    return holding._replace(state=State.CREDITED, charged=lowered, unknown=NOTHING, crediting=crediting)


def check_ended_so(holding: Holding, ending: str) -> None:
    """The holding ended in just this way before.

    Raises:
        KeyReused: it ended in another way, or with other numbers.
    """
    if holding.ending != ending:
        raise KeyReused(f"reservation `{holding.key}` has already ended: it is {holding.state}, with other content")


def _check_not_below_metered(holding: Holding, actual: Amount) -> None:
    if not holding.calls:
        return
    metered = holding.metered
    is_below = (
        actual.tokens < metered.tokens
        or (actual.nano_usd is not None and actual.nano_usd < holding.metered_nano_usd)
        or actual.counted(Counting.FRESH) < metered.counted(Counting.FRESH)
        or actual.counted(Counting.OUTPUT) < metered.counted(Counting.OUTPUT)
    )
    if is_below:
        raise StoreError(f"`{holding.key}` has metered more than that: usage that happened cannot be un-spent")


def _charge(holding: Holding, actual: Amount, unknown: Amount) -> Amount:
    charged = _bounded(holding, actual, None) + unknown
    if charged.nano_usd is not None or not holding.held.nano_usd:
        return charged  # a hold at no cost is no bound: unknown stays unknown
    known = max(actual.nano_usd or 0, holding.metered_nano_usd) + (unknown.nano_usd or 0)
    return replace(charged, nano_usd=max(holding.held.nano_usd, known))


def _bounded(holding: Holding, actual: Amount, charged: Amount | None) -> Amount:
    """`actual` with its parts: those it has, else those of the calls and all that no call has told of.

    Args:
        charged: where a charge is lowered, what it was: no part of it may grow.
    """
    if charged is None and not holding.calls and _is_whole(actual):
        return actual
    metered = holding.metered
    untold = actual.tokens - metered.tokens

    def part(said: int | None, counting: Counting) -> int:
        found = metered.counted(counting) + untold if said is None else said
        return found if charged is None else min(found, charged.counted(counting))

    return replace(
        actual,
        fresh_tokens=part(actual.fresh_tokens, Counting.FRESH),
        output_tokens=part(actual.output_tokens, Counting.OUTPUT),
    )


def _unknown_part(holding: Holding, actual: Amount, unknown: Amount, charged: Amount) -> Amount:
    if charged.nano_usd is None:
        return Amount(unknown.tokens, None)
    known = holding.metered_nano_usd if actual.nano_usd is None else actual.nano_usd
    return Amount(unknown.tokens, charged.nano_usd - known)


def _is_above(amount: Amount, bound: Amount) -> bool:
    if amount.tokens > bound.tokens:
        return True
    if amount.nano_usd is not None and bound.nano_usd is not None and amount.nano_usd > bound.nano_usd:
        return True
    if _is_whole(amount) and _is_whole(bound):
        return False
    return any(amount.counted(each) > bound.counted(each) for each in Counting)


def _is_whole(amount: Amount) -> bool:
    """Nobody said how many of the tokens are fresh, or output."""
    return amount.fresh_tokens is None and amount.output_tokens is None


def _tidy(amount: Amount) -> Amount:
    """The same amount in its shortest form: a part that is all of the tokens is not named."""
    tokens, fresh, output = amount.tokens, amount.fresh_tokens, amount.output_tokens
    if tokens not in (fresh, output):
        return amount
    return Amount(tokens, amount.nano_usd, None if fresh == tokens else fresh, None if output == tokens else output)


def _missing_part(target: int | None, held: int) -> int | None:
    return None if target is None else max(0, target - held)


def _reserved_nano_usd(holding: Holding) -> int:
    """The cost that is held, or where that is unknown, the part that is metered."""
    return holding.metered_nano_usd if holding.held.nano_usd is None else holding.held.nano_usd
