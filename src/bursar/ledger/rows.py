"""Rows of the SQLite ledger, to values and back. The order of the columns is the order of the statements here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from bursar.budget import Alert, Amount, Balance, Budget, Level, Limit, OnLimit, Threshold, Unit, parse_period
from bursar.errors import StoreError, UserError
from bursar.ledger.books import Mark
from bursar.ledger.entries import encode, encode_budget, format_instant
from bursar.ledger.holding import Holding
from bursar.ledger.port import CallRecord, State
from bursar.usage import Usage

Row = tuple[Any, ...]
T = TypeVar("T")

_DAMAGED = "keep a copy of the file and of its `-wal` file, then restore a backup"

_HOLDING_COLUMNS = (
    "key",
    "request",
    "labels",
    "run",
    "task",
    "place",
    "attempt",
    "budgets",
    "state",
    "held_tokens",
    "held_nano_usd",
    "granted_tokens",
    "granted_nano_usd",
    "metered_tokens",
    "metered_nano_usd",
    "calls",
    "unpriced_calls",
    "charged_tokens",
    "charged_nano_usd",
    "unknown_tokens",
    "unknown_nano_usd",
    "ending",
    "crediting",
)
_FIXED = 8
"""How many of the columns never change."""

SELECT_HOLDINGS = f"SELECT {', '.join(_HOLDING_COLUMNS)} FROM reservations"
INSERT_HOLDING = (
    f"INSERT INTO reservations ({', '.join(_HOLDING_COLUMNS)}) VALUES ({', '.join('?' * len(_HOLDING_COLUMNS))})"
)
UPDATE_HOLDING = (
    f"UPDATE reservations SET {', '.join(f'{name} = ?' for name in _HOLDING_COLUMNS[_FIXED:])} WHERE key = ?"
)

_BALANCE_COLUMNS = "name, selector, unit, quantity, period, thresholds, on_limit, spent, reserved, metered, unpriced"
SELECT_BALANCES = f"SELECT {_BALANCE_COLUMNS} FROM budgets"
INSERT_BUDGET = (
    "INSERT INTO budgets (name, selector, run, task, unit, quantity, period, thresholds, on_limit,"
    " spent, reserved, metered, unpriced) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0)"
)
UPDATE_BUDGET = "UPDATE budgets SET quantity = ?, thresholds = ?, on_limit = ? WHERE name = ?"
UPDATE_BALANCE = "UPDATE budgets SET spent = ?, reserved = ?, metered = ?, unpriced = ? WHERE name = ?"

_CALL_COLUMNS = (
    "call_id, sequence, model, input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,"
    " output_tokens, nano_usd, provenance"
)
INSERT_CALL = (
    f"INSERT INTO calls (reservation, {_CALL_COLUMNS})"
    " VALUES ((SELECT id FROM reservations WHERE key = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
SELECT_CALLS = f"SELECT key, {_CALL_COLUMNS} FROM calls JOIN reservations ON reservations.id = calls.reservation"

SELECT_MARKS = "SELECT budget, period_id, percent, at, level, message FROM alerts"
INSERT_MARK = "INSERT INTO alerts (budget, period_id, percent, at, level, message) VALUES (?, ?, ?, ?, ?, ?)"

SELECT_ENTRIES = "SELECT number, at, kind, key, body, previous_hash, hash FROM entries"
INSERT_ENTRY = "INSERT INTO entries (number, at, kind, key, body, previous_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"


def parse(read: Callable[[Row], T], row: Row) -> T:
    """What `read` makes of the row.

    Raises:
        StoreError: the row holds what was never written there.
    """
    try:
        return read(row)
    except (ValueError, TypeError, KeyError, UserError) as error:
        raise StoreError(f"the ledger's row `{row[0]}` has been damaged: {error}", hint=_DAMAGED) from error


def run_and_task(labels: Mapping[str, str]) -> tuple[str, str]:
    """The two labels that rows are found by; '' where there is none."""
    return labels.get("run", ""), labels.get("task", "")


def write_holding(holding: Holding) -> Row:
    """All columns of a holding."""
    fixed = (
        holding.key,
        holding.request,
        encode(dict(holding.labels)),
        *run_and_task(holding.labels),
        holding.place,
        holding.attempt,
        encode(holding.budgets),
    )
    return fixed + write_changed(holding)


def write_changed(holding: Holding) -> Row:
    """The columns of a holding that can change."""
    return (
        holding.state.value,
        *_pair(holding.held),
        *_pair(holding.granted),
        *_pair(holding.metered),
        holding.calls,
        holding.unpriced_calls,
        *_pair(holding.charged),
        *_pair(holding.unknown),
        holding.ending,
        holding.crediting,
    )


def read_holding(row: Row) -> Holding:
    """The holding of a row of `SELECT_HOLDINGS`."""
    key, request, labels, _, _, place, attempt, budgets, state = row[:9]
    calls, unpriced_calls, charged_tokens = row[15:18]
    return Holding(
        key=key,
        request=request,
        labels=json.loads(labels),
        place=place,
        attempt=attempt,
        budgets=tuple(json.loads(budgets)),
        state=State(state),
        held=Amount(*row[9:11]),
        granted=Amount(*row[11:13]),
        metered=Amount(*row[13:15]),
        calls=calls,
        unpriced_calls=unpriced_calls,
        charged=None if charged_tokens is None else Amount(*row[17:19]),
        unknown=Amount(*row[19:21]),
        ending=row[21],
        crediting=row[22],
    )


def write_budget(budget: Budget) -> Row:
    """The parameters of `INSERT_BUDGET`."""
    body = encode_budget(budget)
    return (
        budget.name,
        encode(body["selector"]),
        *run_and_task(budget.selector),
        budget.limit.unit.value,
        budget.limit.quantity,
        str(budget.period),
        encode(body["thresholds"]),
        budget.on_limit.value,
    )


def write_definition(budget: Budget) -> Row:
    """The parameters of `UPDATE_BUDGET`."""
    thresholds = encode(encode_budget(budget)["thresholds"])
    return budget.limit.quantity, thresholds, budget.on_limit.value, budget.name


def read_balance(row: Row) -> Balance:
    """The balance of a row of `SELECT_BALANCES`."""
    name, selector, unit, quantity, period, thresholds, on_limit, spent, reserved, metered, unpriced = row
    budget = Budget(
        name=name,
        selector=json.loads(selector),
        limit=Limit(quantity, Unit(unit)),
        period=parse_period(period),
        thresholds=tuple(Threshold(percent, Level(level)) for percent, level in json.loads(thresholds)),
        on_limit=OnLimit(on_limit),
    )
    return Balance(budget=budget, spent=spent, reserved=reserved, metered=metered, unpriced=unpriced)


def write_call(key: str, call: CallRecord) -> Row:
    """The parameters of `INSERT_CALL`."""
    usage = call.usage
    return (
        key,
        call.call_id,
        call.sequence,
        call.model,
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_5m_tokens,
        usage.cache_write_1h_tokens,
        usage.output_tokens,
        call.nano_usd,
        call.provenance,
    )


def read_usage(counters: Row) -> Usage:
    """The usage of five counters, in the order of the columns."""
    fresh, cache_read, cache_write_5m, cache_write_1h, output = counters
    return Usage(
        input_tokens=fresh,
        cache_read_tokens=cache_read,
        cache_write_5m_tokens=cache_write_5m,
        cache_write_1h_tokens=cache_write_1h,
        output_tokens=output,
    )


def read_call(row: Row) -> tuple[str, CallRecord]:
    """The key and the call of a row of `SELECT_CALLS`."""
    key, call_id, sequence, model = row[:4]
    usage = read_usage(row[4:9])
    nano_usd, provenance = row[9:]
    call = CallRecord(
        call_id=call_id, sequence=sequence, model=model, usage=usage, nano_usd=nano_usd, provenance=provenance
    )
    return key, call


def write_mark(mark: Mark) -> Row:
    """The parameters of `INSERT_MARK`."""
    level = None if mark.alert is None else mark.alert.level.value
    message = None if mark.alert is None else mark.alert.message
    return mark.budget, mark.period_id, mark.percent, format_instant(mark.at), level, message


def read_mark(row: Row) -> Mark:
    """The mark of a row of `SELECT_MARKS`."""
    budget, period_id, percent, at_text, level, message = row
    at = datetime.fromisoformat(at_text)
    alert = None
    if (level is None) is not (message is None):
        raise ValueError("an alert has a level and a message, or neither")
    if level is not None:
        alert = Alert(budget=budget, period_id=period_id, percent=percent, level=Level(level), at=at, message=message)
    return Mark(budget, period_id, percent, at, alert)


def _pair(amount: Amount | None) -> tuple[int | None, int | None]:
    return (None, None) if amount is None else (amount.tokens, amount.nano_usd)
