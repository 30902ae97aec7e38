"""The books against the journal: one sentence for each thing that does not hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from bursar.budget import Amount, Balance
from bursar.ledger.books import Mark, Standing
from bursar.ledger.entries import FIRST_HASH, encode, encode_budget, encode_call, format_instant, hash_of
from bursar.ledger.fold import Fold, FoldedReservation, Line, Sides, call_content, fold_lines, shorten
from bursar.ledger.holding import Holding
from bursar.ledger.port import CallRecord, Entry

RawEntry = tuple[int, str, str, str, str, str, str]
"""An entry as it is stored: number, at, kind, key, body, previous hash, hash."""


def check_books(
    rows: Iterable[RawEntry],
    standings: Iterable[Standing],
    holdings: Iterable[Holding],
    calls: Iterable[tuple[str, CallRecord]],
    marks: Iterable[Mark],
    balances: Iterable[Balance] = (),
) -> list[str]:
    """Everything that does not hold: in the chain, in what the entries say, and in the books beside them."""
    problems: list[str] = []
    folded = fold_lines(_follow_chain(rows, problems))
    problems += folded.problems
    problems += _check("budget", _folded_budgets(folded), {each.budget.name: _budget_of(each) for each in standings})
    problems += _check("balance", _folded_balances(folded), dict(map(_balance_of, balances)))
    problems += _check("reservation", _folded_reservations(folded), {each.key: _holding_of(each) for each in holdings})
    stored_calls = {(key, call.call_id, call.sequence): call_content(encode_call(call)) for key, call in calls}
    problems += _check("call", folded.calls, stored_calls)
    problems += _check("alert", folded.marks, {_mark_key(mark): _said(mark) for mark in marks})
    return problems


def read_entry(row: RawEntry) -> Entry:
    """The entry of a stored row; its hash is not checked."""
    number, at, kind, key, body, previous_hash, digest = row
    return Entry(
        number=number,
        at=datetime.fromisoformat(at),
        kind=kind,
        key=key,
        body=json.loads(body),
        previous_hash=previous_hash,
        hash=digest,
    )


def _follow_chain(rows: Iterable[RawEntry], problems: list[str]) -> Iterator[Line]:
    last, last_hash = 0, FIRST_HASH
    for row in rows:
        number, at, kind, key, body, previous_hash, digest = row
        if number != last + 1:
            problems.append(f"entry {number} follows entry {last}: entries are missing")
        if previous_hash != last_hash:
            problems.append(f"entry {number} does not name the hash of the entry before it")
        if digest != hash_of(number, at, kind, key, body, previous_hash):
            problems.append(f"entry {number} has been changed: its hash is not that of its content")
        last, last_hash = number, digest
        try:
            entry = read_entry(row)
            yield Line(number, at, kind, key, entry.body)
        except ValueError as error:
            problems.append(f"entry {number} cannot be read: {error}")


def _check(kind: str, expected: Mapping[Any, object], found: Mapping[Any, object]) -> Iterator[str]:
    for name, value in expected.items():
        if name not in found:
            yield f"{kind} {_shown(name)} is in the journal, but not in the books"
        elif found[name] != value:
            yield f"{kind} {_shown(name)} is {found[name]} in the books, but {value} by the journal"
    for name in found:
        if name not in expected:
            yield f"{kind} {_shown(name)} is in the books, but not in the journal"


def _shown(name: object) -> str:
    return "/".join(f"`{part}`" for part in (name if isinstance(name, tuple) else (name,)))


def _folded_budgets(folded: Fold) -> dict[str, object]:
    return {name: (dict(budget.definition), budget.last) for name, budget in folded.budgets.items()}


def _budget_of(standing: Standing) -> object:
    return encode_budget(standing.budget), standing.latest and standing.latest.period_id


def _folded_balances(folded: Fold) -> dict[tuple[str, str], object]:
    return {
        (name, period): balance.sums
        for name, budget in folded.budgets.items()
        for period, balance in budget.periods.items()
    }


def _balance_of(balance: Balance) -> tuple[tuple[str, str], object]:
    figures = (balance.spent, balance.reserved, balance.metered, balance.unpriced, balance.exempt)
    return (balance.budget.name, balance.period_id), figures


def _folded_reservations(folded: Fold) -> dict[str, object]:
    return {key: _reservation_of(each) for key, each in folded.reservations.items()}


def _reservation_of(folded: FoldedReservation) -> object:
    return (
        folded.state,
        folded.request,
        dict(folded.labels),
        folded.place,
        folded.attempt,
        folded.accounts,
        folded.exempt,
        folded.held,
        folded.granted,
        (shorten(folded.metered), folded.calls, folded.unpriced_calls),
        folded.charged,
        folded.unknown,
        "" if folded.ending is None else encode(folded.ending),
        "" if folded.crediting is None else encode(folded.crediting),
    )


def _holding_of(holding: Holding) -> object:
    return (
        holding.state.value,
        holding.request,
        dict(holding.labels),
        holding.place,
        holding.attempt,
        list(holding.accounts),
        list(holding.exempt),
        _sides(holding.held),
        _sides(holding.granted),
        (_sides(holding.metered), holding.calls, holding.unpriced_calls),
        None if holding.charged is None else _sides(holding.charged),
        (holding.unknown.tokens, holding.unknown.nano_usd),
        holding.ending,
        holding.crediting,
    )


def _sides(amount: Amount) -> Sides:
    return amount.tokens, amount.nano_usd, amount.fresh_tokens, amount.output_tokens


def _mark_key(mark: Mark) -> tuple[str, str, int]:
    return mark.budget, mark.period_id, mark.percent


def _said(mark: Mark) -> tuple[str, str | None, str | None]:
    at = format_instant(mark.at)
    if mark.alert is None:
        return at, None, None
    return at, mark.alert.level.value, mark.alert.message
