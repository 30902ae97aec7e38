"""Budgets as values: what is limited, by how much, over which operations, and what has been taken of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bursar.budget.period import ALWAYS, Period


class Unit(StrEnum):
    """What a limit counts."""

    TOKENS = "tokens"
    USD = "usd"  # limits and balances in this unit are whole nano-USD


class Counting(StrEnum):
    """Which tokens a budget in tokens counts."""

    TOTAL = "total"
    FRESH = "fresh"  # all but cache reads
    OUTPUT = "output"


class Lane(StrEnum):
    """Who bills an operation: the value of its label `lane`; an operation without one is `unknown`."""

    API = "api"
    SUBSCRIPTION = "subscription"  # a flat fee: its dollars are fictional and charge no budget in USD
    UNKNOWN = "unknown"  # counts at list price


LANE_LABEL = "lane"


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
    """Tokens and their cost. `nano_usd` is None when the cost is unknown: unknown is never 0.

    Attributes:
        fresh_tokens: how many of the tokens are no cache reads; None: nobody said, so at most all of them.
        output_tokens: how many of them are output; None: the same.
    """

    tokens: int
    nano_usd: int | None
    fresh_tokens: int | None = None
    output_tokens: int | None = None

    def __add__(self, other: Amount) -> Amount:
        cost = None if self.nano_usd is None or other.nano_usd is None else self.nano_usd + other.nano_usd
        return Amount(
            self.tokens + other.tokens,
            cost,
            self._sum(other, self.fresh_tokens, other.fresh_tokens),
            self._sum(other, self.output_tokens, other.output_tokens),
        )

    def of(self, unit: Unit, counts: Counting = Counting.TOTAL) -> int | None:
        """This amount in `unit` (tokens so counted, or nano-USD); None when it is not known in that unit.

        Tokens are always known: where nobody said how many are fresh or output, all of them may be.
        """
        return self.nano_usd if unit is Unit.USD else self.counted(counts)

    def counted(self, counts: Counting) -> int:
        """The tokens that count; the most there can be, where nobody said."""
        if counts is Counting.TOTAL:
            return self.tokens
        part = self.fresh_tokens if counts is Counting.FRESH else self.output_tokens
        return self.tokens if part is None else part

    def _sum(self, other: Amount, part: int | None, other_part: int | None) -> int | None:
        if part is None and other_part is None:
            return None
        return (self.tokens if part is None else part) + (other.tokens if other_part is None else other_part)


NOTHING = Amount(0, 0)


@dataclass(frozen=True, slots=True)
class Limit:
    """A quantity in a unit: tokens, or nano-USD for `Unit.USD`. Always positive."""

    quantity: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Threshold:
    """The share of a limit, in percent of it (1 to 1000), that fires one alert of a level; `name` is for people."""

    percent: int
    level: Level
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A limit over every operation whose labels match.

    Attributes:
        name: unique; the same name always means the same budget. Its limit may be changed, its selector may not.
        selector: labels that an operation must carry, all of them; empty selects everything.
        limit: how much may be spent and held at any one time within the period.
        period: which operations count together.
        thresholds: ascending.
        on_limit: `block` denies what does not fit, `warn` grants it and says so.
        counts: which tokens a limit in tokens is about.
        stop_percent: the percent of the limit that may not be reached (95: a hold that brings spent and reserved to
            95 % of the limit is denied); None: the limit itself may be reached, and not passed.
        allows_unknown_price: a blocking limit in USD grants what has no known price, and counts those operations.
    """

    name: str
    limit: Limit
    selector: Mapping[str, str] = field(default_factory=dict)
    period: Period = ALWAYS
    thresholds: tuple[Threshold, ...] = ()
    on_limit: OnLimit = OnLimit.BLOCK
    counts: Counting = Counting.TOTAL
    stop_percent: int | None = None
    allows_unknown_price: bool = False

    @property
    def ceiling(self) -> int:
        """The most that may be spent and held: the limit, or the last quantity below `stop_percent` of it."""
        if self.stop_percent is None:
            return self.limit.quantity
        return (self.stop_percent * self.limit.quantity - 1) // 100

    def amount_of(self, amount: Amount) -> int | None:
        """What `amount` is in this budget's unit and counting; None when its cost is unknown."""
        return amount.of(self.limit.unit, self.counts)

    def is_charged_by(self, labels: Mapping[str, str]) -> bool:
        """The operation's quantities are real ones to this budget: dollars of a subscription are not."""
        return self.limit.unit is not Unit.USD or labels.get(LANE_LABEL) != Lane.SUBSCRIPTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """How a budget stands in one period, all in the unit of its limit (tokens, or nano-USD).

    Attributes:
        spent: settled, overruns and forfeits included.
        reserved: held by open reservations; never below what those have metered.
        metered: the part of `reserved` that calls have already used up.
        unpriced: how many holds and charges of unknown cost the figures leave out; always 0 for tokens.
        exempt: how many operations on a subscription, open or charged, the figures leave out; always 0 for tokens.
        period_id: of the period that the figures are about.
    """

    budget: Budget
    spent: int
    reserved: int
    metered: int
    unpriced: int = 0
    exempt: int = 0
    period_id: str = ALWAYS.kind.value

    @property
    def available(self) -> int:
        """What a new hold may take; 0 when the limit (or the stop before it) is reached or passed."""
        return max(0, self.budget.ceiling - self.spent - self.reserved)

    @property
    def is_frozen(self) -> bool:
        """Settled spending alone is past where the budget blocks: nothing new starts."""
        return self.spent > self.budget.ceiling

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
