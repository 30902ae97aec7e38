"""What the errors of PostgreSQL mean to a person, and to whoever waits for the server to come back."""

from __future__ import annotations

import psycopg
from psycopg import errors

from bursar.errors import LedgerBusy, StoreError

_BUSY = (errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected, errors.SerializationFailure)


class ServerAway(StoreError):
    """There is no connection to the server, and nothing was written."""


def store_error(error: psycopg.Error) -> StoreError:
    """What an error of PostgreSQL means to a person."""
    if isinstance(error, _BUSY):
        return LedgerBusy(f"the ledger is being written by another program ({_first_line(error)}); nothing was written")
    if isinstance(error, psycopg.OperationalError):
        return (ServerAway if _is_away(error) else StoreError)(
            f"the ledger's server cannot be used: {_first_line(error)}; nothing was written",
            hint="check that it runs, and the URL",
        )
    return StoreError(f"the ledger's server refuses: {_first_line(error)}; nothing was written")


def _is_away(error: psycopg.OperationalError) -> bool:
    """It may be back soon: the connection is lost or was refused, or the server shuts down, starts, or is full."""
    return error.sqlstate is None or error.sqlstate.startswith(("08", "57P")) or error.sqlstate == "53300"


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0]
