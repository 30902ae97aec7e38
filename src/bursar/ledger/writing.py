"""One write of a ledger from its beginning to the moment when somebody is told."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol

from bursar.clock import Clock
from bursar.errors import OutcomeUnknown
from bursar.ledger.books import Books
from bursar.ledger.posting import Posting
from bursar.ledger.types import LedgerEvent


class Teller(Protocol):
    """A ledger as far as a write needs it."""

    _clock: Clock

    def tell(self, events: Iterable[LedgerEvent]) -> None:
        """Whoever observes hears of what has been committed."""
        ...


class InDoubt(OutcomeUnknown):
    """Nobody knows whether `posting` was committed."""

    def __init__(self, unknown: OutcomeUnknown, posting: Posting) -> None:
        super().__init__(unknown.message, hint=unknown.hint)
        self.posting = posting


class Writing:
    """A `with` block that is one transaction, committed at its end; only then anybody is told."""

    def __init__(self, ledger: Teller, transaction: AbstractContextManager[Books]) -> None:
        self._ledger = ledger
        self._transaction = transaction

    def __enter__(self) -> Posting:
        books = self._transaction.__enter__()
        try:
            self._posting = Posting(books, self._ledger._clock.now())
        except BaseException:
            self._transaction.__exit__(*sys.exc_info())
            raise
        return self._posting

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._transaction.__exit__(kind, error, trace)
        except OutcomeUnknown as unknown:
            raise InDoubt(unknown, self._posting) from unknown
        if kind is None:
            self._ledger.tell(self._posting.events)
