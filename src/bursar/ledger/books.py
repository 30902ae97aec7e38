"""What the law needs of a store: rows within a transaction, and no rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bursar.budget import Alert, Balance, Budget
from bursar.ledger.holding import Holding
from bursar.ledger.port import CallRecord, Entry


@dataclass(frozen=True, slots=True)
class Mark:
    """A threshold that will not fire again; `alert` is what it said, None where a higher one spoke for it."""

    budget: str
    period_id: str
    percent: int
    at: datetime
    alert: Alert | None


class Books(Protocol):
    """The rows of a store within one transaction; what is read stays as it is until the transaction ends."""

    def holding(self, key: str) -> Holding | None:
        """The holding of that key."""
        ...

    def put_holding(self, holding: Holding, *, is_new: bool) -> None:
        """The holding is as given; `is_new`: there was none of its key."""
        ...

    def latest_attempt(self, place: str) -> int:
        """The highest attempt that holds or held anything at that place; 0 where there was none."""
        ...

    def call(self, key: str, call_id: str, sequence: int) -> CallRecord | None:
        """The call as it was recorded."""
        ...

    def add_call(self, key: str, call: CallRecord) -> None:
        """The call is recorded; it was not before."""
        ...

    def matching(self, labels: Mapping[str, str]) -> Sequence[Balance]:
        """Every budget that selects these labels, in order of name."""
        ...

    def named(self, names: Iterable[str]) -> Sequence[Balance]:
        """The budgets of these names that exist, in the order given."""
        ...

    def put_budget(self, budget: Budget, *, is_new: bool) -> None:
        """The budget is as given; a new one has nothing on it."""
        ...

    def put_balance(self, balance: Balance) -> None:
        """The figures of the budget are as given."""
        ...

    def marks(self, budget: str, period: str) -> Collection[int]:
        """The percents of that budget that will not fire again in that period."""
        ...

    def add_mark(self, mark: Mark) -> None:
        """The threshold will not fire again."""
        ...

    def head(self) -> tuple[int, str]:
        """Number and hash of the last entry; 0 and `FIRST_HASH` in an empty journal."""
        ...

    def add_entry(self, entry: Entry, body: str) -> None:
        """The entry is the last one; `body` is its body as canonical JSON."""
        ...
