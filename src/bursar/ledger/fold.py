"""The journal added up from nothing: what the books must say if every entry is true.

It shares no arithmetic with the code that moves the money. It follows the entries alone, keeps plain sums, and also
looks whether each entry keeps the law: that no grant passed a blocking limit, that nothing charged was un-spent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bursar.ledger.port import Entry


@dataclass(slots=True)
class FoldedBudget:
    """One budget: as it was last defined, and its four sums."""

    definition: Mapping[str, Any]
    spent: int = 0
    reserved: int = 0
    metered: int = 0
    unpriced: int = 0

    @property
    def sums(self) -> tuple[int, int, int, int]:
        """Spent, reserved, metered, unpriced."""
        return self.spent, self.reserved, self.metered, self.unpriced


@dataclass(slots=True)
class FoldedReservation:
    """One reservation. Costs are nano-USD; None is unknown, but in `metered_nano_usd`, which is the known part."""

    labels: Mapping[str, str]
    budgets: tuple[str, ...]
    request: Mapping[str, Any]
    held_tokens: int
    held_nano_usd: int | None
    granted_tokens: int
    granted_nano_usd: int | None
    state: str = "held"
    metered_tokens: int = 0
    metered_nano_usd: int = 0
    calls: int = 0
    unpriced_calls: int = 0
    charged_tokens: int | None = None
    charged_nano_usd: int | None = None
    unknown_tokens: int = 0
    unknown_nano_usd: int | None = 0
    ending: list[Any] | None = None
    crediting: list[Any] | None = None

    def sums(self, unit: str) -> tuple[int, int, int, int]:
        """Spent, reserved, metered and unpriced: what this reservation adds to a budget of that unit."""
        if unit == "tokens":
            if self.state == "held":
                return 0, self.held_tokens, self.metered_tokens, 0
            return self.charged_tokens or 0, 0, 0, 0
        if self.state == "held":
            if self.held_nano_usd is None:
                return 0, self.metered_nano_usd, self.metered_nano_usd, 1
            return 0, self.held_nano_usd, self.metered_nano_usd, 0
        if self.charged_nano_usd is None:
            return self.metered_nano_usd, 0, 0, 1
        return self.charged_nano_usd, 0, 0, 0


@dataclass(slots=True)
class Fold:
    """Everything that the journal says, and everything in it that cannot be.

    Attributes:
        calls: the body of each recorded call, by (key, call id, sequence).
        marks: by (budget, period, percent) when each threshold was reached, and the level and message of the alert;
            None for both where it was marked in silence.
        problems: one sentence for each entry that breaks the law.
    """

    budgets: dict[str, FoldedBudget] = field(default_factory=dict)
    reservations: dict[str, FoldedReservation] = field(default_factory=dict)
    calls: dict[tuple[str, str, int], Mapping[str, Any]] = field(default_factory=dict)
    marks: dict[tuple[str, str, int], tuple[datetime, str | None, str | None]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def fold(entries: Iterable[Entry]) -> Fold:
    """The sums of `entries`, which begin with the first one there ever was."""
    folded = Fold()
    for entry in entries:
        try:
            _apply(folded, entry)
        except (KeyError, TypeError, ValueError) as error:
            folded.problems.append(f"entry {entry.number} ({entry.kind}) cannot be followed: {error!r}")
    return folded


def _apply(folded: Fold, entry: Entry) -> None:
    body: Mapping[str, Any] = entry.body
    if entry.kind == "denied":
        return
    if entry.kind == "defined":
        _define(folded, entry.key, body)
        return
    if entry.kind == "reserved":
        _reserve(folded, entry, body)
        return
    reservation = folded.reservations[entry.key]
    before = {name: reservation.sums(_unit(folded, name)) for name in reservation.budgets}
    _CHANGES[entry.kind](folded, entry, reservation, body)
    for name, old in before.items():
        _add(folded.budgets[name], reservation.sums(_unit(folded, name)), minus=old)
    _mark(folded, entry, body)
    if entry.kind == "extended":
        _check_limits(folded, entry, reservation, before)


def _define(folded: Fold, name: str, body: Mapping[str, Any]) -> None:
    known = folded.budgets.get(name)
    if known is None:
        folded.budgets[name] = FoldedBudget(definition=body)
    else:
        known.definition = body


def _reserve(folded: Fold, entry: Entry, body: Mapping[str, Any]) -> None:
    if entry.key in folded.reservations:
        folded.problems.append(f"entry {entry.number} reserves `{entry.key}` a second time")
        return
    tokens, nano_usd = body["granted"]
    reservation = FoldedReservation(
        labels=body["labels"],
        budgets=tuple(body["budgets"]),
        request={name: body[name] for name in ("labels", "amount", "minimum", "attempt")},
        held_tokens=tokens,
        held_nano_usd=nano_usd,
        granted_tokens=tokens,
        granted_nano_usd=nano_usd,
    )
    folded.reservations[entry.key] = reservation
    for name in reservation.budgets:
        _add(folded.budgets[name], reservation.sums(_unit(folded, name)))
    _check_limits(folded, entry, reservation, {})


def _extend(_: Fold, __: Entry, reservation: FoldedReservation, body: Mapping[str, Any]) -> None:
    reservation.held_tokens, reservation.held_nano_usd = body["held"]
    reservation.granted_tokens, reservation.granted_nano_usd = body["held"]


def _record(folded: Fold, entry: Entry, reservation: FoldedReservation, body: Mapping[str, Any]) -> None:
    report = (entry.key, body["call_id"], body["sequence"])
    if report in folded.calls or reservation.state != "held":
        folded.problems.append(f"entry {entry.number} records on `{entry.key}` what cannot be recorded")
    folded.calls[report] = {name: value for name, value in body.items() if name != "marks"}
    reservation.metered_tokens += sum(body["usage"].values())
    reservation.metered_nano_usd += body["nano_usd"] or 0
    reservation.calls += 1
    reservation.unpriced_calls += body["nano_usd"] is None
    reservation.held_tokens = max(reservation.held_tokens, reservation.metered_tokens)
    if reservation.held_nano_usd is not None:
        reservation.held_nano_usd = max(reservation.held_nano_usd, reservation.metered_nano_usd)


def _end(folded: Fold, entry: Entry, reservation: FoldedReservation, body: Mapping[str, Any]) -> None:
    if reservation.state != "held":
        folded.problems.append(f"entry {entry.number} ends `{entry.key}` a second time")
    reservation.state = body.get("state", "released")
    reservation.charged_tokens, reservation.charged_nano_usd = body.get("charged", (0, 0))
    reservation.unknown_tokens, reservation.unknown_nano_usd = body.get("unknown", (0, 0))
    reservation.ending = [entry.kind, body.get("actual"), body.get("asked_unknown")]
    if "actual" in body and body["charged"][0] != body["actual"][0] + body["asked_unknown"][0]:
        folded.problems.append(f"entry {entry.number} charges `{entry.key}` another sum than it names")
    _check_charge(folded, entry, reservation)


def _credit(folded: Fold, entry: Entry, reservation: FoldedReservation, body: Mapping[str, Any]) -> None:
    tokens, nano_usd = body["actual"]
    if reservation.state != "forfeited" or tokens > (reservation.charged_tokens or 0):
        folded.problems.append(f"entry {entry.number} credits `{entry.key}`, which cannot be credited so")
    reservation.state = "credited"
    reservation.charged_tokens, reservation.charged_nano_usd = tokens, nano_usd
    reservation.unknown_tokens, reservation.unknown_nano_usd = 0, 0
    reservation.crediting = [body["actual"], body["evidence"]]
    _check_charge(folded, entry, reservation)


_CHANGES = {
    "extended": _extend,
    "recorded": _record,
    "settled": _end,
    "released": _end,
    "forfeited": _end,
    "credited": _credit,
}


def _check_charge(folded: Fold, entry: Entry, reservation: FoldedReservation) -> None:
    cost = reservation.charged_nano_usd
    is_cheaper = cost is not None and cost < reservation.metered_nano_usd
    if (reservation.charged_tokens or 0) < reservation.metered_tokens or is_cheaper:
        folded.problems.append(f"entry {entry.number} charges `{entry.key}` less than it had metered")


def _check_limits(
    folded: Fold, entry: Entry, reservation: FoldedReservation, before: Mapping[str, tuple[int, int, int, int]]
) -> None:
    """After a grant, no blocking budget that had to give something is past its limit."""
    for name in reservation.budgets:
        budget = folded.budgets[name]
        has_given = reservation.sums(_unit(folded, name))[1] > before.get(name, (0, 0, 0, 0))[1]
        is_past = budget.spent + budget.reserved > budget.definition["quantity"]
        if has_given and is_past and budget.definition["on_limit"] == "block":
            folded.problems.append(f"entry {entry.number} grants `{entry.key}` what budget `{name}` did not have")


def _unit(folded: Fold, name: str) -> str:
    return str(folded.budgets[name].definition["unit"])


def _add(budget: FoldedBudget, sums: tuple[int, ...], *, minus: tuple[int, ...] = (0, 0, 0, 0)) -> None:
    spent, reserved, metered, unpriced = (new - old for new, old in zip(sums, minus, strict=True))
    budget.spent += spent
    budget.reserved += reserved
    budget.metered += metered
    budget.unpriced += unpriced


def _mark(folded: Fold, entry: Entry, body: Mapping[str, Any]) -> None:
    for mark in body.get("marks", ()):
        alert = mark["alert"] or {}
        said = (entry.at, alert.get("level"), alert.get("message"))
        folded.marks[mark["budget"], mark["period"], mark["percent"]] = said
