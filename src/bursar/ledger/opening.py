"""Which store a ledger is kept in: a URL names a server, anything else is a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, overload

from bursar.clock import Clock
from bursar.errors import SetupError, UserError
from bursar.ledger.rebuilt import Evidence, Rebuilt
from bursar.ledger.sqlite import SqliteLedger
from bursar.ledger.sqlite import open_ledger as open_sqlite_ledger

if TYPE_CHECKING:
    from bursar.ledger.postgres import PostgresLedger

_SCHEMES = ("postgresql://", "postgres://")


@overload
def open_ledger(
    place: os.PathLike[str], clock: Clock, *, read_only: bool = False, busy_seconds: float = 10.0
) -> SqliteLedger: ...
@overload
def open_ledger(
    place: str, clock: Clock, *, read_only: bool = False, busy_seconds: float = 10.0
) -> SqliteLedger | PostgresLedger: ...
def open_ledger(
    place: str | os.PathLike[str], clock: Clock, *, read_only: bool = False, busy_seconds: float = 10.0
) -> SqliteLedger | PostgresLedger:
    """The ledger at `place`, made where there is none and never was one: a path, or a `postgresql://` URL.

    Raises:
        UserError: the URL cannot be read.
        SetupError: the URL needs a driver that is not installed.
        StoreError: it is corrupt, foreign, lost, of a later release, not ours, out of reach, or behind a symlink.
    """
    if isinstance(place, str) and is_ledger_url(place):
        return _open_postgres(place, clock, read_only=read_only, busy_seconds=busy_seconds)
    return open_sqlite_ledger(place, clock, read_only=read_only, busy_seconds=busy_seconds)


def is_ledger_url(place: str) -> bool:
    """The place is a server, not a file."""
    return place.startswith(_SCHEMES)


def prepare_to_open(place: str) -> None:
    """What opening the ledger at `place` needs is loaded, nothing is opened; a missing driver is for `open_ledger`."""
    if is_ledger_url(place) and find_spec("psycopg") is not None:
        import_module("bursar.ledger.postgres")


def rebuild_ledger(
    place: str, clock: Clock, *, exported: Iterable[Mapping[str, object]] = (), evidence: Sequence[Evidence] = ()
) -> Rebuilt:
    """There is a whole ledger in the file `place`, out of all that could be read of the damaged one, which is kept.

    Args:
        exported: lines of `bursar ledger export` of the same ledger.
        evidence: what others know of reservations; believed only where the journal has lost entries.

    Raises:
        UserError: the ledger is on a server, or whole already; an export is not one, or of another ledger.
        LedgerBusy: a process uses it.
        StoreError: not one entry could be read. Whatever is raised, the old file is what it was.
    """
    if is_ledger_url(place):
        raise UserError(
            "only a ledger in a file is rebuilt; this one is on a server",
            hint="restore the database from a backup of `pg_dump`, then `bursar ledger verify`",
        )
    from bursar.ledger.rebuilding import rebuild_file  # late: next to nobody needs it

    return rebuild_file(place, clock, exported=exported, evidence=evidence)


def _open_postgres(url: str, clock: Clock, *, read_only: bool, busy_seconds: float) -> PostgresLedger:
    try:
        from bursar.ledger.postgres import open_postgres_ledger  # late: the driver takes long to load
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise SetupError(
            "a ledger on PostgreSQL needs the package `psycopg`", hint="pip install 'bursar[postgres]'"
        ) from error
    return open_postgres_ledger(url, clock, read_only=read_only, busy_seconds=busy_seconds)
