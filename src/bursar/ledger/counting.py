"""Which balance an operation meets: budgets, the instant and the labels lead to one period of each budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from bursar.budget import Balance, Budget, PeriodKind, period_id
from bursar.errors import StoreError
from bursar.ledger.books import Books, Standing
from bursar.ledger.holding import Account

NOT_OPEN = ""
"""The period id of a rolling budget of which no window is open."""


def charged_balances(
    books: Books, standings: Iterable[Standing], labels: Mapping[str, str], at: datetime
) -> list[Balance]:
    """How these budgets stand in the periods that an operation with these labels would be put on now."""
    return [_in_period(books, each, period_id(each.budget.period, at, labels, each.last)) for each in standings]


def current_balances(
    books: Books, standings: Iterable[Standing], at: datetime, labels: Mapping[str, str], *, is_exact: bool = False
) -> list[Balance]:
    """How budgets stand now, for somebody who looks and spends nothing.

    A rolling budget of which no window is open has nothing on it and the period `NOT_OPEN`.

    Args:
        is_exact: labels that name no session (or run) mean operations of none; else, the latest that a budget knows.
    """
    return [_in_period(books, each, _current_id(each, at, labels, is_exact=is_exact)) for each in standings]


def balances_of(books: Books, accounts: Iterable[Account]) -> list[Balance]:
    """The balances that a hold was put on when it was taken, whatever period it is now."""
    found = []
    for account in accounts:
        standing = books.standing(account.budget)
        if standing is None:
            raise StoreError(f"the budget `{account.budget}` is missing", hint="look at it with `bursar ledger verify`")
        found.append(_in_period(books, standing, account.period_id))
    return found


def account_of(balance: Balance) -> Account:
    """Where the balance is kept."""
    return Account(balance.budget.name, balance.period_id)


def nothing_yet(budget: Budget, period: str) -> Balance:
    """A balance that nothing was put on."""
    return Balance(budget=budget, spent=0, reserved=0, metered=0, period_id=period)


def _in_period(books: Books, standing: Standing, period: str) -> Balance:
    budget, latest = standing.budget, standing.latest
    if latest is not None and latest.period_id == period:
        return latest
    if latest is None:
        return nothing_yet(budget, period)
    return books.balance(budget, period) or nothing_yet(budget, period)


def _current_id(standing: Standing, at: datetime, labels: Mapping[str, str], *, is_exact: bool) -> str:
    period, last = standing.budget.period, standing.last
    is_named = period.kind in (PeriodKind.SESSION, PeriodKind.RUN)
    if is_named and period.kind.value not in labels and last is not None and not is_exact:
        return last.id
    found = period_id(period, at, labels, last)
    is_open = period.kind is not PeriodKind.ROLLING or (last is not None and found == last.id)
    return found if is_open else NOT_OPEN
