"""What the fold keeps while it follows the journal: plain sums, in shapes of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

Sides = tuple[int, int | None, int | None, int | None]
"""Tokens, nano-USD, fresh tokens, output tokens; None: not known."""

Sums = tuple[int, int, int, int, int]
"""Spent, reserved, metered, unpriced, exempt."""

_encoder = msgspec.json.Encoder(order="deterministic")

TOKENS, USD, FRESH, OUTPUT = range(4)
_SIDE = {"total": TOKENS, "fresh": FRESH, "output": OUTPUT}
NO_SUMS: Sums = (0, 0, 0, 0, 0)
FREE: Sides = (0, 0, None, None)


@dataclass(slots=True)
class FoldedBalance:
    """One budget in one period."""

    budget: FoldedBudget
    spent: int = 0
    reserved: int = 0
    metered: int = 0
    unpriced: int = 0
    exempt: int = 0

    @property
    def sums(self) -> Sums:
        """All of them."""
        return self.spent, self.reserved, self.metered, self.unpriced, self.exempt


@dataclass(slots=True)
class FoldedBudget:
    """One budget: as it was last defined, how it stands in each period, and the latest period."""

    definition: Mapping[str, Any]
    periods: dict[str, FoldedBalance] = field(default_factory=dict)
    last: str | None = None
    side: int = TOKENS
    ceiling: int | None = None
    """The most that it grants; None: it only warns."""

    @property
    def sums(self) -> tuple[int, int, int, int]:
        """Spent, reserved, metered, unpriced over all periods."""
        columns = zip(*(balance.sums[:4] for balance in self.periods.values()), strict=True)
        spent, reserved, metered, unpriced = tuple(sum(column) for column in columns) or (0, 0, 0, 0)
        return spent, reserved, metered, unpriced

    def balance(self, period: str) -> FoldedBalance:
        """How it stands in that period."""
        found = self.periods.get(period)
        if found is None:
            found = self.periods[period] = FoldedBalance(self)
        return found

    def define(self, definition: Mapping[str, Any]) -> None:
        """From now on it is so defined."""
        self.definition = definition
        self.side = USD if definition["unit"] == "usd" else _SIDE[definition["counts"]]
        quantity, stop = definition["quantity"], definition["stop_percent"]
        self.ceiling = None
        if definition["on_limit"] == "block":
            self.ceiling = quantity if stop is None else -(-stop * quantity // 100) - 1

    def is_past(self, balance: FoldedBalance) -> bool:
        """It blocks, and more is spent and held than its limit."""
        return self.ceiling is not None and balance.spent + balance.reserved > self.definition["quantity"]


Accounts = tuple[tuple[str, str], ...]
"""Names of budgets, and of each the period."""


@dataclass(slots=True)
class FoldedAccounts:
    """What many reservations are put on together.

    Attributes:
        encoded: the names and periods, as the books keep them.
        sides: the balances, together with those that count the same side.
    """

    balances: list[FoldedBalance]
    encoded: str
    sides: tuple[tuple[int, list[FoldedBalance]], ...]


@dataclass(slots=True)
class FoldedLabels:
    """What an operation is: the same for many reservations, so it is written down once for all of them.

    Attributes:
        encoded: the labels as the books keep them.
        run_and_task: what the books find them by.
        place: what attempts are counted within.
        phase: the sum of the phase of a session that they belong to, as in `Fold.phases`; None where they name none.
    """

    values: Mapping[str, str]
    encoded: str
    run_and_task: tuple[str, str]
    place: str
    phase: list[int] | None


@dataclass(slots=True)
class FoldedReservation:
    """One reservation. Of `metered` the cost is the known part; the other sides are exact."""

    labels: FoldedLabels
    place: str
    request: str
    attempt: int
    held: Sides
    granted: Sides
    charged_to: FoldedAccounts
    exempt_from: FoldedAccounts
    state: str = "held"
    metered: Sides = (0, 0, 0, 0)
    calls: int = 0
    unpriced_calls: int = 0
    charged: Sides | None = None
    unknown: tuple[int, int | None] = (0, 0)
    ending: list[Any] | None = None
    crediting: list[Any] | None = None
    weights: tuple[Sums, ...] = ()
    """What it has added so far to the balances that it is charged to, of each side."""
    counted: int = 0
    """What it has added so far to its phase."""

    def weigh(self, side: int) -> Sums:
        """What this reservation adds to a budget that counts that side."""
        metered = self.metered[side] or 0
        sides = self.charged or self.held
        found = sides[side]
        if found is None and side != USD:
            found = sides[TOKENS]  # of a part of the tokens that nobody named, the most there can be
        if self.charged is None:
            return (0, metered, metered, 1, 0) if found is None else (0, found, metered, 0, 0)
        return (metered, 0, 0, 1, 0) if found is None else (found, 0, 0, 0, 0)


def encode_quickly(value: object) -> str:
    """The same text as `entries.encode` gives, in a tenth of the time."""
    return _encoder.encode(value).decode()


@dataclass(slots=True)
class Fold:
    """Everything that the journal says, and everything in it that cannot be.

    Attributes:
        accounts: those that anything was put on together.
        labels: those of any reservation, by their names and values.
        calls: the content of each recorded call, by (key, call id, sequence).
        marks: by (budget, period, percent) when each threshold was reached, and the level and message of the alert;
            None for both where it was marked in silence.
        phases: by session and phase, the number of the entry in which it was first heard of, and the tokens charged.
        problems: one sentence for each entry that breaks the law.
        repeats: above 0 between the two entries `rebuilt`: what stands there is repeated from a ledger that had lost
            some of its entries, so what a grant had to go by cannot be known.
    """

    budgets: dict[str, FoldedBudget] = field(default_factory=dict)
    accounts: dict[Accounts, FoldedAccounts] = field(default_factory=dict)
    labels: dict[tuple[str, ...], FoldedLabels] = field(default_factory=dict)
    reservations: dict[str, FoldedReservation] = field(default_factory=dict)
    calls: dict[tuple[str, str, int], tuple[Any, ...]] = field(default_factory=dict)
    marks: dict[tuple[str, str, int], tuple[str, str | None, str | None]] = field(default_factory=dict)
    phases: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    repeats: int = 0


@dataclass(slots=True)
class Line:
    """One entry as far as the fold needs it."""

    number: int
    at: str
    kind: str
    key: str
    body: Mapping[str, Any]


def call_content(body: Mapping[str, Any]) -> tuple[Any, ...]:
    """What was recorded of a call, but for its name."""
    counted = body["usage"].get
    return (
        body["model"],
        counted("input_tokens", 0),
        counted("cache_read_tokens", 0),
        counted("cache_write_5m_tokens", 0),
        counted("cache_write_1h_tokens", 0),
        counted("output_tokens", 0),
        body["nano_usd"],
        body["provenance"],
    )


def shorten(sides: Sides) -> Sides:
    """As the books keep it: a part that is all of the tokens is not named."""
    tokens, nano_usd, fresh, output = sides
    return tokens, nano_usd, None if fresh == tokens else fresh, None if output == tokens else output
