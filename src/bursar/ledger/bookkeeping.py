"""The law, once, for every store: who may do what, what it costs, what is written down.

A store keeps rows; it knows no rules. It gives this room a transaction (`Books`) in which nobody else writes, and
everything that can be refused is refused before the first row is put.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from bursar.budget import NOTHING, Amount, Balance, Budget, decide, is_reached
from bursar.clock import Clock
from bursar.errors import KeyReused, StoreError
from bursar.ledger import changes
from bursar.ledger.books import Books
from bursar.ledger.checks import (
    check_amount,
    check_budget,
    check_call,
    check_labels,
    check_minimum,
    check_name,
    check_request,
)
from bursar.ledger.counting import account_of, balances_of, current_balances
from bursar.ledger.entries import (
    encode,
    encode_amount,
    encode_budget,
    encode_call,
    encode_charge,
    encode_crediting,
    encode_ending,
    encode_request,
    fence_of,
)
from bursar.ledger.guards import check_fence, check_open, check_same_budget, find, find_open
from bursar.ledger.holding import Account, Holding
from bursar.ledger.posting import Posting, is_past
from bursar.ledger.types import CallRecord, Denial, LedgerEvent, Observer, Reservation, ReserveRequest, State
from bursar.ledger.writing import Writing


class Bookkeeping:
    """The writing half of a ledger, over any store that can give it a transaction."""

    _clock: Clock
    _observers: tuple[Observer, ...] = ()

    def _transaction(self) -> AbstractContextManager[Books]:
        raise NotImplementedError

    def _writing(self) -> Writing:
        return Writing(self, self._transaction())

    def observe(self, observer: Observer) -> None:
        """See `Ledger.observe`."""
        self._observers = (*self._observers, observer)

    def tell(self, events: Iterable[LedgerEvent]) -> None:
        """Whoever observes hears of what has been committed."""
        for event in events:
            for observer in self._observers:
                try:
                    observer(event)
                except Exception:  # theirs, whatever it is: the books are written and stay so
                    import logging  # here, because it is needed next to never

                    logging.getLogger(__name__).exception(
                        "an observer of the ledger failed; what it was told of stands"
                    )

    def define(self, budget: Budget) -> Balance:
        """See `Ledger.define`."""
        check_budget(budget)
        with self._writing() as posting:
            books = posting.books
            known = books.standing(budget.name)
            if known is not None and known.budget != budget:
                check_same_budget(known.budget, budget)
            if known is None or known.budget != budget:
                rearmed = [] if known is None else list(_out_of_reach(books, budget))
                books.put_budget(budget, is_new=known is None)
                for period, percent in rearmed:
                    books.rearm(budget.name, period, percent)
                again = {"rearmed": [list(each) for each in rearmed]} if rearmed else {}
                posting.write_down("defined", budget.name, encode_budget(budget) | again)
                known = books.standing(budget.name)
            assert known is not None
            return current_balances(books, [known], posting.at, {})[0]

    def reserve(self, request: ReserveRequest) -> Reservation | Denial:
        """See `Ledger.reserve`."""
        check_request(request)
        content = encode_request(request)
        asked, place = encode(content), fence_of(request.labels)
        with self._writing() as posting:
            known = posting.books.holding(request.key)
            if known is not None and known.request != asked:
                raise KeyReused(f"the key `{request.key}` belongs to another reservation")
            check_fence(posting.books, place, request.attempt)
            if known is not None:
                return known.reservation()
            charged, exempt = _parted(posting.balances(request.labels), request.labels)
            granted = decide(charged, request.amount, _worth_having(request))
            if not isinstance(granted, Amount):
                return posting.deny(request.key, request.amount, granted)
            holding = Holding(
                key=request.key,
                request=asked,
                labels=dict(request.labels),
                place=place,
                attempt=request.attempt,
                held=granted,
                granted=granted,
                accounts=_accounts(charged),
                exempt=_accounts(exempt),
            )
            body = content | {"granted": encode_amount(granted)}
            return posting.open(holding, "reserved", body, [*charged, *exempt])

    def charge(self, key: str, labels: Mapping[str, str], used: Amount | CallRecord) -> Reservation:
        """See `Ledger.charge`."""
        check_name(key, "key")
        check_labels(labels)
        if isinstance(used, Amount):
            check_amount(used)
        else:
            check_call(used)
        with self._writing() as posting:
            known = posting.books.holding(key)
            if known is not None:
                if known.request != encode(encode_charge(labels, used)):
                    raise KeyReused(f"the key `{key}` belongs to another charge or reservation")
                return known.reservation()
            charged, exempt = _parted(posting.balances(labels), labels)
            holding = changes.charge(key, labels, used, _accounts(charged), _accounts(exempt))
            if is_past(charged, None, holding):
                holding = holding._replace(state=State.OVERRUN)
            body = encode_charge(labels, used) | _charge_of(holding)
            reservation = posting.open(holding, "charged", body, [*charged, *exempt], speaks=True)
            if isinstance(used, CallRecord):
                posting.books.add_call(key, used)
            return reservation

    def extend(self, key: str, held: Amount, *, minimum: Amount | None = None) -> Reservation | Denial:
        """See `Ledger.extend`."""
        check_amount(held)
        if minimum is not None:
            check_minimum(minimum, held)
        with self._writing() as posting:
            holding = find_open(posting.books, key)
            check_fence(posting.books, holding.place, holding.attempt)
            missing = changes.missing_of(holding, held)
            if missing is None:
                return holding.reservation()
            balances = balances_of(posting.books, holding.accounts)
            granted = decide(balances, missing, None if minimum is None else _still_missing(holding, minimum))
            if not isinstance(granted, Amount):
                return posting.deny(key, held, granted)
            extended = changes.extend(holding, granted)
            if extended == holding:
                return holding.reservation()
            return posting.move(holding, extended, "extended", {"held": encode_amount(extended.held)})

    def record(self, key: str, call: CallRecord) -> Reservation:
        """See `Ledger.record`."""
        check_call(call)
        with self._writing() as posting:
            books = posting.books
            known = books.call(key, call.call_id, call.sequence)
            holding = find(books, key)
            if known is not None:
                if known != call:
                    raise KeyReused(f"report {call.sequence} on call `{call.call_id}` came before, with other content")
                return holding.reservation()
            check_open(holding)
            check_fence(posting.books, holding.place, holding.attempt)
            after = changes.record(holding, call)
            recorded = posting.move(holding, after, "recorded", encode_call(call), speaks=True)
            books.add_call(key, call)
            return recorded

    def settle(self, key: str, actual: Amount, *, unknown: Amount = NOTHING) -> Reservation:
        """See `Ledger.settle`."""
        check_amount(actual)
        check_amount(unknown)
        with self._writing() as posting:
            holding = find(posting.books, key)
            if holding.state is not State.HELD:
                changes.check_ended_so(holding, encode_ending("settled", actual, unknown))
                return holding.reservation()
            check_fence(posting.books, holding.place, holding.attempt)
            after = changes.settle(holding, actual, unknown)
            body = {"actual": encode_amount(actual), "asked_unknown": encode_amount(unknown)} | _charge_of(after)
            return posting.move(holding, after, "settled", body, speaks=True)

    def release(self, key: str) -> Reservation:
        """See `Ledger.release`."""
        with self._writing() as posting:
            holding = find(posting.books, key)
            if holding.state is not State.HELD:
                changes.check_ended_so(holding, encode_ending("released"))
                return holding.reservation()
            return posting.move(holding, changes.release(holding), "released", {})

    def forfeit(self, key: str) -> Reservation:
        """See `Ledger.forfeit`."""
        with self._writing() as posting:
            holding = find(posting.books, key)
            if holding.state is not State.HELD:
                changes.check_ended_so(holding, encode_ending("forfeited"))
                return holding.reservation()
            return _forfeit(posting, holding)

    def forfeit_open(self, labels: Mapping[str, str]) -> Sequence[Reservation]:
        """See `Ledger.forfeit_open`."""
        check_labels(labels)
        with self._writing() as posting:
            return [_forfeit(posting, holding) for holding in posting.books.held(labels)]

    def credit(self, key: str, actual: Amount, *, evidence: str) -> Reservation:
        """See `Ledger.credit`."""
        check_amount(actual)
        check_name(evidence, "evidence for a credit")
        with self._writing() as posting:
            holding = find(posting.books, key)
            if holding.state is State.CREDITED:
                if holding.crediting != encode_crediting(actual, evidence):
                    raise KeyReused(f"`{key}` was credited before, on other evidence or with other numbers")
                return holding.reservation()
            if holding.state is not State.FORFEITED:
                raise StoreError(f"`{key}` is {holding.state}; only what was forfeited can be credited")
            after = changes.credit(holding, actual, evidence)
            body = {"actual": encode_amount(actual), "charged": encode_amount(after.charged), "evidence": evidence}
            return posting.move(holding, after, "credited", body, speaks=True)


def _out_of_reach(books: Books, budget: Budget) -> Iterator[tuple[str, int]]:
    """Periods and percents that have been reached, and are not by the limit that the budget is about to have."""
    for period, percent in books.marked(budget.name):
        balance = books.balance(budget, period)
        if balance is not None and not is_reached(replace(balance, budget=budget), percent):
            yield period, percent


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
    return changes.missing_of(holding, minimum) or NOTHING


def _charge_of(after: Holding) -> dict[str, object]:
    return {
        "state": after.state.value,
        "charged": encode_amount(after.charged),
        "unknown": encode_amount(after.unknown),
    }


def _forfeit(posting: Posting, holding: Holding) -> Reservation:
    after = changes.forfeit(holding)
    return posting.move(holding, after, "forfeited", _charge_of(after), speaks=True)


def _parted(balances: Iterable[Balance], labels: Mapping[str, str]) -> tuple[list[Balance], list[Balance]]:
    """Those that an operation is charged to, and those that it would be charged to if its dollars were real ones."""
    charged: list[Balance] = []
    exempt: list[Balance] = []
    for balance in balances:
        (charged if balance.budget.is_charged_by(labels) else exempt).append(balance)
    return charged, exempt


def _accounts(balances: Iterable[Balance]) -> tuple[Account, ...]:
    return tuple([account_of(each) for each in balances])
