"""A reservation from the inside, and every change it can go through: pure functions from one holding to the next.

What a budget is charged is never written by hand: it is the difference between what the holding weighed before and
what it weighs after (`weigh`). So money moves exactly as the state does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bursar.budget import LARGEST_QUANTITY, NOTHING, Alert, Amount, Balance, Unit
from bursar.errors import KeyReused, StoreError
from bursar.ledger.entries import encode_crediting, encode_ending
from bursar.ledger.port import CallRecord, Reservation, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One reservation as the books keep it.

    Attributes:
        request: what the same key must come with, as canonical JSON.
        place: what attempts are counted within; '' where no fence stands.
        held: what is held; never below what is metered. Its cost is None where it is unknown.
        granted: what of it was granted; more than that is an overrun.
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
    budgets: tuple[str, ...]
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
            metered=Amount(self.metered.tokens, None) if self.unpriced_calls else self.metered,
            charged=self.charged,
            unknown=self.unknown,
            attempt=self.attempt,
            budgets=self.budgets,
            alerts=alerts,
        )


@dataclass(frozen=True, slots=True)
class Weight:
    """What one holding puts on a budget: the four figures of a balance."""

    spent: int = 0
    reserved: int = 0
    metered: int = 0
    unpriced: int = 0


def weigh(holding: Holding | None, unit: Unit) -> Weight:
    """What `holding` puts on each of its budgets of that unit. Where the cost is unknown, its known part counts."""
    if holding is None:
        return Weight()
    metered = holding.metered.of(unit) or 0
    if holding.charged is None:
        held = holding.held.of(unit)
        return Weight(reserved=metered if held is None else held, metered=metered, unpriced=int(held is None))
    charged = holding.charged.of(unit)
    return Weight(spent=metered if charged is None else charged, unpriced=int(charged is None))


def shift(balance: Balance, before: Holding | None, after: Holding) -> Balance:
    """The balance once `before` has become `after`.

    Raises:
        StoreError: a figure would pass 2⁶³ − 1, which no store can count.
    """
    unit = balance.budget.limit.unit
    old, new = weigh(before, unit), weigh(after, unit)
    moved = replace(
        balance,
        spent=balance.spent + new.spent - old.spent,
        reserved=balance.reserved + new.reserved - old.reserved,
        metered=balance.metered + new.metered - old.metered,
        unpriced=balance.unpriced + new.unpriced - old.unpriced,
    )
    if moved.spent + moved.reserved > LARGEST_QUANTITY:
        raise StoreError(f"budget `{balance.budget.name}` would pass 2^63 - 1; nothing was written")
    return moved


def missing_of(holding: Holding, target: Amount) -> Amount | None:
    """What has to be granted to raise the hold to `target`; None where it is as high already.

    A hold whose cost is known is not raised to an unknown cost for the sake of the cost alone.
    """
    tokens = max(0, target.tokens - holding.held.tokens)
    if target.nano_usd is None:
        return Amount(tokens, None) if tokens else None
    nano_usd = max(0, target.nano_usd - weigh(holding, Unit.USD).reserved)
    return Amount(tokens, nano_usd) if tokens or nano_usd else None


def extend(holding: Holding, by: Amount) -> Holding:
    """The hold is higher by what was granted; all of it is granted now."""
    if by in (NOTHING, Amount(0, None)):
        return holding
    nano_usd = None if by.nano_usd is None else weigh(holding, Unit.USD).reserved + by.nano_usd
    held = Amount(holding.held.tokens + by.tokens, nano_usd)
    return replace(holding, held=held, granted=held)


def record(holding: Holding, call: CallRecord) -> Holding:
    """The call is metered; where that passes the hold, the hold rises with it, and what was granted does not.

    Raises:
        StoreError: the sum would pass 2⁶³ − 1.
    """
    metered = Amount(
        holding.metered.tokens + call.usage.total_tokens,
        holding.metered_nano_usd + (call.nano_usd or 0),
    )
    if max(metered.tokens, metered.nano_usd or 0) > LARGEST_QUANTITY:
        raise StoreError(f"the calls of `{holding.key}` would pass 2^63 - 1; nothing was written")
    held_nano_usd = holding.held.nano_usd
    if held_nano_usd is not None:
        held_nano_usd = max(held_nano_usd, metered.nano_usd or 0)
    return replace(
        holding,
        metered=metered,
        held=Amount(max(holding.held.tokens, metered.tokens), held_nano_usd),
        calls=holding.calls + 1,
        unpriced_calls=holding.unpriced_calls + (call.nano_usd is None),
    )


def settle(holding: Holding, actual: Amount, unknown: Amount) -> Holding:
    """The hold has ended and `actual + unknown` is charged; within what was granted it is settled, else an overrun.

    Where part of the cost is unknown but the hold's was known, what was held is charged: the bound, never less.

    Raises:
        StoreError: `actual` is below what was metered, or the sum would pass 2⁶³ − 1.
    """
    _check_not_below_metered(holding, actual)
    charged = _charge(holding, actual, unknown)
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
    return replace(holding, state=State.CREDITED, charged=actual, unknown=NOTHING, crediting=crediting)


def check_ended_so(holding: Holding, ending: str) -> None:
    """The holding ended in just this way before.

    Raises:
        KeyReused: it ended in another way, or with other numbers.
    """
    if holding.ending != ending:
        raise KeyReused(f"reservation `{holding.key}` has already ended: it is {holding.state}, with other content")


def _check_not_below_metered(holding: Holding, actual: Amount) -> None:
    is_cheaper = actual.nano_usd is not None and actual.nano_usd < holding.metered_nano_usd
    if actual.tokens < holding.metered.tokens or is_cheaper:
        raise StoreError(f"`{holding.key}` has metered more than that: usage that happened cannot be un-spent")


def _charge(holding: Holding, actual: Amount, unknown: Amount) -> Amount:
    charged = actual + unknown
    if charged.nano_usd is not None or not holding.held.nano_usd:
        return charged  # a hold at no cost is no bound: unknown stays unknown
    known = max(actual.nano_usd or 0, holding.metered_nano_usd) + (unknown.nano_usd or 0)
    return Amount(charged.tokens, max(holding.held.nano_usd, known))


def _unknown_part(holding: Holding, actual: Amount, unknown: Amount, charged: Amount) -> Amount:
    if charged.nano_usd is None:
        return Amount(unknown.tokens, None)
    known = holding.metered_nano_usd if actual.nano_usd is None else actual.nano_usd
    return Amount(unknown.tokens, charged.nano_usd - known)


def _is_above(amount: Amount, bound: Amount) -> bool:
    if amount.tokens > bound.tokens:
        return True
    return amount.nano_usd is not None and bound.nano_usd is not None and amount.nano_usd > bound.nano_usd
