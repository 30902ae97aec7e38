"""A reservation from the inside, and every change it can go through: pure functions from one holding to the next.

What a budget is charged is never written by hand: it is the difference between what the holding weighed before and
what it weighs after (`weigh`). So money moves exactly as the state does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from bursar.budget import LARGEST_QUANTITY, NOTHING, Alert, Amount, Balance, Budget, Counting
from bursar.errors import KeyReused, StoreError
from bursar.ledger.entries import encode, encode_charge, encode_crediting, encode_ending
from bursar.ledger.port import CallRecord, Reservation, State


class Account(NamedTuple):
    """One budget in one period: what a hold is put on, and stays on."""

    budget: str
    period_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One reservation as the books keep it.

    Attributes:
        request: what the same key must come with, as canonical JSON.
        place: what attempts are counted within; '' where no fence stands.
        held: what is held; never below what is metered. Its cost is None where it is unknown.
        granted: what of it was granted; more than that is an overrun.
        accounts: what it is charged to.
        exempt: what it would be charged to if its dollars were real ones.
        metered: the sum of the calls; its cost is the known part and never None.
        unpriced_calls: how many of the calls have a cost that is unknown.
        ending: what a repeat of the ending must come with; '' while held.
    """

    key: str
    request: str
    labels: Mapping[str, str]
    place: str
    attempt: int
    held: Amount
    granted: Amount
    accounts: tuple[Account, ...]
    exempt: tuple[Account, ...] = ()
    state: State = State.HELD
    metered: Amount = NOTHING
    calls: int = 0
    unpriced_calls: int = 0
    charged: Amount | None = None
    unknown: Amount = NOTHING
    ending: str = ""
    crediting: str = ""

    @property
    def metered_nano_usd(self) -> int:
        """The part of the metered cost that is known."""
        return self.metered.nano_usd or 0

    def reservation(self, alerts: tuple[Alert, ...] = ()) -> Reservation:
        """The holding as the world sees it."""
        return Reservation(
            key=self.key,
            state=self.state,
            labels=self.labels,
            held=self.held,
            metered=replace(self.metered, nano_usd=None) if self.unpriced_calls else self.metered,
            charged=self.charged,
            unknown=self.unknown,
            attempt=self.attempt,
            budgets=tuple(account.budget for account in self.accounts),
            exempt=tuple(account.budget for account in self.exempt),
            alerts=alerts,
        )


@dataclass(frozen=True, slots=True)
class Weight:
    """What one holding puts on a budget: the figures of a balance."""

    spent: int = 0
    reserved: int = 0
    metered: int = 0
    unpriced: int = 0
    exempt: int = 0


def weigh(holding: Holding | None, budget: Budget) -> Weight:
    """What `holding` puts on a budget that it is charged to. Where the cost is unknown, its known part counts."""
    if holding is None:
        return Weight()
    metered = budget.amount_of(holding.metered) or 0
    if holding.charged is None:
        held = budget.amount_of(holding.held)
        return Weight(reserved=metered if held is None else held, metered=metered, unpriced=int(held is None))
    charged = budget.amount_of(holding.charged)
    return Weight(spent=metered if charged is None else charged, unpriced=int(charged is None))


def weigh_exempt(holding: Holding | None) -> Weight:
    """What `holding` puts on a budget that leaves it out: one more operation, unless it gave everything back."""
    return Weight(exempt=int(holding is not None and holding.state is not State.RELEASED))


def shift(balance: Balance, before: Holding | None, after: Holding) -> Balance:
    """The balance once `before` has become `after`.

    Raises:
        StoreError: a figure would pass 2⁶³ − 1, which no store can count.
    """
    budget = balance.budget
    if Account(budget.name, balance.period_id) in after.exempt:
        old, new = weigh_exempt(before), weigh_exempt(after)
    else:
        old, new = weigh(before, budget), weigh(after, budget)
    if old == new:
        return balance
    moved = Balance(
        budget=budget,
        period_id=balance.period_id,
        spent=balance.spent + new.spent - old.spent,
        reserved=balance.reserved + new.reserved - old.reserved,
        metered=balance.metered + new.metered - old.metered,
        unpriced=balance.unpriced + new.unpriced - old.unpriced,
        exempt=balance.exempt + new.exempt - old.exempt,
    )
    if moved.spent + moved.reserved > LARGEST_QUANTITY:
        raise StoreError(f"budget `{budget.name}` would pass 2^63 - 1; nothing was written")
    return moved


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
    return replace(holding, held=held, granted=held)


def record(holding: Holding, call: CallRecord) -> Holding:
    """The call is metered; where that passes the hold, the hold rises with it, and what was granted does not.

    Raises:
        StoreError: the sum would pass 2⁶³ − 1.
    """
    metered = _tidy(holding.metered + amount_of_call(call, unpriced=0))
    if max(metered.tokens, metered.nano_usd or 0) > LARGEST_QUANTITY:
        raise StoreError(f"the calls of `{holding.key}` would pass 2^63 - 1; nothing was written")
    held = holding.held
    return replace(
        holding,
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
    return replace(holding, metered=metered, calls=1, unpriced_calls=int(used.nano_usd is None))


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
    return replace(
        holding,
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
    return replace(holding, state=State.RELEASED, charged=NOTHING, ending=encode_ending("released"))


def forfeit(holding: Holding) -> Holding:
    """The hold has ended and all of it is charged; what was not metered is the unknown part."""
    held = holding.held
    nano_usd = None if held.nano_usd is None else held.nano_usd - holding.metered_nano_usd
    return replace(
        holding,
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
    return replace(holding, state=State.CREDITED, charged=lowered, unknown=NOTHING, crediting=crediting)


def check_ended_so(holding: Holding, ending: str) -> None:
    """The holding ended in just this way before.

    Raises:
        KeyReused: it ended in another way, or with other numbers.
    """
    if holding.ending != ending:
        raise KeyReused(f"reservation `{holding.key}` has already ended: it is {holding.state}, with other content")


def _check_not_below_metered(holding: Holding, actual: Amount) -> None:
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
    if amount.tokens > bound.tokens or any(amount.counted(each) > bound.counted(each) for each in Counting):
        return True
    return amount.nano_usd is not None and bound.nano_usd is not None and amount.nano_usd > bound.nano_usd


def _tidy(amount: Amount) -> Amount:
    """The same amount in its shortest form: a part that is all of the tokens is not named."""
    if amount.fresh_tokens not in (None, amount.tokens) and amount.output_tokens not in (None, amount.tokens):
        return amount
    fresh, output = amount.fresh_tokens, amount.output_tokens
    return replace(
        amount,
        fresh_tokens=None if fresh == amount.tokens else fresh,
        output_tokens=None if output == amount.tokens else output,
    )


def _missing_part(target: int | None, held: int) -> int | None:
    return None if target is None else max(0, target - held)


def _reserved_nano_usd(holding: Holding) -> int:
    """The cost that is held, or where that is unknown, the part that is metered."""
    return holding.metered_nano_usd if holding.held.nano_usd is None else holding.held.nano_usd
