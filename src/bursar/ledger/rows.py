"""Rows of the SQLite ledger, to values and back. The order of the columns is the order of the statements here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from bursar.budget import (
    Alert,
    Amount,
    Balance,
    Budget,
    Counting,
    Level,
    Limit,
    OnLimit,
    Threshold,
    Unit,
    parse_period,
)
from bursar.errors import StoreError, UserError
from bursar.ledger.books import Mark, Standing
from bursar.ledger.entries import encode, encode_budget, format_instant
from bursar.ledger.holding import Account, Holding
from bursar.ledger.port import CallRecord, State
from bursar.usage import Usage

Row = tuple[Any, ...]
T = TypeVar("T")

_DAMAGED = "keep a copy of the file and of its `-wal` file, then restore a backup"


def _sides(what: str) -> tuple[str, ...]:
    return f"{what}_tokens", f"{what}_nano_usd", f"{what}_fresh_tokens", f"{what}_output_tokens"


_HOLDING_COLUMNS = (
    "key",
    "request",
    "labels",
    "run",
    "task",
    "place",
    "attempt",
    "budgets",
    "exempt",
    "state",
    *_sides("held"),
    *_sides("granted"),
    *_sides("metered"),
    "calls",
    "unpriced_calls",
    *_sides("charged"),
    "unknown_tokens",
    "unknown_nano_usd",
    "ending",
    "crediting",
)
_FIXED = 9
"""How many of the columns never change."""

SELECT_HOLDINGS = f"SELECT {', '.join(_HOLDING_COLUMNS)} FROM reservations"
INSERT_HOLDING = (
    f"INSERT INTO reservations ({', '.join(_HOLDING_COLUMNS)}) VALUES ({', '.join('?' * len(_HOLDING_COLUMNS))})"
)
UPDATE_HOLDING = (
    f"UPDATE reservations SET {', '.join(f'{name} = ?' for name in _HOLDING_COLUMNS[_FIXED:])} WHERE key = ?"
)

_BUDGET_COLUMNS = (
    "name",
    "selector",
    "run",
    "task",
    "unit",
    "counts",
    "period",
    "timezone",
    "quantity",
    "thresholds",
    "on_limit",
    "stop_percent",
    "allows_unknown_price",
)
_DEFINED = 8
"""How many of the columns never change."""

_BUDGETS = ", ".join(f"budgets.{name}" for name in _BUDGET_COLUMNS)
_FIGURES = ", ".join(f"balances.{name}" for name in ("period_id", "spent", "reserved", "metered", "unpriced", "exempt"))

SELECT_STANDINGS = (
    f"SELECT {_BUDGETS}, {_FIGURES} FROM budgets"
    " LEFT JOIN balances ON balances.budget = budgets.id AND balances.period_id = budgets.last_period"
)
SELECT_BALANCES = f"SELECT {_BUDGETS}, {_FIGURES} FROM budgets JOIN balances ON balances.budget = budgets.id"
INSERT_BUDGET = f"INSERT INTO budgets ({', '.join(_BUDGET_COLUMNS)}) VALUES ({', '.join('?' * len(_BUDGET_COLUMNS))})"
UPDATE_BUDGET = f"UPDATE budgets SET {', '.join(f'{name} = ?' for name in _BUDGET_COLUMNS[_DEFINED:])} WHERE name = ?"
UPDATE_LAST_PERIOD = "UPDATE budgets SET last_period = ? WHERE name = ? AND last_period IS NOT ?"
PUT_BALANCE = (
    "INSERT INTO balances (budget, period_id, spent, reserved, metered, unpriced, exempt)"
    " VALUES ((SELECT id FROM budgets WHERE name = ?), ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (budget, period_id) DO UPDATE SET spent = excluded.spent, reserved = excluded.reserved,"
    " metered = excluded.metered, unpriced = excluded.unpriced, exempt = excluded.exempt"
)

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
        _write_accounts(holding.accounts),
        _write_accounts(holding.exempt),
    )
    return fixed + write_changed(holding)


def write_changed(holding: Holding) -> Row:
    """The columns of a holding that can change."""
    return (
        holding.state.value,
        *_write_sides(holding.held),
        *_write_sides(holding.granted),
        *_write_sides(holding.metered),
        holding.calls,
        holding.unpriced_calls,
        *_write_sides(holding.charged),
        holding.unknown.tokens,
        holding.unknown.nano_usd,
        holding.ending,
        holding.crediting,
    )


def read_holding(row: Row) -> Holding:
    """The holding of a row of `SELECT_HOLDINGS`."""
    key, request, labels, _, _, place, attempt, accounts, exempt, state = row[:10]
    calls, unpriced_calls, charged_tokens = row[22:25]
    return Holding(
        key=key,
        request=request,
        labels=json.loads(labels),
        place=place,
        attempt=attempt,
        accounts=_read_accounts(accounts),
        exempt=_read_accounts(exempt),
        state=State(state),
        held=Amount(*row[10:14]),
        granted=Amount(*row[14:18]),
        metered=Amount(*row[18:22]),
        calls=calls,
        unpriced_calls=unpriced_calls,
        charged=None if charged_tokens is None else Amount(*row[24:28]),
        unknown=Amount(*row[28:30]),
        ending=row[30],
        crediting=row[31],
    )


@lru_cache(maxsize=256)  # most operations of a program are put on the same ones
def _write_accounts(accounts: tuple[Account, ...]) -> str:
    return encode(accounts)


@lru_cache(maxsize=256)
def _read_accounts(encoded: str) -> tuple[Account, ...]:
    return tuple(Account(*each) for each in json.loads(encoded))


def write_budget(budget: Budget) -> Row:
    """The parameters of `INSERT_BUDGET`."""
    body = encode_budget(budget)
    fixed = (
        budget.name,
        encode(body["selector"]),
        *run_and_task(budget.selector),
        budget.limit.unit.value,
        budget.counts.value,
        str(budget.period),
        budget.period.timezone,
    )
    return fixed + _write_terms(budget)


def write_definition(budget: Budget) -> Row:
    """The parameters of `UPDATE_BUDGET`."""
    return (*_write_terms(budget), budget.name)


def _write_terms(budget: Budget) -> Row:
    """The columns of a budget that can change."""
    return (
        budget.limit.quantity,
        encode(encode_budget(budget)["thresholds"]),
        budget.on_limit.value,
        budget.stop_percent,
        int(budget.allows_unknown_price),
    )


def write_balance(balance: Balance) -> Row:
    """The parameters of `PUT_BALANCE`."""
    figures = (balance.spent, balance.reserved, balance.metered, balance.unpriced, balance.exempt)
    return (balance.budget.name, balance.period_id, *figures)


def read_standing(row: Row) -> Standing:
    """The budget of a row of `SELECT_STANDINGS`, and its latest balance."""
    budget = _read_budget(*row[:13])
    return Standing(budget, None if row[13] is None else _balance(budget, *row[13:]))


def read_balance(row: Row) -> Balance:
    """The balance of a row of `SELECT_BALANCES`."""
    return _balance(_read_budget(*row[:13]), *row[13:])


def _balance(
    budget: Budget, period_id: str, spent: int, reserved: int, metered: int, unpriced: int, exempt: int
) -> Balance:
    return Balance(
        budget=budget,
        spent=spent,
        reserved=reserved,
        metered=metered,
        unpriced=unpriced,
        exempt=exempt,
        period_id=period_id,
    )


@lru_cache(maxsize=256)
def _read_budget(
    name: str,
    selector: str,
    _run: str,
    _task: str,
    unit: str,
    counts: str,
    period: str,
    timezone: str | None,
    quantity: int,
    thresholds: str,
    on_limit: str,
    stop_percent: int | None,
    allows_unknown_price: int,
) -> Budget:
    if allows_unknown_price not in (0, 1):
        raise ValueError(f"allows_unknown_price is {allows_unknown_price}")
    return Budget(
        name=name,
        selector=json.loads(selector),
        limit=Limit(quantity, Unit(unit)),
        period=parse_period(period, timezone),
        thresholds=tuple(Threshold(percent, Level(level), *named) for percent, level, *named in json.loads(thresholds)),
        on_limit=OnLimit(on_limit),
        counts=Counting(counts),
        stop_percent=stop_percent,
        allows_unknown_price=bool(allows_unknown_price),
    )


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


def _write_sides(amount: Amount | None) -> Row:
    if amount is None:
        return None, None, None, None
    return amount.tokens, amount.nano_usd, amount.fresh_tokens, amount.output_tokens
