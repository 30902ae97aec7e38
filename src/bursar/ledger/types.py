"""What a ledger is asked and what it answers: requests, reservations, denials, reports on calls, entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from bursar.budget import Alert, Amount, Shortfall
from bursar.usage import Usage


class State(StrEnum):
    """Where a reservation is in its life; everything but `held` is final (but see `credited`)."""

    HELD = "held"
    SETTLED = "settled"
    OVERRUN = "overrun"
    RELEASED = "released"
    FORFEITED = "forfeited"
    CREDITED = "credited"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveRequest:
    """A wish to hold money before any of it is spent.

    Attributes:
        key: idempotency key; one key is one reservation for ever.
        labels: what the operation is: project, run, plan, task, agent, model and the like. Budgets select on them.
        amount: what to hold. `nano_usd` None is refused by a blocking budget in USD.
        minimum: accept a smaller hold down to this, when `amount` does not fit ("at most what is available").
            None: all or nothing.
        attempt: the fence: a later attempt of the same labels makes writes of an earlier one refused.
    """

    key: str
    labels: Mapping[str, str]
    amount: Amount
    minimum: Amount | None = None
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A hold and what became of it.

    Attributes:
        held: what is (or was, once final) held; grows by `extend` and with metered calls that pass it.
        metered: the sum of the calls recorded so far.
        charged: what the budgets were charged in the end; None while held. Includes `unknown`.
        unknown: the part of `charged` whose outcome nobody knows (a call cut off in flight, a dead owner).
        budgets: names of the budgets that were charged.
        exempt: names of the budgets in USD that leave it out, because a subscription pays for it.
        alerts: those that this very write has set off; a repeat, or a look, brings none (`Ledger.alerts` lists them).
    """

    key: str
    state: State
    labels: Mapping[str, str]
    held: Amount
    metered: Amount
    charged: Amount | None
    unknown: Amount
    attempt: int
    budgets: tuple[str, ...]
    alerts: tuple[Alert, ...] = ()
    exempt: tuple[str, ...] = ()

    @property
    def known(self) -> Amount:
        """What is known to have been used; with `unknown` it makes `charged`. Its parts are not told.

        It is more than the calls where its end told of usage that could not be recorded before. The cost is None where
        a price is unknown.
        """
        if self.charged is None:
            return Amount(self.metered.tokens, self.metered.nano_usd)
        tokens, charged, unknown = (
            self.charged.tokens - self.unknown.tokens,
            self.charged.nano_usd,
            self.unknown.nano_usd,
        )
        if self.metered.nano_usd is None:
            return Amount(tokens, None)
        if charged is None or unknown is None:
            return Amount(tokens, self.metered.nano_usd if tokens == self.metered.tokens else None)
        return Amount(tokens, charged - unknown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A refusal: no balance changed. It names every budget that stood in the way."""

    key: str
    shortfalls: tuple[Shortfall, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One metered report on one model call: how much *more* it is known to have used since the last report.

    Attributes:
        call_id: the provider's message id, or the name of a reconciliation.
        sequence: 1, 2, … within the call: (reservation, call_id, sequence) is recorded once, however often it is sent.
        provenance: `streamed`, `reconciled` or `estimated`.
    """

    call_id: str
    sequence: int
    model: str
    usage: Usage
    nano_usd: int | None
    provenance: str = "streamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal. `hash` covers the whole entry and `previous_hash`, so one changed byte is found."""

    number: int
    at: datetime
    kind: str
    key: str
    body: Mapping[str, object] = field(default_factory=dict)
    previous_hash: str = ""
    hash: str = ""


USAGE_KINDS = ("recorded", "settled", "forfeited", "credited", "charged")
"""The kinds of entries that say what was used."""


class LedgerEvent(NamedTuple):
    """Something was used, and the books say so. `reservation.alerts` are those that it has set off."""

    entry: Entry
    reservation: Reservation


Observer = Callable[[LedgerEvent], None]
"""A program that embeds a ledger and wants to hear of usage and alerts."""
