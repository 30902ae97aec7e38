"""Rows of reservations, to values and back."""

from __future__ import annotations

import json
from functools import lru_cache

from bursar.budget import Amount
from bursar.ledger.entries import encode
from bursar.ledger.holding import Account, Holding
from bursar.ledger.rows.common import Row, run_and_task
from bursar.ledger.types import State


def _sides(what: str) -> tuple[str, ...]:
    return f"{what}_tokens", f"{what}_nano_usd", f"{what}_fresh_tokens", f"{what}_output_tokens"


HOLDING_COLUMNS = (
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

SELECT_HOLDINGS = f"SELECT {', '.join(HOLDING_COLUMNS)} FROM reservations"
INSERT_HOLDING = (
    f"INSERT INTO reservations ({', '.join(HOLDING_COLUMNS)}) VALUES ({', '.join('?' * len(HOLDING_COLUMNS))})"
)
UPDATE_HOLDING = (
    f"UPDATE reservations SET {', '.join(f'{name} = ?' for name in HOLDING_COLUMNS[_FIXED:])} WHERE key = ?"
)


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


def _write_sides(amount: Amount | None) -> Row:
    if amount is None:
        return None, None, None, None
    return amount.tokens, amount.nano_usd, amount.fresh_tokens, amount.output_tokens
