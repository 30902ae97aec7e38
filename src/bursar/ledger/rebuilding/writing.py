"""The rows of a new ledger, from its journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bursar.database import Database
from bursar.ledger import rows
from bursar.ledger.audit import expected_holding
from bursar.ledger.entries import RawEntry, encode
from bursar.ledger.folded import Fold, FoldedBudget

Row = tuple[Any, ...]


def write_books(database: Database, entries: Sequence[RawEntry], folded: Fold) -> None:
    """The database, which has a ledger's tables and nothing in them, has these entries and all that follows of them."""
    with database.write() as connection:
        connection.executemany(rows.INSERT_ENTRY, entries)
        for name, budget in folded.budgets.items():
            connection.execute(rows.INSERT_BUDGET, _budget_row(name, budget))
            connection.executemany(rows.PUT_BALANCE, _balance_rows(name, budget))
            if budget.last is not None:
                connection.execute(rows.UPDATE_LAST_PERIOD, (budget.last, name, budget.last))
        holdings = [(key, *expected_holding(each)) for key, each in folded.reservations.items()]
        connection.executemany(rows.INSERT_HOLDING, holdings)
        connection.executemany(rows.INSERT_CALL, ((*report, *content) for report, content in folded.calls.items()))
        connection.executemany(rows.INSERT_MARK, _mark_rows(folded))
        connection.executemany(rows.INSERT_PHASE, ((*name, *sums) for name, sums in folded.phases.items()))


def _budget_row(name: str, budget: FoldedBudget) -> Row:
    said = budget.definition
    return (
        name,
        encode(said["selector"]),
        *rows.run_and_task(said["selector"]),
        said["unit"],
        said["counts"],
        said["period"],
        said["timezone"],
        said["quantity"],
        encode(said["thresholds"]),
        said["on_limit"],
        said["stop_percent"],
        int(said["allows_unknown_price"]),
    )


def _balance_rows(name: str, budget: FoldedBudget) -> Iterator[Row]:
    for period, balance in budget.periods.items():
        yield (name, period, *balance.sums)


def _mark_rows(folded: Fold) -> Iterator[Row]:
    for (budget, period, percent), (at, level, message) in folded.marks.items():
        yield budget, period, percent, at, level, message
