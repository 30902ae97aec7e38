"""The law, once, for every store: who may do what, what it costs, what is written down.

A store keeps rows; it knows no rules. It gives this room a transaction (`Books`) in which nobody else writes, and
everything that can be refused is refused before the first row is put.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime

from bursar.budget import (
    NOTHING,
    Amount,
    Balance,
    Budget,
    Firing,
    Shortfall,
    decide,
    due_alerts,
)
from bursar.clock import Clock
from bursar.errors import KeyReused, StoreError
from bursar.ledger import holding as holdings
from bursar.ledger.books import Books, Mark
from bursar.ledger.checks import check_amount, check_budget, check_call, check_minimum, check_name, check_request
from bursar.ledger.entries import (
    build_entry,
    encode,
    encode_amount,
    encode_budget,
    encode_call,
    encode_crediting,
    encode_ending,
    encode_request,
    fence_of,
)
from bursar.ledger.holding import Holding
from bursar.ledger.port import CallRecord, Denial, Reservation, ReserveRequest, State


class Bookkeeping:
    """The writing half of a ledger, over any store that can give it a transaction."""

    _clock: Clock

    def _transaction(self) -> AbstractContextManager[Books]:
        raise NotImplementedError

    def define(self, budget: Budget) -> Balance:
        """See `Ledger.define`."""
        check_budget(budget)
        with self._transaction() as books:
            known = next(iter(books.named([budget.name])), None)
            if known is not None and known.budget == budget:
                return known
            if known is not None:
                _check_same_budget(known.budget, budget)
            books.put_budget(budget, is_new=known is None)
            self._write_down(books, "defined", budget.name, encode_budget(budget), self._clock.now())
            return Balance(budget=budget, spent=0, reserved=0, metered=0) if known is None else _with(known, budget)

    def reserve(self, request: ReserveRequest) -> Reservation | Denial:
        """See `Ledger.reserve`."""
        check_request(request)
        with self._transaction() as books:
            asked = encode(encode_request(request))
            known = books.holding(request.key)
            if known is not None and known.request != asked:
                raise KeyReused(f"the key `{request.key}` belongs to another reservation")
            place = fence_of(request.labels)
            _check_fence(books, place, request.attempt)
            if known is not None:
                return known.reservation()
            balances = books.matching(request.labels)
            granted = decide(balances, request.amount, _worth_having(request))
            if not isinstance(granted, Amount):
                return self._deny(books, request.key, request.amount, granted)
            holding = Holding(
                key=request.key,
                request=asked,
                labels=dict(request.labels),
                place=place,
                attempt=request.attempt,
                held=granted,
                granted=granted,
                budgets=tuple(balance.budget.name for balance in balances),
            )
            body = encode_request(request) | {"granted": encode_amount(granted), "budgets": list(holding.budgets)}
            return self._move(books, None, holding, "reserved", body, balances=balances)

    def extend(self, key: str, held: Amount, *, minimum: Amount | None = None) -> Reservation | Denial:
        """See `Ledger.extend`."""
        check_amount(held)
        if minimum is not None:
            check_minimum(minimum, held)
        with self._transaction() as books:
            holding = _open(books, key)
            _check_fence(books, holding.place, holding.attempt)
            missing = holdings.missing_of(holding, held)
            if missing is None:
                return holding.reservation()
            balances = books.named(holding.budgets)
            granted = decide(balances, missing, None if minimum is None else _still_missing(holding, minimum))
            if not isinstance(granted, Amount):
                return self._deny(books, key, held, granted)
            extended = holdings.extend(holding, granted)
            if extended == holding:
                return holding.reservation()
            return self._move(books, holding, extended, "extended", {"held": encode_amount(extended.held)})

    def record(self, key: str, call: CallRecord) -> Reservation:
        """See `Ledger.record`."""
        check_call(call)
        with self._transaction() as books:
            known = books.call(key, call.call_id, call.sequence)
            holding = _found(books, key)
            if known is not None:
                if known != call:
                    raise KeyReused(f"report {call.sequence} on call `{call.call_id}` came before, with other content")
                return holding.reservation()
            _check_open(holding)
            _check_fence(books, holding.place, holding.attempt)
            after = holdings.record(holding, call)
            recorded = self._move(books, holding, after, "recorded", encode_call(call), speaks=True)
            books.add_call(key, call)
            return recorded

    def settle(self, key: str, actual: Amount, *, unknown: Amount = NOTHING) -> Reservation:
        """See `Ledger.settle`."""
        check_amount(actual)
        check_amount(unknown)
        with self._transaction() as books:
            holding = _found(books, key)
            if holding.state is not State.HELD:
                holdings.check_ended_so(holding, encode_ending("settled", actual, unknown))
                return holding.reservation()
            _check_fence(books, holding.place, holding.attempt)
            after = holdings.settle(holding, actual, unknown)
            body = {"actual": encode_amount(actual), "asked_unknown": encode_amount(unknown)} | _charge_of(after)
            return self._move(books, holding, after, "settled", body, speaks=True)

    def release(self, key: str) -> Reservation:
        """See `Ledger.release`."""
        with self._transaction() as books:
            holding = _found(books, key)
            if holding.state is not State.HELD:
                holdings.check_ended_so(holding, encode_ending("released"))
                return holding.reservation()
            return self._move(books, holding, holdings.release(holding), "released", {})

    def forfeit(self, key: str) -> Reservation:
        """See `Ledger.forfeit`."""
        with self._transaction() as books:
            holding = _found(books, key)
            if holding.state is not State.HELD:
                holdings.check_ended_so(holding, encode_ending("forfeited"))
                return holding.reservation()
            after = holdings.forfeit(holding)
            return self._move(books, holding, after, "forfeited", _charge_of(after), speaks=True)

    def credit(self, key: str, actual: Amount, *, evidence: str) -> Reservation:
        """See `Ledger.credit`."""
        check_amount(actual)
        check_name(evidence, "evidence for a credit")
        with self._transaction() as books:
            holding = _found(books, key)
            if holding.state is State.CREDITED:
                if holding.crediting != encode_crediting(actual, evidence):
                    raise KeyReused(f"`{key}` was credited before, on other evidence or with other numbers")
                return holding.reservation()
            if holding.state is not State.FORFEITED:
                raise StoreError(f"`{key}` is {holding.state}; only what was forfeited can be credited")
            after = holdings.credit(holding, actual, evidence)
            return self._move(
                books, holding, after, "credited", {"actual": encode_amount(actual), "evidence": evidence}
            )

    def _move(
        self,
        books: Books,
        before: Holding | None,
        after: Holding,
        kind: str,
        body: Mapping[str, object],
        *,
        balances: Sequence[Balance] | None = None,
        speaks: bool = False,
    ) -> Reservation:
        """State, money, marks and the entry change together; nothing is put before all of it is worked out."""
        at = self._clock.now()
        old = books.named(after.budgets) if balances is None else balances
        new = [holdings.shift(balance, before, after) for balance in old]
        firings = [_firing(books, balance, at) for balance in new] if speaks else []
        marks = [mark for balance, firing in zip(new, firings, strict=speaks) for mark in _marks(balance, firing, at)]
        if marks:
            body = {**body, "marks": [_encode_mark(mark) for mark in marks]}
        books.put_holding(after, is_new=before is None)
        for was, balance in zip(old, new, strict=True):
            if was != balance:
                books.put_balance(balance)
        for mark in marks:
            books.add_mark(mark)
        self._write_down(books, kind, after.key, body, at)
        return after.reservation(tuple(firing.alert for firing in firings if firing.alert is not None))

    def _deny(self, books: Books, key: str, amount: Amount, shortfalls: tuple[Shortfall, ...]) -> Denial:
        """The refusal is in the journal; no balance has changed."""
        short = [
            {"budget": each.balance.budget.name, "wanted": each.wanted, "available": each.balance.available}
            for each in shortfalls
        ]
        body = {"amount": encode_amount(amount), "shortfalls": short}
        self._write_down(books, "denied", key, body, self._clock.now())
        return Denial(key=key, shortfalls=shortfalls)

    def _write_down(self, books: Books, kind: str, key: str, body: Mapping[str, object], at: datetime) -> None:
        number, previous = books.head()
        books.add_entry(build_entry(number + 1, at, kind, key, body, previous), encode(body))


def _worth_having(request: ReserveRequest) -> Amount | None:
    """The minimum of a new hold: at least one token, and where it costs something, at least a part of the cost."""
    minimum = request.minimum
    if minimum is None:
        return None
    nano_usd = minimum.nano_usd
    if nano_usd is not None and request.amount.nano_usd:
        nano_usd = max(1, nano_usd)
    return Amount(max(1, minimum.tokens), nano_usd)


def _still_missing(holding: Holding, minimum: Amount) -> Amount:
    return holdings.missing_of(holding, minimum) or NOTHING


def _charge_of(after: Holding) -> dict[str, object]:
    return {
        "state": after.state.value,
        "charged": encode_amount(after.charged),
        "unknown": encode_amount(after.unknown),
    }


def _firing(books: Books, balance: Balance, at: datetime) -> Firing:
    budget = balance.budget
    return due_alerts(balance, books.marks(budget.name, balance.period_id), at)


def _marks(balance: Balance, firing: Firing, at: datetime) -> Iterable[Mark]:
    for percent in firing.marks:
        alert = firing.alert if firing.alert is not None and firing.alert.percent == percent else None
        yield Mark(balance.budget.name, balance.period_id, percent, at, alert)


def _encode_mark(mark: Mark) -> dict[str, object]:
    alert = mark.alert and {"level": mark.alert.level.value, "message": mark.alert.message}
    return {"budget": mark.budget, "period": mark.period_id, "percent": mark.percent, "alert": alert}


def _with(balance: Balance, budget: Budget) -> Balance:
    return replace(balance, budget=budget)


def _check_same_budget(known: Budget, budget: Budget) -> None:
    """A limit, thresholds and what happens at the limit may change; what a budget is about may not."""
    for what, was, wanted in (
        ("selector", dict(known.selector), dict(budget.selector)),
        ("unit", known.limit.unit, budget.limit.unit),
        ("period", known.period, budget.period),
    ):
        if was != wanted:
            raise KeyReused(f"budget `{budget.name}` exists with another {what}", hint="give the new one another name")


def _check_fence(books: Books, place: str, attempt: int) -> None:
    latest = books.latest_attempt(place) if place else 0
    if attempt < latest:
        raise StoreError(f"attempt {attempt} is over: attempt {latest} of the same task has begun; nothing was written")


def _found(books: Books, key: str) -> Holding:
    holding = books.holding(key)
    if holding is None:
        raise StoreError(f"there is no reservation `{key}`")
    return holding


def _open(books: Books, key: str) -> Holding:
    holding = _found(books, key)
    _check_open(holding)
    return holding


def _check_open(holding: Holding) -> None:
    if holding.state is not State.HELD:
        raise StoreError(f"reservation `{holding.key}` has ended: it is {holding.state}")
