"""What all rows have in common: how one is read, and what rows are found by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bursar.errors import StoreError, UserError

Row = tuple[Any, ...]
T = TypeVar("T")

DAMAGED_HINT = "`bursar ledger rebuild` makes a new ledger from what can be read of this one, which is kept"


def parse(read: Callable[[Row], T], row: Row) -> T:
    """What `read` makes of the row.

    Raises:
        StoreError: the row holds what was never written there.
    """
    try:
        return read(row)
    except (ValueError, TypeError, KeyError, UserError) as error:
        raise StoreError(f"the ledger's row `{row[0]}` has been damaged: {error}", hint=DAMAGED_HINT) from error


def run_and_task(labels: Mapping[str, str]) -> tuple[str, str]:
    """The two labels that rows are found by; '' where there is none."""
    return labels.get("run", ""), labels.get("task", "")
