"""The reading half of a ledger that is the same for every store: how budgets stand now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from bursar.budget import Balance
from bursar.clock import Clock
from bursar.ledger.books import Books
from bursar.ledger.counting import balances_of, current_balances


class Reading:
    """Over any store that can show one consistent state of its books."""

    _clock: Clock

    def _snapshot(self) -> AbstractContextManager[Books]:
        raise NotImplementedError

    def balance(
        self, budget: str, *, at: datetime | None = None, labels: Mapping[str, str] | None = None
    ) -> Balance | None:
        """See `Ledger.balance`."""
        with self._snapshot() as books:
            standing = books.standing(budget)
            if standing is None:
                return None
            return current_balances(books, [standing], at or self._clock.now(), labels or {})[0]

    def balances(self, labels: Mapping[str, str], *, at: datetime | None = None) -> Sequence[Balance]:
        """See `Ledger.balances`."""
        with self._snapshot() as books:
            return current_balances(books, books.matching(labels), at or self._clock.now(), labels, is_exact=True)

    def balances_of_each(self, labels: Mapping[str, str], label: str, values: Iterable[str]) -> Sequence[Balance]:
        """See `Ledger.balances_of_each`."""
        found: dict[str, Balance] = {}
        with self._snapshot() as books:
            at = self._clock.now()
            for each in (labels, *({**labels, label: value} for value in values)):
                new = [standing for standing in books.matching(each) if standing.budget.name not in found]
                found |= {one.budget.name: one for one in current_balances(books, new, at, each, is_exact=True)}
        return [found[name] for name in sorted(found)]

    def balances_of_reservation(self, key: str) -> Sequence[Balance]:
        """See `Ledger.balances_of_reservation`."""
        with self._snapshot() as books:
            holding = books.holding(key)
            return [] if holding is None else balances_of(books, holding.accounts)

    def phases(self, session: str) -> Mapping[str, int]:
        """See `Ledger.phases`."""
        with self._snapshot() as books:
            return {each.phase: each.tokens for each in books.phases(session)}

    def budgets(self, *, at: datetime | None = None, labels: Mapping[str, str] | None = None) -> Sequence[Balance]:
        """See `Ledger.budgets`."""
        with self._snapshot() as books:
            return current_balances(books, books.every(), at or self._clock.now(), labels or {})
