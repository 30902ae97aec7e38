"""What has to be true of the books before something is written: refused here, before the first row is put."""

from __future__ import annotations

from bursar.budget import Budget
from bursar.errors import KeyReused, StoreError
from bursar.ledger.books import Books
from bursar.ledger.holding import Holding
from bursar.ledger.types import State


def check_same_budget(known: Budget, budget: Budget) -> None:
    """A limit, thresholds and what happens at the limit may change; what a budget is about may not."""
    for what, was, wanted in (
        ("selector", dict(known.selector), dict(budget.selector)),
        ("unit", known.limit.unit, budget.limit.unit),
        ("counting", known.counts, budget.counts),
        ("period", known.period, budget.period),
    ):
        if was != wanted:
            raise KeyReused(f"budget `{budget.name}` exists with another {what}", hint="give the new one another name")


def check_fence(books: Books, place: str, attempt: int) -> None:
    latest = books.latest_attempt(place) if place else 0
    if attempt < latest:
        raise StoreError(f"attempt {attempt} is over: attempt {latest} of the same task has begun; nothing was written")


def find(books: Books, key: str) -> Holding:
    holding = books.holding(key)
    if holding is None:
        raise StoreError(f"there is no reservation `{key}`")
    return holding


def find_open(books: Books, key: str) -> Holding:
    holding = find(books, key)
    check_open(holding)
    return holding


def check_open(holding: Holding) -> None:
    if holding.state is not State.HELD:
        raise StoreError(f"reservation `{holding.key}` has ended: it is {holding.state}")
