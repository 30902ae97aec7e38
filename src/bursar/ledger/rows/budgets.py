"""Rows of budgets, and of how each stands in a period, to values and back."""

from __future__ import annotations

import json
from functools import lru_cache

from bursar.budget import Balance, Budget, Counting, Level, Limit, OnLimit, Threshold, Unit, parse_period
from bursar.ledger.books import Standing
from bursar.ledger.entries import encode, encode_budget
from bursar.ledger.rows.common import Row, run_and_task

BUDGET_COLUMNS = (
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

_BUDGETS = ", ".join(f"budgets.{name}" for name in BUDGET_COLUMNS)
_FIGURES = ", ".join(f"balances.{name}" for name in ("period_id", "spent", "reserved", "metered", "unpriced", "exempt"))

SELECT_STANDINGS = (
    f"SELECT {_BUDGETS}, {_FIGURES} FROM budgets"
    " LEFT JOIN balances ON balances.budget = budgets.id AND balances.period_id = budgets.last_period"
)
SELECT_BALANCES = f"SELECT {_BUDGETS}, {_FIGURES} FROM budgets JOIN balances ON balances.budget = budgets.id"
INSERT_BUDGET = f"INSERT INTO budgets ({', '.join(BUDGET_COLUMNS)}) VALUES ({', '.join('?' * len(BUDGET_COLUMNS))})"
UPDATE_BUDGET = f"UPDATE budgets SET {', '.join(f'{name} = ?' for name in BUDGET_COLUMNS[_DEFINED:])} WHERE name = ?"
UPDATE_LAST_PERIOD = "UPDATE budgets SET last_period = ? WHERE name = ? AND last_period IS NOT ?"
PUT_BALANCE = (
    "INSERT INTO balances (budget, period_id, spent, reserved, metered, unpriced, exempt)"
    " VALUES ((SELECT id FROM budgets WHERE name = ?), ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (budget, period_id) DO UPDATE SET spent = excluded.spent, reserved = excluded.reserved,"
    " metered = excluded.metered, unpriced = excluded.unpriced, exempt = excluded.exempt"
)


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
