"""One write transaction of the law: what it looks up, moves and writes down.

Everything that can be refused is refused before the first row is put.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bursar.budget import LARGEST_QUANTITY, Alert, Amount, Balance, Firing, LastPeriod, OnLimit, Shortfall, due_alerts
from bursar.errors import StoreError
from bursar.ledger.books import Books, Mark, PhaseSum
from bursar.ledger.counting import balances_of, charged_balances
from bursar.ledger.entries import build_entry, encode, encode_amount
from bursar.ledger.holding import Holding, shift
from bursar.ledger.types import USAGE_KINDS, Denial, Entry, LedgerEvent, Reservation

_SILENCE = Firing(None, ())


class Posting:
    """The open transaction, at one instant. `entries` is what it has written down, `events` what to tell of it then."""

    def __init__(self, books: Books, at: datetime) -> None:
        self.books = books
        self.at = at
        self.entries: list[Entry] = []
        self.events: list[LedgerEvent] = []
        self._latest: dict[str, str | None] = {}

    def balances(self, labels: Mapping[str, str]) -> list[Balance]:
        """Of every budget that an operation with these labels belongs to now, exempt or not."""
        standings = self.books.matching(labels)
        self._latest = {each.budget.name: None if each.latest is None else each.latest.period_id for each in standings}
        return charged_balances(self.books, standings, labels, self.at)

    def move(
        self, before: Holding, after: Holding, kind: str, body: Mapping[str, object], *, speaks: bool = False
    ) -> Reservation:
        """What was held becomes `after`, and with it the balances, marks and the entry; `speaks`: alerts may fire."""
        old = balances_of(self.books, after.accounts + after.exempt)
        return self._post(before, after, kind, body, old, speaks=speaks)

    def open(
        self,
        holding: Holding,
        kind: str,
        body: Mapping[str, object],
        balances: Sequence[Balance],
        *,
        speaks: bool = False,
    ) -> Reservation:
        """The holding is there and on its budgets; a period that had nothing on it begins with it.

        Args:
            balances: of its accounts, then of those that it is exempt from.
        """
        body = {**body, "budgets": [list(account) for account in holding.accounts]}
        if holding.exempt:
            body["exempt"] = [list(account) for account in holding.exempt]
        return self._post(None, holding, kind, body, balances, speaks=speaks)

    def _post(
        self,
        before: Holding | None,
        after: Holding,
        kind: str,
        body: Mapping[str, object],
        old: Sequence[Balance],
        *,
        speaks: bool,
    ) -> Reservation:
        new = [shift(balance, before, after) for balance in old]
        firings = [(each, self._firing(each)) for each in new[: len(after.accounts)]] if speaks else []
        marks = [mark for balance, firing in firings for mark in _marks(balance, firing, self.at)]
        if marks:
            body = {**body, "marks": [_encode_mark(mark) for mark in marks]}
        phase = self._phase(before, after)
        self.books.put_holding(after, is_new=before is None)
        self._put_balances(old, new, is_first=before is None)
        for mark in marks:
            self.books.add_mark(mark)
        if phase is not None:
            self.books.put_phase(phase, is_new=phase.first > self.books.head()[0])
        entry = self.write_down(kind, after.key, body)
        alerts = tuple([firing.alert for _, firing in firings if firing.alert is not None])
        return self._told(entry, after.reservation(alerts))

    def _phase(self, before: Holding | None, after: Holding) -> PhaseSum | None:
        """The sum of the phase, where it is new or has changed.

        Raises:
            StoreError: it would pass 2⁶³ − 1, which no store can count.
        """
        session, phase = after.labels.get("session"), after.labels.get("phase")
        charged = 0 if after.charged is None else after.charged.tokens
        if before is not None and before.charged is not None:
            charged -= before.charged.tokens
        if session is None or phase is None or (before is not None and not charged):
            return None
        known = self.books.phase(session, phase)
        if known is None:
            return PhaseSum(session, phase, self.books.head()[0] + 1, charged)
        if known.tokens + charged > LARGEST_QUANTITY:
            raise StoreError(f"phase `{phase}` would pass 2^63 - 1; nothing was written")
        return known._replace(tokens=known.tokens + charged) if charged else None

    def _put_balances(self, old: Sequence[Balance], new: Sequence[Balance], *, is_first: bool) -> None:
        for was, balance in zip(old, new, strict=True):
            if is_first or was is not balance:
                self.books.put_balance(balance)
            if is_first and balance.period_id != self._latest.get(balance.budget.name):
                self.books.put_last(balance.budget.name, LastPeriod(balance.period_id))

    def deny(self, key: str, amount: Amount, shortfalls: tuple[Shortfall, ...]) -> Denial:
        """The refusal is in the journal; no balance has changed."""
        short = [
            {
                "budget": each.balance.budget.name,
                "period": each.balance.period_id,
                "wanted": each.wanted,
                "available": each.balance.available,
            }
            for each in shortfalls
        ]
        self.write_down("denied", key, {"amount": encode_amount(amount), "shortfalls": short})
        return Denial(key=key, shortfalls=shortfalls)

    def write_down(self, kind: str, key: str, body: Mapping[str, object]) -> Entry:
        """The journal has one more entry."""
        number, previous = self.books.head()
        encoded = encode(body)
        entry = build_entry(number + 1, self.at, kind, key, body, previous, encoded=encoded)
        self.books.add_entry(entry, encoded)
        self.entries.append(entry)
        return entry

    def _told(self, entry: Entry, reservation: Reservation) -> Reservation:
        if entry.kind in USAGE_KINDS:
            self.events.append(LedgerEvent(entry=entry, reservation=reservation))
        return reservation

    def _firing(self, balance: Balance) -> Firing:
        if not due_alerts(balance, (), self.at).marks:
            return _SILENCE  # no threshold is reached, so nobody need look which ones have fired
        return due_alerts(balance, self.books.marks(balance.budget.name, balance.period_id), self.at)


def is_past(balances: Iterable[Balance], before: Holding | None, after: Holding) -> bool:
    """With `after`, one of these balances is past the limit of a budget that blocks."""
    moved = (shift(each, before, after) for each in balances if each.budget.on_limit is OnLimit.BLOCK)
    return any(each.overrun > 0 for each in moved)


def _marks(balance: Balance, firing: Firing, at: datetime) -> Iterable[Mark]:
    for percent in firing.marks:
        alert: Alert | None = firing.alert
        spoke = alert if alert is not None and alert.percent == percent else None
        yield Mark(balance.budget.name, balance.period_id, percent, at, spoke)


def _encode_mark(mark: Mark) -> dict[str, object]:
    alert = mark.alert and {"level": mark.alert.level.value, "message": mark.alert.message}
    return {"budget": mark.budget, "period": mark.period_id, "percent": mark.percent, "alert": alert}
