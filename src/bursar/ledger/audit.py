"""The books against the journal: one sentence for each thing that does not hold.

Imported only where somebody verifies: everything else starts quicker without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from json.encoder import encode_basestring
from typing import Any, TypeVar

import msgspec

from bursar.budget import Balance
from bursar.garbage import without_garbage_collection
from bursar.ledger.books import Mark, Standing
from bursar.ledger.entries import FIRST_HASH, RawEntry, digest_of, encode_budget, format_instant, read_entry
from bursar.ledger.fold import fold_lines
from bursar.ledger.folded import Fold, FoldedBudget, FoldedMark, FoldedReservation, Line, encode_quickly, shorten
from bursar.ledger.holding import Holding
from bursar.ledger.rows import write_call, write_holding
from bursar.ledger.types import CallRecord

__all__ = ["RawEntry", "check_books", "read_entry"]

Row = tuple[Any, ...]
K = TypeVar("K")
V = TypeVar("V")

_decode = msgspec.json.Decoder().decode
_NOT_METERED = (0, 0, None, None)
_NOT_CHARGED = (None, None, None, None)


def check_books(
    rows: Iterable[RawEntry],
    standings: Iterable[Standing],
    holdings: Iterable[Holding | Row],
    calls: Iterable[tuple[str, CallRecord] | Row],
    marks: Iterable[Mark],
    balances: Iterable[Balance] = (),
    phases: Iterable[Row] = (),
) -> list[str]:
    """Everything that does not hold: in the chain, in what the entries say, and in the books beside them.

    Args:
        holdings: as values, or, which is quicker, as rows of `rows.SELECT_HOLDINGS`.
        calls: key and value, or, which is quicker, as rows of `rows.SELECT_CALLS`.
    """
    with without_garbage_collection():
        return _check_all(rows, standings, holdings, calls, marks, balances, phases)


def _check_all(
    rows: Iterable[RawEntry],
    standings: Iterable[Standing],
    holdings: Iterable[Holding | Row],
    calls: Iterable[tuple[str, CallRecord] | Row],
    marks: Iterable[Mark],
    balances: Iterable[Balance],
    phases: Iterable[Row],
) -> list[str]:
    problems: list[str] = []
    folded = fold_lines(_follow_chain(rows, problems))
    problems += folded.problems
    folded_balances = _folded_balances(folded)
    problems += _compare("budget", folded.budgets, map(_budget_of, standings), _expected_budget)
    problems += _compare("balance", folded_balances, map(_balance_of, balances), _itself)
    problems += _compare("reservation", folded.reservations, map(_holding_of, holdings), expected_holding)
    problems += _compare("call", folded.calls, map(_call_of, calls), _itself)
    folded_marks = dict(_numbered((mark.name, _said(mark)) for mark in folded.marks))
    problems += _compare("alert", folded_marks, _numbered(map(_mark_of, marks)), _itself)
    problems += _compare("phase", folded.phases, ((row[:2], list(row[2:])) for row in phases), _itself)
    return problems


def _follow_chain(rows: Iterable[RawEntry], problems: list[str]) -> Iterator[Line]:
    last, last_hash, quote = 0, FIRST_HASH, encode_basestring
    for number, at, kind, key, body, previous_hash, digest in rows:
        if number != last + 1:
            problems.append(f"entry {number} follows entry {last}: entries are missing")
        if previous_hash != last_hash:
            problems.append(f"entry {number} does not name the hash of the entry before it")
        # Of the others, no quoting need be undone: each is compared, or looked up, as it is.
        text = (
            f'{{"at":"{at}","body":{body},"key":{quote(key)},"kind":"{kind}","number":{number},'
            f'"previous_hash":"{previous_hash}"}}'
        )
        if digest != digest_of(text):
            problems.append(f"entry {number} has been changed: its hash is not that of its content")
        last, last_hash = number, digest
        try:
            datetime.fromisoformat(at)
            yield Line(number, at, kind, key, _decode(body))
        except (ValueError, msgspec.MsgspecError) as error:
            problems.append(f"entry {number} cannot be read: {error}")


def _compare(
    kind: str, expected: dict[K, V], found: Iterable[tuple[K, object]], describe: Callable[[V], object]
) -> Iterator[str]:
    """What is missing, what is too much, and what is another than expected; `expected` is used up."""
    for name, value in found:
        folded = expected.pop(name, None)
        if folded is None:
            yield f"{kind} {_shown(name)} is in the books, but not in the journal"
        elif (wanted := describe(folded)) != value:
            yield f"{kind} {_shown(name)} is {value} in the books, but {wanted} by the journal"
    for name in expected:
        yield f"{kind} {_shown(name)} is in the journal, but not in the books"


def _shown(name: object) -> str:
    return "/".join(f"`{part}`" for part in (name if isinstance(name, tuple) else (name,)))


def _itself(value: object) -> object:
    return value


def _expected_budget(budget: FoldedBudget) -> object:
    return dict(budget.definition), budget.last


def _budget_of(standing: Standing) -> tuple[str, object]:
    latest = standing.latest
    return standing.budget.name, (encode_budget(standing.budget), None if latest is None else latest.period_id)


def _folded_balances(folded: Fold) -> dict[tuple[str, str], object]:
    return {
        (name, period): balance.sums
        for name, budget in folded.budgets.items()
        for period, balance in budget.periods.items()
    }


def _balance_of(balance: Balance) -> tuple[tuple[str, str], object]:
    figures = (balance.spent, balance.reserved, balance.metered, balance.unpriced, balance.exempt)
    return (balance.budget.name, balance.period_id), figures


def expected_holding(folded: FoldedReservation) -> Row:
    """The row that the books must have, but for its key."""
    return (
        folded.request,
        folded.labels.encoded,
        *folded.labels.run_and_task,
        folded.place,
        folded.attempt,
        folded.charged_to.encoded,
        folded.exempt_from.encoded,
        folded.state,
        *folded.held,
        *folded.granted,
        *(shorten(folded.metered) if folded.calls else _NOT_METERED),
        folded.calls,
        folded.unpriced_calls,
        *(folded.charged or _NOT_CHARGED),
        *folded.unknown,
        "" if folded.ending is None else encode_quickly(folded.ending),
        "" if folded.crediting is None else encode_quickly(folded.crediting),
    )


def _holding_of(holding: Holding | Row) -> tuple[str, object]:
    row = write_holding(holding) if isinstance(holding, Holding) else holding
    return row[0], row[1:]


def _call_of(call: tuple[str, CallRecord] | Row) -> tuple[tuple[str, str, int], object]:
    row = write_call(*call) if len(call) == 2 else call
    return row[:3], row[3:]


def _mark_of(mark: Mark) -> tuple[tuple[str, str, int], object]:
    alert = mark.alert
    said = (None, None) if alert is None else (alert.level.value, alert.message)
    return (mark.budget, mark.period_id, mark.percent), (format_instant(mark.at), *said, mark.is_over)


def _said(mark: FoldedMark) -> tuple[str, str | None, str | None, bool]:
    return mark.at, mark.level, mark.message, mark.is_over


def _numbered(marks: Iterable[tuple[tuple[str, str, int], object]]) -> Iterator[tuple[tuple[object, ...], object]]:
    """Each with how many of the same threshold went before it: a raised limit lets it fire anew."""
    counts: dict[tuple[str, str, int], int] = {}
    for name, said in marks:
        counts[name] = counts.get(name, 0) + 1
        yield (*name, counts[name]), said
