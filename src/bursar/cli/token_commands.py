"""What `bursar token` does for each of its commands. It imports as little as it can."""

from __future__ import annotations

import argparse
import sys

from bursar.budget import (
    LOGS_LABEL,
    NOTHING,
    OVERRUN_PERCENT,
    Amount,
    OnLimit,
    Unit,
    format_quantity,
    is_retired,
    title_of,
)
from bursar.cli.json_output import write_json
from bursar.cli.parsing import Parser
from bursar.cli.token_desk import Desk, Terms, open_desk
from bursar.errors import OK
from bursar.ids import RandomIds
from bursar.ledger import Denial, State
from bursar.session import (
    DEFAULT_MODEL,
    MODELS,
    alert_as_data,
    build_projection,
    format_limit,
    hold_id_of,
    limit_of,
    parse_name,
    parse_tokens,
    record_usage,
    release_hold,
    reserve_hold,
    settle_hold,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from bursar.budget import Balance
    from bursar.ledger import Reservation
    from bursar.session import Session

BLOCKED = 1
"""What `bursar token reserve` ends with when nothing was held."""


def run_command(arguments: Sequence[str]) -> int:
    """Does what the words after `bursar token` say; what was wrong with them is told before anything is opened."""
    options = _options(arguments)
    with open_desk(must_exist=options.action != "init") as desk:
        return _ACTIONS[options.action](desk, options)


def _init(desk: Desk, options: Any) -> int:
    max_tokens = options.max_tokens or limit_of(options.model)
    sentence = f"Token budget initialized for {options.model} ({format_limit(max_tokens)} limit)"
    return _begin(desk, options, Terms(options.model, max_tokens), sentence)


def _reset(desk: Desk, options: Any) -> int:
    return _begin(desk, options, None, "Token budget reset")


def _begin(desk: Desk, options: Any, terms: Terms | None, sentence: str) -> int:
    session = desk.begin(terms)
    if options.json:
        write_json(desk.report(session))
    else:
        sys.stdout.write(sentence + "\n")
    return OK


def _reserve(desk: Desk, options: Any) -> int:
    hold_id = options.key or RandomIds().new_id()
    with desk.change(options.operation, is_strict=True) as session:
        answer = reserve_hold(desk.ledger, session, hold_id, options.tokens, options.operation)
    denial = answer if isinstance(answer, Denial) else None
    asked = NOTHING if denial is None else Amount(options.tokens, None)
    projection = build_projection(desk.ledger, session, options.operation, asked, desk.clock.now())
    write_json(
        {
            "can_proceed": denial is None,
            "reservation": hold_id if denial is None else None,
            "state": "denied" if isinstance(answer, Denial) else answer.state.value,
            "operation": options.operation,
            "tokens": options.tokens,
            "utilization": projection.utilization,
            "alerts": [alert_as_data(alert, is_projected=denial is not None) for alert in projection.alerts],
            "blocked_by": [] if denial is None else _shortfalls(denial),
        }
    )
    if denial is not None:
        return _tell_denial(denial, options)
    for alert in projection.alerts:
        sys.stderr.write(f"warning: {alert.message}\n")
    return OK


def _shortfalls(denial: Denial) -> list[dict[str, object]]:
    return [
        {
            "budget": title_of(each.balance.budget.name),
            "unit": each.balance.budget.limit.unit.value,
            "limit": each.balance.budget.limit.quantity,
            "wanted": each.wanted,
            "available": each.balance.available,
        }
        for each in denial.shortfalls
    ]


def _tell_denial(denial: Denial, options: Any) -> int:
    sys.stderr.write(f"blocked: {options.tokens} tokens for {options.operation} were not reserved\n")
    for each in denial.shortfalls:
        budget = each.balance.budget
        unit = budget.limit.unit
        wanted = "a cost that is unknown" if each.wanted is None else format_quantity(each.wanted, unit)
        available = format_quantity(each.balance.available, unit)
        sys.stderr.write(f"  budget `{title_of(budget.name)}` has {available} available, and this needs {wanted}\n")
    if any(each.wanted is None for each in denial.shortfalls):
        sys.stderr.write("\nhint: `allow_unknown_price = true` lets a budget in USD pass what has no price\n")
    return BLOCKED


def _release(desk: Desk, options: Any) -> int:
    with desk.change() as session:
        released = release_hold(desk.ledger, session, options.id)
    sentence = f"Released {released.held.tokens} tokens held for {released.labels['phase']}"
    return _tell_end(desk, options, session, released, sentence)


def _settle(desk: Desk, options: Any) -> int:
    with desk.change() as session:
        settled = settle_hold(desk.ledger, session, options.id, options.tokens)
    sentence = f"Settled {options.tokens} tokens for {settled.labels['phase']}"
    return _tell_end(desk, options, session, settled, sentence)


def _record(desk: Desk, options: Any) -> int:
    with desk.change(options.phase) as session:
        recorded = record_usage(desk.ledger, session, RandomIds().new_id(), options.tokens, options.phase)
    sentence = f"Recorded {options.tokens} tokens for {options.phase}"
    return _tell_end(desk, options, session, recorded, sentence)


def _tell_end(desk: Desk, options: Any, session: Session, ended: Reservation, sentence: str) -> int:
    """What became of the hold on stdout, what it has set off on stderr."""
    if ended.charged is not None:
        _warn(desk, ended, ended.charged)
    if options.json:
        write_json(_ending(desk, session, ended))
    else:
        sys.stdout.write(sentence + "\n")
    return OK


def _warn(desk: Desk, ended: Reservation, charged: Amount) -> None:
    """What a charge has passed, or what cannot count it, is said each time, also where no threshold fires any more."""
    balances = [each for each in desk.ledger.balances_of_reservation(ended.key) if not is_retired(each.budget)]
    said = [alert.budget for alert in ended.alerts if alert.percent == OVERRUN_PERCENT]
    warnings: list[str] = []
    if ended.state is State.OVERRUN:
        if charged.tokens > ended.held.tokens:
            warnings += [f"{format_quantity(charged.tokens - ended.held.tokens, Unit.TOKENS)} more than was held"]
        warnings += [_passed(each) for each in balances if _is_passed(each) and each.budget.name not in said]
    if charged.nano_usd is None:
        warnings += [
            f"budget `{title_of(each.budget.name)}` is in USD and does not count this: its cost is unknown"
            for each in balances
            if each.budget.limit.unit is Unit.USD and not each.budget.allows_unknown_price
        ]
    warnings += [
        f"budget `{title_of(each.budget.name)}` includes agents' logs: what was recorded here and stands in a"
        " log, too, counts twice there"
        for each in balances
        if LOGS_LABEL in each.budget.selector
        if each.budget.limit.unit is Unit.TOKENS or charged.nano_usd is not None
    ]
    sys.stderr.writelines(f"warning: {each}\n" for each in warnings)


def _is_passed(balance: Balance) -> bool:
    return balance.overrun > 0 and balance.budget.on_limit is OnLimit.BLOCK


def _passed(balance: Balance) -> str:
    limit = balance.budget.limit
    limit_text, overrun = (format_quantity(each, limit.unit) for each in (limit.quantity, balance.overrun))
    with_held = ", with what is reserved" if balance.reserved else ""
    return f"budget `{title_of(balance.budget.name)}` is past its limit of {limit_text} by {overrun}{with_held}"


def _ending(desk: Desk, session: Session, ended: Reservation) -> dict[str, object]:
    projection = build_projection(desk.ledger, session, ended.labels["phase"], NOTHING, desk.clock.now())
    return {
        "reservation": hold_id_of(ended),
        "state": ended.state.value,
        "operation": ended.labels["phase"],
        "held_tokens": ended.held.tokens,
        "charged_tokens": ended.charged.tokens if ended.charged is not None else None,
        "utilization": projection.utilization,
        "alerts": [alert_as_data(alert) for alert in projection.alerts],
    }


def _report(desk: Desk, options: Any) -> int:
    session = desk.current()
    if session is None:  # only the snapshot knows it: it is taken over, as by any other command
        with desk.change() as session:
            pass
    write_json(desk.report(session))
    return OK


_ACTIONS: Mapping[str, Callable[[Desk, Any], int]] = {
    "init": _init,
    "reserve": _reserve,
    "release": _release,
    "settle": _settle,
    "record": _record,
    "report": _report,
    "reset": _reset,
}


def _options(arguments: Sequence[str]) -> Any:
    """The words as values. Only the command that is meant gets its parser: making all of them takes its time.

    Raises:
        UserError: one of them is no number, no name, no model; the first that is wrong is told.
    """
    options = Parser(prog="bursar token", description="a token budget for scripts", allow_abbrev=False)
    options.add_argument("--json", action="store_true", help="JSON on stdout")
    actions = options.add_subparsers(dest="action", required=True, metavar="COMMAND", prog=options.prog)
    meant = [name for name in arguments[:1] if name in COMMANDS]
    for name in meant or COMMANDS:
        about, add_arguments = COMMANDS[name]
        action = actions.add_parser(name, help=about, description=about, allow_abbrev=False)
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="JSON on stdout")
        add_arguments(action)
    return options.parse_args(arguments)


def _add_init(options: Parser) -> None:
    known = ", ".join(MODELS)
    options.add_argument(
        "model", metavar="MODEL", nargs="?", default=DEFAULT_MODEL, type=_model, help=f"one of {known}"
    )
    options.add_argument(
        "--max-tokens", type=parse_tokens, metavar="N", help="the limit (default: the model's context)"
    )


def _add_reserve(options: Parser) -> None:
    _add_tokens(options)
    options.add_argument(
        "operation", metavar="OPERATION", type=_named("operation"), help="a label for what they are for"
    )
    options.add_argument("--key", type=_named("key"), help="the reservation's id; the same key is held once")


def _add_release(options: Parser) -> None:
    options.add_argument("id", metavar="ID", type=_named("reservation"), help="what `reserve` called `reservation`")


def _add_settle(options: Parser) -> None:
    _add_release(options)
    _add_tokens(options)


def _add_record(options: Parser) -> None:
    _add_tokens(options)
    options.add_argument("phase", metavar="PHASE", type=_named("phase"), help="the operation that used them")


def _add_tokens(options: Parser) -> None:
    options.add_argument("tokens", metavar="N", type=parse_tokens, help="tokens, in plain digits")


def _named(what: str) -> Callable[[str], str]:
    return lambda text: parse_name(text, what)


def _model(text: str) -> str:
    limit_of(text)
    return text


COMMANDS: Mapping[str, tuple[str, Callable[[Parser], None]]] = {
    "init": ("begin a new session with a new budget", _add_init),
    "reserve": ("hold tokens before an operation: exit code 0 granted, 1 blocked", _add_reserve),
    "release": ("give a hold back: nothing was used", _add_release),
    "settle": ("end a hold with what was used", _add_settle),
    "record": ("charge what was used; it ends the oldest hold of that name", _add_record),
    "report": ("how the session stands, as JSON", lambda _: None),
    "reset": ("begin a new session with the same budget", lambda _: None),
}
