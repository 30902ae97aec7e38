"""The ledger's port: what every store must do, in the words of the law (ARCHITECTURE.md, "The ledger's law").

A reservation is HELD until it is settled, released or forfeited, each at most once. Money moves only here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bursar.budget import NOTHING, Alert, Amount, Balance, Budget
from bursar.ledger.types import CallRecord, Denial, Entry, Observer, Reservation, ReserveRequest, State
from bursar.usage import Usage


class Ledger(Protocol):
    """Append-only books. Every method that writes is one transaction, durable when it returns.

    Raises (any writing method):
        LedgerBusy: no write lock in time; nothing was written.
        OutcomeUnknown: cut off in the middle of the commit (a lost connection, a bad disk): it was written, or it was
            not. The same again with the same key is safe: it gives the answer that was lost.
        StoreError: the store is corrupt, foreign or cannot be written; nothing was written.
    """

    def define(self, budget: Budget) -> Balance:
        """The budget exists with this limit, these thresholds and this `on_limit`; a repeat changes nothing.

        A threshold that had been reached, and by the new limit is not any more, may fire again, once, when it is.

        Raises:
            KeyReused: the name exists with another selector, unit, counting or period.
        """
        ...

    def reserve(self, request: ReserveRequest) -> Reservation | Denial:
        """Hold `request.amount` in every matching budget until the reservation ends: all grant, or none does.

        It is held in the period that runs now, and stays there, also when it grows or ends in a later one. A budget in
        USD leaves operations of the lane `subscription` out (`Reservation.exempt`).

        The same key with the same content gives the reservation as it is now; a denial is not remembered, but the
        journal names it.

        Raises:
            KeyReused: `request.key` belongs to a different request.
            UserError: the request is none: a hold of nothing, a negative number, an empty or unprintable name.
            StoreError: a later attempt of the same task of the same run has begun (the fence; so too in `extend`,
                `record` and `settle`).
        """
        ...

    def extend(self, key: str, held: Amount, *, minimum: Amount | None = None) -> Reservation | Denial:
        """Raise the hold of `key` to `held` altogether (or as near as fits, not below `minimum`).

        A hold that is already as high stays as it is. A denial changes nothing: the old hold stands.

        Raises:
            StoreError: no such reservation, or it has ended.
        """
        ...

    def record(self, key: str, call: CallRecord) -> Reservation:
        """Write down what a call used. Never refused: usage that happened is recorded, past every limit too.

        Where metered usage passes what is held, the hold rises with it, whatever the limits say (an overrun).
        A repeat of (key, call_id, sequence) changes nothing. Works on ended reservations of no kind.

        Raises:
            StoreError: no such reservation, or it has ended.
            KeyReused: (key, call_id, sequence) came before with other content.
        """
        ...

    def settle(self, key: str, actual: Amount, *, unknown: Amount = NOTHING) -> Reservation:
        """End the hold and charge `actual + unknown`: SETTLED within what was granted, else OVERRUN.

        Where a part of the cost is unknown, what was held is charged if that is more. The same numbers again get the
        same answer.

        Raises:
            StoreError: `actual` is below what was metered.
            KeyReused: it was settled before with other numbers, or ended in another way.
        """
        ...

    def release(self, key: str) -> Reservation:
        """End the hold and charge nothing: only on proof that nothing was spent. Refused once a call was recorded."""
        ...

    def forfeit(self, key: str) -> Reservation:
        """End the hold of an owner that is dead: charge what was held, because nobody knows what was spent.

        What was metered counts as known; the rest of the hold is the `unknown` part.
        """
        ...

    def forfeit_open(self, labels: Mapping[str, str]) -> Sequence[Reservation]:
        """Forfeit every open hold that carries all of `labels`, in one transaction; oldest first."""
        ...

    def charge(self, key: str, labels: Mapping[str, str], used: Amount | CallRecord) -> Reservation:
        """Write down usage that was never held. Never refused for want of money: it happened.

        Every matching budget is charged at once, past its limit too: the answer is then an OVERRUN, else SETTLED. With
        a `CallRecord` the usage also counts for its model. The same key with the same content is charged once.

        Raises:
            KeyReused: `key` belongs to another charge or to a reservation.
            UserError: a number that is no count, an empty or unprintable name.
        """
        ...

    def observe(self, observer: Observer) -> None:
        """From now on `observer` is told of usage and alerts that this object writes down.

        It is called after the commit, on the thread that wrote, in the order in which it was asked to observe. What it
        raises is logged (logger `bursar.ledger.bookkeeping`) and changes nothing.
        """
        ...

    def credit(self, key: str, actual: Amount, *, evidence: str) -> Reservation:
        """Lower the charge of a forfeited reservation to `actual`, once, on evidence; never below what was metered.

        Raises:
            StoreError: it was not forfeited, or `actual` is no lower charge.
            KeyReused: it was credited before, with other numbers or on other evidence.
        """
        ...

    def reservation(self, key: str) -> Reservation | None:
        """The reservation as it is now."""
        ...

    def reservations(self, labels: Mapping[str, str], *, state: State | None = None) -> Sequence[Reservation]:
        """Reservations that carry all of `labels`, oldest first."""
        ...

    def balance(
        self, budget: str, *, at: datetime | None = None, labels: Mapping[str, str] | None = None
    ) -> Balance | None:
        """How the budget of that name stands in its current period; None where there is no such budget.

        Args:
            at: another instant than now.
            labels: where the budget counts per session or run, of which one, '' for none; else the latest is meant.
        """
        ...

    def balances(self, labels: Mapping[str, str], *, at: datetime | None = None) -> Sequence[Balance]:
        """Every budget that an operation with these labels belongs to, in its current period, in order of name."""
        ...

    def balances_of_each(self, labels: Mapping[str, str], label: str, values: Iterable[str]) -> Sequence[Balance]:
        """As `balances`, of operations with these labels alone, or with one of the values of another; each once."""
        ...

    def balances_of_reservation(self, key: str) -> Sequence[Balance]:
        """Every budget that the reservation is charged to, in the period that took it, in order of name."""
        ...

    def budgets(self, *, at: datetime | None = None, labels: Mapping[str, str] | None = None) -> Sequence[Balance]:
        """Every budget there is, in its current period, in order of name; `at` and `labels` as in `balance`."""
        ...

    def alerts(self, labels: Mapping[str, str] | None = None) -> Sequence[Alert]:
        """Alerts that have fired on the budgets of `balances(labels)` in any period, oldest first; None: on all."""
        ...

    def history(self, limit: int = 100, *, labels: Mapping[str, str] | None = None) -> Sequence[Entry]:
        """The last `limit` entries of `USAGE_KINDS`, oldest first; of operations that carry all of `labels` only."""
        ...

    def phases(self, session: str) -> Mapping[str, int]:
        """Tokens charged to each phase of that session, in the order in which they were first heard of.

        Counted are operations that bear both labels, `session` and `phase`; a phase that only holds has 0. It takes
        as long as there are phases, however many operations there were.
        """
        ...

    def usage(self, labels: Mapping[str, str]) -> Mapping[str, Usage]:
        """Recorded usage per model over every reservation that carries all of `labels`."""
        ...

    def entries(self, *, after: int = 0) -> Iterator[Entry]:
        """The journal from entry number `after + 1` on."""
        ...

    def verify(self) -> Sequence[str]:
        """Recompute hashes and balances; one sentence for each thing that does not hold, none when all do."""
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...
