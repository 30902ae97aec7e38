"""The journal added up from nothing: what the books must say if every entry is true.

It shares no arithmetic with the code that moves the money. It follows the entries alone, keeps plain sums, and also
looks whether each entry keeps the law: that no grant passed a blocking limit, that nothing charged was un-spent, that
no budget went back to an earlier day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bursar.ledger.entries import complete_definition, fence_of, format_instant
from bursar.ledger.fold_checks import check_charge, check_grant
from bursar.ledger.fold_marks import add_marks, rearm
from bursar.ledger.folded import (
    FREE,
    NO_SUMS,
    Fold,
    FoldedAccounts,
    FoldedBalance,
    FoldedBudget,
    FoldedLabels,
    FoldedReservation,
    Line,
    Sides,
    Sums,
    call_content,
    encode_quickly,
    shorten,
)
from bursar.ledger.rows import run_and_task
from bursar.ledger.types import Entry

_CANNOT_BE = (AttributeError, KeyError, TypeError, ValueError, IndexError)
_NAMED_BY_LABEL = ("session", "run")
_GIVEN = ("selector", "unit", "counts", "period", "timezone")


def fold(entries: Iterable[Entry]) -> Fold:
    """The sums of `entries`, which begin with the first one there ever was."""
    return fold_lines(Line(each.number, format_instant(each.at), each.kind, each.key, each.body) for each in entries)


def fold_lines(lines: Iterable[Line]) -> Fold:
    """The sums of all lines, which begin with the first one there ever was."""
    folded, steps = Fold(), _STEPS
    for line in lines:
        try:
            steps.get(line.kind, _change)(folded, line)
        except _CANNOT_BE as error:
            _complain(folded, line, error)
    return folded


def follow(folded: Fold, line: Line) -> None:
    """The sums are those after that line, too; where it cannot be, that is one of the problems."""
    try:
        _STEPS.get(line.kind, _change)(folded, line)
    except _CANNOT_BE as error:
        _complain(folded, line, error)


def _complain(folded: Fold, line: Line, error: Exception) -> None:
    folded.problems.append(f"entry {line.number} ({line.kind}) cannot be followed: {error!r}")


def _rebuild(folded: Fold, line: Line) -> None:
    """From here on, or no further, the entries are those of a ledger that had lost some."""
    folded.repeats += 1 if line.body["repeats"] else -1
    add_marks(folded, line)


def _define(folded: Fold, line: Line) -> None:
    definition = complete_definition({name: value for name, value in line.body.items() if name != "rearmed"})
    known = folded.budgets.get(line.key)
    if known is None:
        known = folded.budgets[line.key] = FoldedBudget(definition)
    elif any(known.definition[name] != definition[name] for name in _GIVEN):
        folded.problems.append(f"entry {line.number} makes another budget of `{line.key}`")
    known.define(definition)
    for period, percent in line.body.get("rearmed", ()):
        rearm(folded, line, period, percent)


def _deny(_: Fold, __: Line) -> None:
    """A denial changes nothing."""


def _reserve(folded: Fold, line: Line) -> None:
    body = line.body
    granted = _sides(body["granted"])
    labels = _labels(folded, line)
    amount, attempt, minimum = body["amount"], body["attempt"], body["minimum"]
    request = (
        f'{{"amount":{encode_quickly(amount)},"attempt":{attempt},"labels":{labels.encoded},'
        f'"minimum":{"null" if minimum is None else encode_quickly(minimum)}}}'
    )
    reservation = _open(folded, line, request, labels, labels.place, attempt, granted)
    if reservation is None:
        return
    check_grant(folded, line, reservation, _move(reservation))


def _charge(folded: Fold, line: Line) -> None:
    body = line.body
    what = "call" if "call" in body else "amount"
    charged = _sides(body["charged"])
    request = encode_quickly({"labels": body["labels"], what: body[what]})
    reservation = _open(folded, line, request, _labels(folded, line), "", 1, charged)
    if reservation is None:
        return
    reservation.state, reservation.charged, reservation.ending = body["state"], charged, ["charged", None, None]
    if what == "call":
        _meter(folded, line, reservation, body["call"])
    _move(reservation)
    is_past = any(balance.budget.is_past(balance) for balance in reservation.charged_to.balances)
    if body["state"] != ("overrun" if is_past else "settled") and not folded.repeats:
        folded.problems.append(f"entry {line.number} charges `{line.key}` and hides, or invents, an overrun")
    if what == "amount" and charged[:2] != tuple(body["amount"][:2]):
        folded.problems.append(f"entry {line.number} charges `{line.key}` another sum than it names")
    check_charge(folded, line, reservation)
    add_marks(folded, line)


def _labels(folded: Fold, line: Line) -> FoldedLabels:
    values: Mapping[str, str] = line.body["labels"]
    names = (*values, *values.values())
    found = folded.labels.get(names)
    if found is None:
        place = fence_of(values, encode_quickly)
        found = folded.labels[names] = FoldedLabels(
            values, encode_quickly(values), run_and_task(values), place, _phase(folded, line, values)
        )
    return found


def _phase(folded: Fold, line: Line, labels: Mapping[str, str]) -> list[int] | None:
    session, phase = labels.get("session"), labels.get("phase")
    if session is None or phase is None:
        return None
    return folded.phases.setdefault((session, phase), [line.number, 0])


def _open(
    folded: Fold, line: Line, request: str, labels: FoldedLabels, place: str, attempt: int, granted: Sides
) -> FoldedReservation | None:
    """The reservation, on the balances that it names; None where its key is taken."""
    if line.key in folded.reservations:
        folded.problems.append(f"entry {line.number} reserves `{line.key}` a second time")
        return None
    body = line.body
    charged_to, exempt_from = _accounts(folded, line, body["budgets"]), _accounts(folded, line, body.get("exempt", ()))
    reservation = FoldedReservation(labels, place, request, attempt, granted, granted, charged_to, exempt_from)
    reservation.weights = (NO_SUMS,) * len(charged_to.sides)
    for balance in exempt_from.balances:
        balance.exempt += 1
    folded.reservations[line.key] = reservation
    return reservation


def _accounts(folded: Fold, line: Line, budgets: Iterable[Any]) -> FoldedAccounts:
    """The balances of budgets and periods, which are the latest ones now; the release before named no periods."""
    names = tuple([(each, "always") if isinstance(each, str) else (each[0], each[1]) for each in budgets])
    for name, period in names:
        _begin_period(folded, line, name, period)
    found = folded.accounts.get(names)
    if found is None:
        balances = [folded.budgets[name].balance(period) for name, period in names]
        by_side: dict[int, list[FoldedBalance]] = {}
        for balance in balances:
            by_side.setdefault(balance.budget.side, []).append(balance)
        found = folded.accounts[names] = FoldedAccounts(balances, encode_quickly(names), tuple(by_side.items()))
    return found


def _begin_period(folded: Fold, line: Line, name: str, period: str) -> None:
    """That period is the budget's latest now."""
    budget = folded.budgets[name]
    kind = budget.definition["period"]
    if kind in _NAMED_BY_LABEL:
        is_right = period == line.body["labels"].get(kind, "")
    else:
        is_right = budget.last is None or period >= budget.last
    if folded.repeats and not is_right:
        return  # found later than it was written
    if not is_right:
        folded.problems.append(f"entry {line.number} puts `{line.key}` on `{name}` in the wrong period `{period}`")
    budget.last = period


def _change(folded: Fold, line: Line) -> None:
    reservation = folded.reservations[line.key]
    _CHANGES[line.kind](folded, line, reservation)
    before = _move(reservation)
    if "marks" in line.body:
        add_marks(folded, line)
    if line.kind == "extended":
        check_grant(folded, line, reservation, before)


def _extend(_: Fold, line: Line, reservation: FoldedReservation) -> None:
    reservation.held = reservation.granted = _sides(line.body["held"])


def _record(folded: Fold, line: Line, reservation: FoldedReservation) -> None:
    if reservation.state != "held":
        folded.problems.append(f"entry {line.number} records on `{line.key}` what cannot be recorded")
    _meter(folded, line, reservation, line.body)
    tokens, nano_usd, fresh, output = reservation.held
    metered_tokens, metered_nano_usd, metered_fresh, metered_output = reservation.metered
    reservation.held = shorten(
        (
            max(tokens, metered_tokens),
            None if nano_usd is None else max(nano_usd, metered_nano_usd or 0),
            max(tokens if fresh is None else fresh, metered_fresh or 0),
            max(tokens if output is None else output, metered_output or 0),
        )
    )


def _meter(folded: Fold, line: Line, reservation: FoldedReservation, body: Mapping[str, Any]) -> None:
    report = (line.key, body["call_id"], body["sequence"])
    if report in folded.calls:
        folded.problems.append(f"entry {line.number} records on `{line.key}` what cannot be recorded")
    content = folded.calls[report] = call_content(body)
    total, nano_usd = sum(content[1:6]), content[6]
    tokens, known, fresh, output = reservation.metered
    reservation.metered = (
        tokens + total,
        (known or 0) + (nano_usd or 0),
        (fresh or 0) + total - content[2],
        (output or 0) + content[5],
    )
    reservation.calls += 1
    reservation.unpriced_calls += nano_usd is None


def _end(folded: Fold, line: Line, reservation: FoldedReservation) -> None:
    body = line.body
    if reservation.state != "held":
        folded.problems.append(f"entry {line.number} ends `{line.key}` a second time")
    reservation.state = body.get("state", "released")
    reservation.charged = _sides(body["charged"]) if "charged" in body else FREE
    reservation.unknown = tuple(body["unknown"]) if "unknown" in body else (0, 0)
    reservation.ending = [line.kind, body.get("actual"), body.get("asked_unknown")]
    if "actual" in body and body["charged"][0] != body["actual"][0] + body["asked_unknown"][0]:
        folded.problems.append(f"entry {line.number} charges `{line.key}` another sum than it names")
    if reservation.state == "released":
        for balance in reservation.exempt_from.balances:
            balance.exempt -= 1
    check_charge(folded, line, reservation)


def _credit(folded: Fold, line: Line, reservation: FoldedReservation) -> None:
    body = line.body
    charged = _sides(body.get("charged", body["actual"]))
    if reservation.state != "forfeited" or charged[0] > (reservation.charged or FREE)[0]:
        folded.problems.append(f"entry {line.number} credits `{line.key}`, which cannot be credited so")
    reservation.state = "credited"
    reservation.charged, reservation.unknown = charged, (0, 0)
    reservation.crediting = [body["actual"], body["evidence"]]
    check_charge(folded, line, reservation)


_CHANGES: dict[str, Callable[[Fold, Line, FoldedReservation], None]] = {
    "extended": _extend,
    "recorded": _record,
    "settled": _end,
    "released": _end,
    "forfeited": _end,
    "credited": _credit,
}

_STEPS: dict[str, Callable[[Fold, Line], None]] = {
    "denied": _deny,
    "defined": _define,
    "rebuilt": _rebuild,
    "reserved": _reserve,
    "charged": _charge,
}


def _move(reservation: FoldedReservation) -> tuple[Sums, ...]:
    """The balances follow what the reservation weighs now; what it weighed before, of each side, is given back."""
    before, sides = reservation.weights, reservation.charged_to.sides
    phase = reservation.labels.phase
    if phase is not None and reservation.charged is not None:
        phase[1] += reservation.charged[0] - reservation.counted
        reservation.counted = reservation.charged[0]
    if len(sides) == 1:  # nearly always; a million times over, the general way below takes twice as long
        ((side, balances),) = sides
        new = reservation.weigh(side)
        if new != before[0]:
            reservation.weights = (new,)
            _add(balances, before[0], new)
        return before
    after = reservation.weights = tuple([reservation.weigh(side) for side, _ in sides])
    for (_, balances), old, new in zip(sides, before, after, strict=True):
        _add(balances, old, new)
    return before


def _add(balances: Iterable[FoldedBalance], old: Sums, new: Sums) -> None:
    spent, reserved, metered, unpriced, _ = old
    spent, reserved, metered, unpriced = new[0] - spent, new[1] - reserved, new[2] - metered, new[3] - unpriced
    for balance in balances:
        balance.spent += spent
        balance.reserved += reserved
        balance.metered += metered
        balance.unpriced += unpriced


def _sides(amount: list[Any]) -> Sides:
    if len(amount) == 2:
        return amount[0], amount[1], None, None
    tokens, nano_usd, fresh, output = amount
    return tokens, nano_usd, fresh, output
