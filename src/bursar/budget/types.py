"""Budgets as values: what is limited, by how much, over which operations, and what has been taken of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Unit(StrEnum):
    """What a limit counts."""

    TOKENS = "tokens"
    USD = "usd"  # limits and balances in this unit are whole nano-USD


class OnLimit(StrEnum):
    """What happens to an operation that does not fit any more."""

    BLOCK = "block"
    WARN = "warn"


class Level(StrEnum):
    """How loud an alert is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Amount:
    """Tokens and their cost. `nano_usd` is None when the cost is unknown: unknown is never 0."""

    tokens: int
    nano_usd: int | None

    def __add__(self, other: Amount) -> Amount:
        cost = None if self.nano_usd is None or other.nano_usd is None else self.nano_usd + other.nano_usd
        return Amount(self.tokens + other.tokens, cost)

    def of(self, unit: Unit) -> int | None:
        """This amount in `unit` (tokens, or nano-USD); None when it is not known in that unit."""
        return self.tokens if unit is Unit.TOKENS else self.nano_usd


NOTHING = Amount(0, 0)


@dataclass(frozen=True, slots=True)
class Limit:
    """A quantity in a unit: tokens, or nano-USD for `Unit.USD`. Always positive."""

    quantity: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Threshold:
    """The share of a limit, in percent of it, that fires one alert of a level."""

    percent: int
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A limit over every operation whose labels match.

    Attributes:
        name: unique; the same name always means the same budget. Its limit may be changed, its selector may not.
        selector: labels that an operation must carry, all of them; empty selects everything.
        limit: how much may be spent and held at any one time within the period.
        period: which operations count together. The first cut knows one period that never ends.
        thresholds: ascending.
        on_limit: `block` denies what does not fit, `warn` grants it and says so.
    """

    name: str
    limit: Limit
    selector: Mapping[str, str] = field(default_factory=dict)
    period: str = "run"
    thresholds: tuple[Threshold, ...] = ()
    on_limit: OnLimit = OnLimit.BLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """How a budget stands, all in the unit of its limit (tokens, or nano-USD).

    Attributes:
        spent: settled, overruns and forfeits included.
        reserved: held by open reservations; never below what those have metered.
        metered: the part of `reserved` that calls have already used up.
        unpriced: how many holds and charges of unknown cost the figures leave out; always 0 for tokens.
    """

    budget: Budget
    spent: int
    reserved: int
    metered: int
    unpriced: int = 0

    @property
    def available(self) -> int:
        """What a new hold may take; 0 when the limit is reached or passed."""
        return max(0, self.budget.limit.quantity - self.spent - self.reserved)

    @property
    def is_frozen(self) -> bool:
        """Settled spending alone is past the limit: nothing new starts."""
        return self.spent > self.budget.limit.quantity

    @property
    def overrun(self) -> int:
        """By how much spent and held together are past the limit; 0 within it."""
        return max(0, self.spent + self.reserved - self.budget.limit.quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """The firing of a threshold: once per budget, threshold and period."""

    budget: str
    period_id: str
    percent: int
    level: Level
    at: datetime
    message: str
