"""A reservation from the inside, and what it weighs on a budget.

What a budget is charged is never written by hand: it is the difference between what the holding weighed before and
what it weighs after (`weigh`). So money moves exactly as the state does.

These are tuples and no dataclasses: every write makes some of them, and a tuple takes a third of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from bursar.budget import LARGEST_QUANTITY, NOTHING, Alert, Amount, Balance, Budget
from bursar.errors import StoreError
from bursar.ledger.types import Reservation, State


class Account(NamedTuple):
    """One budget in one period: what a hold is put on, and stays on."""

    budget: str
    period_id: str


class Holding(NamedTuple):
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
            budgets=tuple([account.budget for account in self.accounts]),
            exempt=tuple([account.budget for account in self.exempt]),
            alerts=alerts,
        )


class Weight(NamedTuple):
    """What one holding puts on a budget: the figures of a balance."""

    spent: int = 0
    reserved: int = 0
    metered: int = 0
    unpriced: int = 0
    exempt: int = 0


_NO_WEIGHT = Weight()


def weigh(holding: Holding | None, budget: Budget) -> Weight:
    """What `holding` puts on a budget that it is charged to. Where the cost is unknown, its known part counts."""
    if holding is None:
        return _NO_WEIGHT
    metered = (budget.amount_of(holding.metered) or 0) if holding.calls else 0
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
    if after.exempt and (budget.name, balance.period_id) in after.exempt:
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
