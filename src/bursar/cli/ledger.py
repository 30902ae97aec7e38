"""`bursar ledger list|verify|export|adjust|rebuild`: the books."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bursar.budget import Amount, Balance, Unit, format_quantity
from bursar.cli.json_output import write_json
from bursar.cli.parsing import Parser, parser
from bursar.cli.quantities import parse_used_tokens, parse_used_usd
from bursar.clock import SystemClock
from bursar.config import find_ledger_place
from bursar.errors import OK, KeyReused, StoreError, UserError
from bursar.ledger import Entry, Ledger, Reservation, State, is_ledger_url, open_ledger
from bursar.paths import AUDIT_FILE, state_dir


def main(arguments: Sequence[str]) -> int:
    """Shows the books as JSON lines, recomputes them, corrects them on evidence, or makes new ones of damaged ones."""
    options = _options(arguments)
    if options.action == "rebuild":
        from bursar.cli.ledger_rebuild import rebuild  # here, because next to nobody needs it

        return rebuild(options)
    ledger = open_ledger(find_ledger_place(), SystemClock())
    if options.action == "verify":
        return _verify(ledger, options)
    if options.action == "adjust":
        return _adjust(ledger, options)
    if options.action == "export":
        _write(_everything(ledger), options)
    else:
        _write((_entry(entry) for entry in ledger.entries(after=options.after)), options)
    return OK


def _options(arguments: Sequence[str]) -> Any:
    options = parser("ledger", "the books: their journal, whether they add up, all that is in them, and corrections")
    actions = options.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=Parser)
    listing = actions.add_parser("list", help="the journal's entries as JSON lines", allow_abbrev=False)
    listing.add_argument("--after", type=_entry_number, default=0, metavar="N", help="only entries after number N")
    verify = actions.add_parser(
        "verify", help="recompute every hash and every balance from the entries", allow_abbrev=False
    )
    export = actions.add_parser("export", help="entries, balances and reservations as JSON lines", allow_abbrev=False)
    for action in (listing, export):
        action.add_argument("--json", action="store_true", help="one JSON array in place of lines")
    verify.add_argument("--json", action="store_true", help="what does not add up as JSON on stdout")
    adjust = actions.add_parser(
        "adjust", help="lower the charge of a forfeited reservation to what it really was, on evidence, once"
    )
    adjust.add_argument("key", metavar="KEY", help="the reservation; `bursar ledger list` shows keys")
    adjust.add_argument("--tokens", required=True, metavar="N", help="tokens that were really used")
    adjust.add_argument("--usd", metavar="X", help="what they cost; needed where a cost was charged")
    adjust.add_argument("--evidence", required=True, metavar="TEXT", help="how you know; it is kept in the journal")
    adjust.add_argument("--json", action="store_true", help="the reservation as JSON on stdout")
    rebuild = actions.add_parser(
        "rebuild", help="make a new ledger out of a damaged one, which is kept", allow_abbrev=False
    )
    rebuild.add_argument(
        "--from",
        dest="exports",
        action="append",
        default=[],
        metavar="FILE",
        help="what `bursar ledger export` of this ledger once wrote (repeatable)",
    )
    rebuild.add_argument("--json", action="store_true", help="what was found, lost and charged, as JSON on stdout")
    return options.parse_args(arguments)


def _entry_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ArgumentTypeError(f"{text!r} is not the number of an entry")
    return int(text)


def _verify(ledger: Ledger, options: Any) -> int:
    problems = ledger.verify()
    if options.json:
        write_json({"problems": list(problems)})
    if problems:
        place = find_ledger_place()
        hint = None if is_ledger_url(place) else "`bursar ledger rebuild` makes a new one; this one is kept"
        raise StoreError("the ledger does not add up:\n  " + "\n  ".join(problems), hint=hint)
    if not options.json:
        sys.stderr.write("the ledger adds up: every hash and every balance follows from the entries\n")
    return OK


def _adjust(ledger: Ledger, options: Any) -> int:
    tokens = parse_used_tokens("--tokens", options.tokens)
    nano_usd = None if options.usd is None else parse_used_usd("--usd", options.usd)
    if not options.evidence.strip() or not options.evidence.isprintable():
        raise UserError("--evidence must say in one line how you know")
    found = ledger.reservation(options.key)
    if found is None:
        raise UserError(f"there is no reservation `{options.key}`", hint="bursar ledger list")
    if found.state not in (State.FORFEITED, State.CREDITED):
        raise UserError(f"`{options.key}` is {found.state}: only what was forfeited is charged without knowing")
    charged = found.charged or Amount(0, 0)
    _check_adjustment(found, charged, Amount(tokens, nano_usd))
    _keep_audit(ledger)
    try:
        after = ledger.credit(options.key, Amount(tokens, nano_usd), evidence=options.evidence)
    except KeyReused as error:
        raise UserError(error.message) from error
    if options.json:
        write_json(_reservation(after))
    else:
        sys.stderr.write(f"`{options.key}` is charged {_words(after.charged)} now, instead of {_words(charged)}\n")
    sys.stderr.writelines(f"warning: {alert.message}\n" for alert in after.alerts)
    return OK


def _check_adjustment(found: Reservation, charged: Amount, actual: Amount) -> None:
    """The correction gives back what was charged without being metered, and no more.

    Raises:
        UserError: it gives back what was not charged, or what was metered and so was used.
    """
    most = charged.nano_usd
    if actual.nano_usd is None and most is not None:
        raise UserError(f"`{found.key}` was charged in USD too: an adjustment needs the cost", hint="--usd X")
    if actual.tokens > charged.tokens or (most is not None and (actual.nano_usd or 0) > most):
        raise UserError(f"an adjustment lowers a charge; `{found.key}` is charged {_words(charged)}")
    metered = found.metered
    if actual.tokens < metered.tokens or (actual.nano_usd or 0) < (metered.nano_usd or 0):
        raise UserError(f"`{found.key}` has metered {_words(metered)}: usage that happened cannot be un-spent")


def _keep_audit(ledger: Ledger) -> None:
    """What is corrected is in the audit log, as whatever else changes a charge is."""
    from bursar.notify import AuditLog
    from bursar.supervision import keep_audit

    keep_audit(ledger, AuditLog(os.path.join(state_dir(), AUDIT_FILE), SystemClock()))


def _words(amount: Amount | None) -> str:
    assert amount is not None
    cost = "" if amount.nano_usd is None else f" ({format_quantity(amount.nano_usd, Unit.USD)})"
    return format_quantity(amount.tokens, Unit.TOKENS) + cost


def _write(values: Iterator[Mapping[str, object]], options: Any) -> None:
    """Each on a line of its own, as soon as it is read; where one value is asked for, these lines are an array."""
    before, between, after = ("[\n", ",\n", "\n]\n") if options.json else ("", "\n", "\n")
    is_first = True
    for value in values:
        sys.stdout.write((before if is_first else between) + json.dumps(value, ensure_ascii=False))
        is_first = False
    if not is_first:
        sys.stdout.write(after)
    elif options.json:
        sys.stdout.write("[]\n")


def _everything(ledger: Ledger) -> Iterator[Mapping[str, object]]:
    """Each line says by `type` what it is."""
    yield from ({"type": "entry", **_entry(entry), "previous_hash": entry.previous_hash} for entry in ledger.entries())
    yield from ({"type": "balance", **_balance(balance)} for balance in ledger.budgets())
    yield from ({"type": "reservation", **_reservation(each)} for each in ledger.reservations({}))


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "kind": entry.kind,
        "key": entry.key,
        "body": dict(entry.body),
        "hash": entry.hash,
    }


def _balance(balance: Balance) -> dict[str, object]:
    budget = balance.budget
    return {
        "budget": budget.name,
        "match": dict(budget.selector),
        "unit": str(budget.limit.unit),
        "limit": budget.limit.quantity,
        "period": str(budget.period),
        "period_id": balance.period_id,
        "on_limit": str(budget.on_limit),
        "spent": balance.spent,
        "reserved": balance.reserved,
        "metered": balance.metered,
        "available": balance.available,
        "unpriced_operations": balance.unpriced,
        "subscription_operations": balance.exempt,
    }


def _reservation(each: Reservation) -> dict[str, object]:
    return {
        "key": each.key,
        "state": str(each.state),
        "labels": dict(each.labels),
        "attempt": each.attempt,
        "held": _amount(each.held),
        "metered": _amount(each.metered),
        "charged": None if each.charged is None else _amount(each.charged),
        "unknown": _amount(each.unknown),
        "budgets": list(each.budgets),
        "exempt": list(each.exempt),
    }


def _amount(amount: Amount) -> dict[str, int | None]:
    return {"tokens": amount.tokens, "nano_usd": amount.nano_usd}
