"""Rows of calls, to values and back."""

from __future__ import annotations

from bursar.ledger.rows.common import Row
from bursar.ledger.types import CallRecord
from bursar.usage import Usage

_CALL_COLUMNS = (
    "call_id, sequence, model, input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,"
    " output_tokens, nano_usd, provenance"
)
INSERT_CALL = (
    f"INSERT INTO calls (reservation, {_CALL_COLUMNS})"
    " VALUES ((SELECT id FROM reservations WHERE key = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
SELECT_CALLS = f"SELECT key, {_CALL_COLUMNS} FROM calls JOIN reservations ON reservations.id = calls.reservation"


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
