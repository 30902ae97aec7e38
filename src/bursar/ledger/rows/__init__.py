"""Rows of the SQL ledgers, to values and back. The order of the columns is the order of the statements here."""

from bursar.ledger.rows.budgets import (
    BUDGET_COLUMNS,
    INSERT_BUDGET,
    PUT_BALANCE,
    SELECT_BALANCES,
    SELECT_STANDINGS,
    UPDATE_BUDGET,
    UPDATE_LAST_PERIOD,
    read_balance,
    read_standing,
    write_balance,
    write_budget,
    write_definition,
)
from bursar.ledger.rows.calls import INSERT_CALL, SELECT_CALLS, read_call, read_usage, write_call
from bursar.ledger.rows.common import DAMAGED_HINT, Row, parse, run_and_task
from bursar.ledger.rows.holdings import (
    HOLDING_COLUMNS,
    INSERT_HOLDING,
    SELECT_HOLDINGS,
    UPDATE_HOLDING,
    read_holding,
    write_changed,
    write_holding,
)
from bursar.ledger.rows.marks import INSERT_MARK, SELECT_MARKS, read_mark, write_mark
from bursar.ledger.rows.phases import INSERT_PHASE, SELECT_PHASES, UPDATE_PHASE, read_phase, write_phase

SELECT_OPERATIONS = (
    "SELECT number, at, kind, entries.key, body, previous_hash, hash, labels"
    " FROM entries JOIN reservations ON reservations.key = entries.key"
)
"""Entries of reservations, each with the labels behind it."""
SELECT_ENTRIES = "SELECT number, at, kind, key, body, previous_hash, hash FROM entries"
INSERT_ENTRY = "INSERT INTO entries (number, at, kind, key, body, previous_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"

__all__ = [
    "BUDGET_COLUMNS",
    "DAMAGED_HINT",
    "HOLDING_COLUMNS",
    "INSERT_BUDGET",
    "INSERT_CALL",
    "INSERT_ENTRY",
    "INSERT_HOLDING",
    "INSERT_MARK",
    "INSERT_PHASE",
    "PUT_BALANCE",
    "SELECT_BALANCES",
    "SELECT_CALLS",
    "SELECT_ENTRIES",
    "SELECT_HOLDINGS",
    "SELECT_MARKS",
    "SELECT_OPERATIONS",
    "SELECT_PHASES",
    "SELECT_STANDINGS",
    "UPDATE_BUDGET",
    "UPDATE_HOLDING",
    "UPDATE_LAST_PERIOD",
    "UPDATE_PHASE",
    "Row",
    "parse",
    "read_balance",
    "read_call",
    "read_holding",
    "read_mark",
    "read_phase",
    "read_standing",
    "read_usage",
    "run_and_task",
    "write_balance",
    "write_budget",
    "write_call",
    "write_changed",
    "write_definition",
    "write_holding",
    "write_mark",
    "write_phase",
]
