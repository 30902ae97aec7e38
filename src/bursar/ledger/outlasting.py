"""A ledger on a server that may be away for a while: whoever writes waits for it, and nothing is written twice.

Where nothing was written, it is tried again. Where a connection was lost in the middle of a commit, the journal is
asked first, behind the queue of writers, where the lost transaction has ended one way or the other: an entry that is
there, with its hash, was written, and its answer is given; one that is not was not, and the same is done again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from bursar.budget import NOTHING, Alert, Amount, Balance, Budget
from bursar.clock import Clock
from bursar.ledger.postgres import PostgresLedger
from bursar.ledger.postgres_errors import ServerAway
from bursar.ledger.types import CallRecord, Denial, Entry, LedgerEvent, Observer, Reservation, ReserveRequest, State
from bursar.ledger.writing import InDoubt
from bursar.usage import Usage

T = TypeVar("T")

_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.1, 2.0


class Patience:
    """How long to go on asking, and when to ask next. It begins with the first failure."""

    def __init__(self, seconds: float, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> None:
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._ends_at: float | None = None
        self._next_seconds = _SHORTEST_SECONDS

    def is_over(self) -> bool:
        """The time is up; else some of it has passed now."""
        now = self._clock.monotonic()
        if self._ends_at is None:
            self._ends_at = now + self._seconds
        if now >= self._ends_at:
            return True
        self._sleep(min(self._next_seconds, self._ends_at - now))
        self._next_seconds = min(2 * self._next_seconds, _LONGEST_SECONDS)
        return False


class OutlastingLedger:
    """A ledger on PostgreSQL, whose methods outlast an outage of `seconds`; see `Ledger` for each of them.

    What is asked within such a time is answered late. After it, what is raised is what the server's absence meant at
    first: that nothing was written, or that nobody knows.
    """

    def __init__(
        self, ledger: PostgresLedger, clock: Clock, seconds: float, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._seconds = seconds
        self._sleep = sleep

    def define(self, budget: Budget) -> Balance:
        return self._write(lambda: self._ledger.define(budget))

    def reserve(self, request: ReserveRequest) -> Reservation | Denial:
        return self._write(lambda: self._ledger.reserve(request))

    def extend(self, key: str, held: Amount, *, minimum: Amount | None = None) -> Reservation | Denial:
        return self._write(lambda: self._ledger.extend(key, held, minimum=minimum))

    def record(self, key: str, call: CallRecord) -> Reservation:
        return self._write(lambda: self._ledger.record(key, call), _only)

    def settle(self, key: str, actual: Amount, *, unknown: Amount = NOTHING) -> Reservation:
        return self._write(lambda: self._ledger.settle(key, actual, unknown=unknown), _only)

    def release(self, key: str) -> Reservation:
        return self._write(lambda: self._ledger.release(key))

    def forfeit(self, key: str) -> Reservation:
        return self._write(lambda: self._ledger.forfeit(key), _only)

    def forfeit_open(self, labels: Mapping[str, str]) -> Sequence[Reservation]:
        return self._write(lambda: self._ledger.forfeit_open(labels), _every)

    def charge(self, key: str, labels: Mapping[str, str], used: Amount | CallRecord) -> Reservation:
        return self._write(lambda: self._ledger.charge(key, labels, used), _only)

    def credit(self, key: str, actual: Amount, *, evidence: str) -> Reservation:
        return self._write(lambda: self._ledger.credit(key, actual, evidence=evidence), _only)

    def observe(self, observer: Observer) -> None:
        self._ledger.observe(observer)

    def reservation(self, key: str) -> Reservation | None:
        return self._read(lambda: self._ledger.reservation(key))

    def reservations(self, labels: Mapping[str, str], *, state: State | None = None) -> Sequence[Reservation]:
        return self._read(lambda: self._ledger.reservations(labels, state=state))

    def balance(
        self, budget: str, *, at: datetime | None = None, labels: Mapping[str, str] | None = None
    ) -> Balance | None:
        return self._read(lambda: self._ledger.balance(budget, at=at, labels=labels))

    def balances(self, labels: Mapping[str, str], *, at: datetime | None = None) -> Sequence[Balance]:
        return self._read(lambda: self._ledger.balances(labels, at=at))

    def balances_of_each(self, labels: Mapping[str, str], label: str, values: Iterable[str]) -> Sequence[Balance]:
        each = list(values)  # they may be asked for again
        return self._read(lambda: self._ledger.balances_of_each(labels, label, each))

    def balances_of_reservation(self, key: str) -> Sequence[Balance]:
        return self._read(lambda: self._ledger.balances_of_reservation(key))

    def budgets(self, *, at: datetime | None = None, labels: Mapping[str, str] | None = None) -> Sequence[Balance]:
        return self._read(lambda: self._ledger.budgets(at=at, labels=labels))

    def alerts(self, labels: Mapping[str, str] | None = None) -> Sequence[Alert]:
        return self._read(lambda: self._ledger.alerts(labels))

    def history(self, limit: int = 100, *, labels: Mapping[str, str] | None = None) -> Sequence[Entry]:
        return self._read(lambda: self._ledger.history(limit, labels=labels))

    def phases(self, session: str) -> Mapping[str, int]:
        return self._read(lambda: self._ledger.phases(session))

    def usage(self, labels: Mapping[str, str]) -> Mapping[str, Usage]:
        return self._read(lambda: self._ledger.usage(labels))

    def entries(self, *, after: int = 0) -> Iterator[Entry]:
        """Not patient: it is read page by page, and whoever reads may begin again where it ended."""
        return self._ledger.entries(after=after)

    def verify(self) -> Sequence[str]:
        """Not patient: it says itself that the server is away."""
        return self._ledger.verify()

    def close(self) -> None:
        self._ledger.close()

    def _new_patience(self) -> Patience:
        return Patience(self._seconds, self._clock, self._sleep)

    def _read(self, read: Callable[[], T]) -> T:
        patience = self._new_patience()
        while True:
            try:
                return read()
            except ServerAway:
                if patience.is_over():
                    raise

    def _write(self, write: Callable[[], T], answer: Callable[[Sequence[LedgerEvent]], T] | None = None) -> T:
        """What `write` gives, once it has been written, once.

        Args:
            answer: what it would have given, from what there is to tell; None where `write` gives it again.
        """
        patience, doubt = self._new_patience(), None
        while True:
            try:
                if doubt is not None:
                    events = self._told(doubt)
                    doubt = None
                    if events and answer is not None:
                        return answer(events)
                return write()
            except InDoubt as error:
                doubt = error
                if patience.is_over():
                    raise
            except ServerAway:
                if patience.is_over():
                    if doubt is not None:
                        raise doubt from None
                    raise

    def _told(self, doubt: InDoubt) -> Sequence[LedgerEvent]:
        """What was written after all, told to those who observe; nothing where it was not."""
        if not self._ledger.has_written(doubt.posting.entries):
            return ()
        self._ledger.tell(doubt.posting.events)
        return doubt.posting.events


def is_outage(error: Exception) -> bool:
    """The server is away, and may be back."""
    return isinstance(error, ServerAway)


def _only(events: Sequence[LedgerEvent]) -> Reservation:
    return events[0].reservation


def _every(events: Sequence[LedgerEvent]) -> Sequence[Reservation]:
    return [event.reservation for event in events]
