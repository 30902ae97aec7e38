"""What of a ledger is in a damaged file: entries that prove themselves, rows that at least agree with themselves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import apsw

from bursar.budget import NOTHING, Amount, Balance, Budget
from bursar.database import open_salvage
from bursar.errors import BursarError
from bursar.ledger import changes, rows
from bursar.ledger.books import Mark
from bursar.ledger.entries import RawEntry, decode_amount, decode_call, hash_of
from bursar.ledger.holding import Holding
from bursar.ledger.sqlite import APPLICATION_ID
from bursar.ledger.types import CallRecord, State

T = TypeVar("T")

_HASH_LENGTH = 64
_FIGURES = ("period_id", "spent", "reserved", "metered", "unpriced", "exempt")
_CANNOT_BE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, BursarError)
"""What reading a row raises that was never written so."""


@dataclass(slots=True)
class Findings:
    """What was found. Of rows there may be several versions; the last one found is kept.

    Attributes:
        entries: by number; their hashes are those of their contents. Rarely is there more than one of a number.
        broken: what has the shape of an entry, and another hash.
        length: how many entries there ever were; None where the tree of the journal's table, or the log beside the
            file, does not make sense down to the last leaf, so that nobody knows.
        calls: by the key of the reservation.
    """

    entries: dict[int, list[RawEntry]] = field(default_factory=dict)
    broken: list[RawEntry] = field(default_factory=list)
    length: int | None = None
    budgets: dict[str, Budget] = field(default_factory=dict)
    balances: dict[tuple[str, str], Balance] = field(default_factory=dict)
    holdings: dict[str, Holding] = field(default_factory=dict)
    calls: dict[str, list[CallRecord]] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    belongs_to: Literal["us", "another program", "a later release"] = "us"

    def add_entry(self, entry: RawEntry) -> None:
        """The entry is among those found, or among the broken ones."""
        if not is_true(entry):
            self.broken.append(entry)
        elif entry not in (known := self.entries.setdefault(entry[0], [])):
            known.append(entry)


def find_in_file(path: str, migrations: Sequence[str]) -> Findings:
    """Everything in the file at `path` that has the shape of something of a ledger's.

    Args:
        migrations: the schema that the file is thought to have.

    Raises:
        OSError: the file cannot be read.
    """
    salvage, findings, found = open_salvage(path), Findings(), _Rows()
    findings.belongs_to = _belongs_to(salvage.identity, [each[4] for each in salvage.schema()], migrations)
    columns = _columns(migrations)
    for record in salvage.records():
        row = (record.rowid, *record.values[1:]) if record.values[:1] == (None,) else record.values
        if _is_entry(row):
            findings.add_entry(row)  # type: ignore[arg-type]  # `_is_entry` has looked
        elif record.is_current:
            found.take(row, columns, has_rowid=record.rowid is not None)
    leaves, is_tree_whole = salvage.leaves("entries")
    if is_tree_whole and salvage.is_log_whole:
        findings.length = sum(len(leaf) for leaf in leaves)
    _read_rows(found, findings)
    return findings


def is_true(entry: RawEntry) -> bool:
    """Its hash is that of its content."""
    try:
        return hash_of(*entry[:6]) == entry[6]
    except (UnicodeEncodeError, TypeError):
        return False


def _is_entry(row: tuple[Any, ...]) -> bool:
    return (
        len(row) == 7
        and isinstance(row[0], int)
        and all(isinstance(each, str) for each in row[1:])
        and _HASH_LENGTH in (len(row[5]), len(row[6]))
    )


def _belongs_to(
    identity: tuple[int, int] | None, schema: Sequence[object], migrations: Sequence[str]
) -> Literal["us", "another program", "a later release"]:
    """Whose the file is. A number in its header may be damaged too: then its schema is still ours, word for word."""
    connection = _empty(migrations)
    ours = {row[0] for row in connection.execute("SELECT sql FROM sqlite_schema").fetchall()}
    connection.close()
    texts = set(schema)
    if identity is None or not texts or texts == ours:
        return "us"
    owner, version = identity
    if owner != APPLICATION_ID:
        return "us" if texts & ours - {None} else "another program"
    return "a later release" if version > len(migrations) else "us"


def _empty(migrations: Sequence[str]) -> apsw.Connection:
    """A database with that schema and nothing in it."""
    connection = apsw.Connection(":memory:")
    for migration in migrations:
        connection.execute(migration).fetchall()
    return connection


def _columns(migrations: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """The columns of every table, in the order in which a record has them."""
    connection = _empty(migrations)
    tables = ("budgets", "balances", "reservations", "calls", "alerts")
    found = {
        table: tuple(str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})").fetchall())
        for table in tables
    }
    connection.close()
    return found


class _Rows:
    """Records by the table that they have the shape of."""

    def __init__(self) -> None:
        self.of: dict[str, list[dict[str, Any]]] = {}

    def take(self, row: tuple[Any, ...], columns: Mapping[str, tuple[str, ...]], *, has_rowid: bool) -> None:
        for table, names in columns.items():
            if len(row) == len(names) and has_rowid is (names[0] == "id"):
                self.of.setdefault(table, []).append(dict(zip(names, row, strict=True)))

    def each(self, table: str) -> Iterable[dict[str, Any]]:
        return self.of.get(table, ())


def _read_rows(found: _Rows, findings: Findings) -> None:
    budgets: dict[int, tuple[Any, ...]] = {}
    for row, budget in _read(found.each("budgets"), _read_budget):
        budgets[row["id"]] = tuple(row[name] for name in rows.BUDGET_COLUMNS)
        findings.budgets[budget.name] = budget
    for row in found.each("balances"):
        of_budget = budgets.get(row["budget"])
        if of_budget is not None:
            for _, balance in _read([{**row, "of": of_budget}], _read_balance):
                findings.balances[balance.budget.name, balance.period_id] = balance
    keys: dict[int, str] = {}
    for row, holding in _read(found.each("reservations"), _read_holding):
        keys[row["id"]] = holding.key
        findings.holdings[holding.key] = holding
    for row, call in _read(found.each("calls"), _read_call):
        if row["reservation"] in keys:
            findings.calls.setdefault(keys[row["reservation"]], []).append(call)
    findings.marks = [mark for _, mark in _read(found.each("alerts"), _read_mark)]


def _read(
    found: Iterable[dict[str, Any]], read: Callable[[dict[str, Any]], T | None]
) -> Iterator[tuple[dict[str, Any], T]]:
    for row in found:
        try:
            value = read(row)
        except _CANNOT_BE:
            continue
        if value is not None:
            yield row, value


def _read_budget(row: dict[str, Any]) -> Budget | None:
    columns = tuple(row[name] for name in rows.BUDGET_COLUMNS)
    budget = rows.read_standing((*columns, None)).budget
    return budget if rows.write_budget(budget) == columns else None


def _read_balance(row: dict[str, Any]) -> Balance | None:
    figures = tuple(row[name] for name in _FIGURES)
    balance = rows.read_balance((*row["of"], *figures))
    is_possible = all(isinstance(each, int) and each >= 0 for each in figures[1:])
    return balance if is_possible and balance.reserved >= balance.metered else None


def _read_holding(row: dict[str, Any]) -> Holding | None:
    columns = tuple(row[name] for name in rows.HOLDING_COLUMNS)
    holding = rows.read_holding(columns)
    return holding if rows.write_holding(holding) == columns and _agrees(holding) else None


def _read_call(row: dict[str, Any]) -> CallRecord:
    return rows.read_call(("", *(row[name] for name in tuple(row)[1:])))[1]


def _read_mark(row: dict[str, Any]) -> Mark:
    return rows.read_mark(
        tuple(row[name] for name in ("budget", "period_id", "percent", "at", "level", "message", "is_over"))
    )


def _agrees(holding: Holding) -> bool:
    """Its figures are those that its request, its state and its ending lead to: each of them is told twice."""
    request = json.loads(holding.request)
    if request["labels"] != dict(holding.labels):
        return False
    before = holding._replace(state=State.HELD, charged=None, unknown=NOTHING, ending="", crediting="")
    if holding.state is State.HELD:
        return holding == before and holding.granted.tokens <= holding.held.tokens
    if "attempt" not in request:
        used = decode_call(request["call"]) if "call" in request else decode_amount(request["amount"])
        return changes.charge(holding.key, holding.labels, used, holding.accounts, holding.exempt) == holding._replace(
            state=State.SETTLED
        )
    return _ended(before, holding) == holding


def _ended(before: Holding, holding: Holding) -> Holding:
    kind, actual, unknown = json.loads(holding.ending)
    if kind == "settled":
        return changes.settle(before, decode_amount(actual), decode_amount(unknown))
    if kind == "released":
        return changes.release(before)
    forfeited = changes.forfeit(before)
    if holding.state is not State.CREDITED:
        return forfeited
    credited, evidence = json.loads(holding.crediting)
    return changes.credit(forfeited, decode_amount(credited), evidence)


def ending_of(holding: Holding) -> tuple[str, Amount, Amount]:
    """How it ended, in the words and figures of whoever ended it."""
    kind, actual, unknown = json.loads(holding.ending)
    return kind, *(NOTHING if each is None else decode_amount(each) for each in (actual, unknown))
