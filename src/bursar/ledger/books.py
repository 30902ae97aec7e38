"""What the law needs of a store: rows within a transaction, and no rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from bursar.budget import Alert, Balance, Budget, LastPeriod
from bursar.ledger.holding import Holding
from bursar.ledger.types import CallRecord, Entry


class Mark(NamedTuple):
    """A threshold that will not fire again; `alert` is what it said, None where a higher one spoke for it.

    Attributes:
        is_over: a raised limit has put it out of reach again, so it may fire anew.
    """

    budget: str
    period_id: str
    percent: int
    at: datetime
    alert: Alert | None
    is_over: bool = False


class PhaseSum(NamedTuple):
    """What was charged to one phase of a session: to all operations that bear these two labels.

    Attributes:
        first: number of the entry in which the phase was first heard of.
    """

    session: str
    phase: str
    first: int
    tokens: int


class Standing(NamedTuple):
    """A budget, and how it stands in the latest period that had anything put on it; None where none had."""

    budget: Budget
    latest: Balance | None

    @property
    def last(self) -> LastPeriod | None:
        """The latest period."""
        return None if self.latest is None else LastPeriod(self.latest.period_id)


class Books(Protocol):
    """The rows of a store within one transaction; what is read stays as it is until the transaction ends."""

    def holding(self, key: str) -> Holding | None:
        """The holding of that key."""
        ...

    def held(self, labels: Mapping[str, str]) -> Sequence[Holding]:
        """Every open holding that carries all of these labels, oldest first."""
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

    def standing(self, name: str) -> Standing | None:
        """The budget of that name."""
        ...

    def matching(self, labels: Mapping[str, str]) -> Sequence[Standing]:
        """Every budget that selects these labels, in order of name."""
        ...

    def every(self) -> Sequence[Standing]:
        """Every budget, in order of name."""
        ...

    def balance(self, budget: Budget, period_id: str) -> Balance | None:
        """How the budget stands in that period; None where nothing was ever put on it then."""
        ...

    def put_budget(self, budget: Budget, *, is_new: bool) -> None:
        """The budget is as given; a new one has nothing on it."""
        ...

    def put_balance(self, balance: Balance) -> None:
        """The figures of the budget in that period are as given, whether there were any or not."""
        ...

    def put_last(self, budget: str, last: LastPeriod) -> None:
        """That period is the latest in which something was put on the budget."""
        ...

    def marks(self, budget: str, period: str) -> Collection[int]:
        """The percents of that budget that will not fire again in that period."""
        ...

    def marked(self, budget: str) -> Collection[tuple[str, int]]:
        """Every period and percent of that budget that will not fire again."""
        ...

    def rearm(self, budget: str, period: str, percent: int) -> None:
        """That threshold may fire again in that period."""
        ...

    def add_mark(self, mark: Mark) -> None:
        """The threshold will not fire again."""
        ...

    def phase(self, session: str, phase: str) -> PhaseSum | None:
        """What was charged to that phase of that session; None where nothing of it was ever heard of."""
        ...

    def phases(self, session: str) -> Sequence[PhaseSum]:
        """Of every phase of the session, in the order in which they were first heard of."""
        ...

    def put_phase(self, phase: PhaseSum, *, is_new: bool) -> None:
        """The sum is as given."""
        ...

    def head(self) -> tuple[int, str]:
        """Number and hash of the last entry; 0 and `FIRST_HASH` in an empty journal."""
        ...

    def add_entry(self, entry: Entry, body: str) -> None:
        """The entry is the last one; `body` is its body as canonical JSON."""
        ...
