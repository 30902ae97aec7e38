"""Ledgers to test, and a small language of commands that tables of tests are written in.

A line is `command | outcome`. Amounts are `tokens` (cost unknown) or `tokens/nano-USD`, and with `~fresh` or
`~fresh~output` behind it, those parts of the tokens are said too. After every command that is
refused or denied, everything the ledger shows must be what it was before; the runner looks.

    define NAME QUANTITY UNIT [label=value …] [warn] [allow] [at=80,90] [per=PERIOD] [zone=ZONE] [counts=…] [stop=95]
    reserve KEY AMOUNT [min=AMOUNT] [attempt=N] [label=value …]      labels are run=r task=t unless given
    extend KEY AMOUNT [min=AMOUNT]
    record KEY CALL#SEQUENCE AMOUNT
    settle KEY AMOUNT [unknown=AMOUNT]      release KEY      forfeit KEY      credit KEY AMOUNT [evidence=TEXT]
    charge KEY AMOUNT [call=CALL#SEQUENCE] [label=value …]           forfeit_open [label=value …]
    balance NAME | SPENT RESERVED METERED              period NAME | ID              left_out NAME | UNPRICED EXEMPT
    clock INSTANT            the next look at the clock is a second after INSTANT (UTC)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bursar.budget import NOTHING, Amount, Budget, Counting, Level, Limit, OnLimit, Threshold, Unit, parse_period
from bursar.errors import BursarError
from bursar.ledger import CallRecord, Denial, Ledger, MemoryLedger, Reservation, ReserveRequest, open_ledger
from bursar.ledger.bookkeeping import Bookkeeping
from bursar.usage import Usage
from tests.postgres_server import the_server

STORES = ("memory", "sqlite", "postgres")


class SteppingClock:
    """Each look is one second later than the last."""

    def __init__(self) -> None:
        self.latest = datetime(2026, 3, 1, tzinfo=UTC)

    def set(self, instant: datetime) -> None:
        """The next look is a second after that."""
        self.latest = instant

    def now(self) -> datetime:
        self.latest += timedelta(seconds=1)
        return self.latest

    def monotonic(self) -> float:
        return self.latest.timestamp()


def make_ledger(store: str, folder: Path) -> Ledger:
    if store == "memory":
        return MemoryLedger(SteppingClock())
    if store == "postgres":
        return open_ledger(the_server().new_url(), SteppingClock())
    return open_ledger(folder / "ledger" / "ledger.db", SteppingClock())


def parse_amount(text: str) -> Amount:
    text, *parts = text.split("~")
    tokens, _, nano_usd = text.partition("/")
    fresh, output, *_rest = (*map(int, parts), None, None)
    return Amount(int(tokens), int(nano_usd) if nano_usd else None, fresh, output)


def show_amount(amount: Amount) -> str:
    return f"{amount.tokens}" if amount.nano_usd is None else f"{amount.tokens}/{amount.nano_usd}"


def usage_of(amount: Amount) -> Usage:
    """Usage of just those parts; where no part is said, a third is output and nothing is read from a cache."""
    if amount.fresh_tokens is None:
        output = amount.tokens // 3
        return Usage(input_tokens=amount.tokens - output, output_tokens=output)
    output = amount.output_tokens or 0
    return Usage(
        input_tokens=amount.fresh_tokens - output,
        cache_read_tokens=amount.tokens - amount.fresh_tokens,
        output_tokens=output,
    )


def run_table(ledger: Ledger, table: str) -> None:
    """Run every line of the table; each must have its outcome, and the books must be right at the end."""
    for line in table.strip().splitlines():
        if not line.strip() or line.strip().startswith("--"):
            continue
        command, _, expected = (part.strip() for part in line.partition("|"))
        before = show_all(ledger)
        outcome = run_line(ledger, command)
        assert outcome == expected, f"{command} | {outcome}"
        if outcome.startswith("denied") or outcome.endswith("Error") or outcome in ("KeyReused", "LedgerBusy"):
            assert show_all(ledger) == before, f"{command} was refused, but something changed"
    assert ledger.verify() == []


def run_line(ledger: Ledger, command: str) -> str:
    verb, *words = command.split()
    options = dict(word.split("=", 1) for word in words if "=" in word)
    arguments = [word for word in words if "=" not in word]
    try:
        return _VERBS[verb](ledger, arguments, options)
    except BursarError as error:
        return type(error).__name__


def show_all(ledger: Ledger) -> object:
    """Everything that a refusal must leave alone. Looking takes no time: the clock is where it was."""
    clock = clock_of(ledger)
    now = clock.latest
    try:
        return _everything(ledger)
    finally:
        clock.set(now)


def clock_of(ledger: Ledger) -> SteppingClock:
    """The clock that `make_ledger` gave it."""
    assert isinstance(ledger, Bookkeeping)
    assert isinstance(ledger._clock, SteppingClock)
    return ledger._clock


def _everything(ledger: Ledger) -> object:
    return (
        list(ledger.budgets()),
        [ledger.balance(name) for name in ("run", "task", "usd", "soft", "other", "all")],
        list(ledger.balances({"run": "r", "task": "t"})),
        list(ledger.reservations({})),
        list(ledger.alerts({"run": "r", "task": "t"})),
        dict(ledger.usage({})),
        [list(ledger.phases(session).items()) for session in ("s", "t")],
        [(entry.kind, entry.key, entry.body) for entry in ledger.entries() if entry.kind != "denied"],
    )


def show(answer: Reservation | Denial) -> str:
    if isinstance(answer, Denial):
        wants = (
            f"{each.balance.budget.name}:{'?' if each.wanted is None else each.wanted}" for each in answer.shortfalls
        )
        return "denied " + " ".join(wants)
    parts = [answer.state.value, show_amount(answer.held if answer.charged is None else answer.charged)]
    if answer.unknown.tokens or answer.unknown.nano_usd:
        parts.append(f"unknown={show_amount(answer.unknown)}")
    parts += [f"!{alert.budget}:{alert.percent}" for alert in answer.alerts]
    return " ".join(parts)


def _define(ledger: Ledger, words: list[str], options: dict[str, str]) -> str:
    name, quantity, unit = words[:3]
    percents, stop = options.pop("at", ""), options.pop("stop", "")
    period = parse_period(options.pop("per", "always"), options.pop("zone", None))
    counts = Counting(options.pop("counts", "total"))
    budget = Budget(
        name=name,
        limit=Limit(int(quantity), Unit(unit)),
        selector=options,
        on_limit=OnLimit.WARN if "warn" in words[3:] else OnLimit.BLOCK,
        period=period,
        counts=counts,
        stop_percent=int(stop) if stop else None,
        allows_unknown_price="allow" in words[3:],
        thresholds=tuple(Threshold(int(percent), Level.WARNING) for percent in percents.split(",") if percent),
    )
    balance = ledger.define(budget)
    return "frozen" if balance.is_frozen else "ok"


def _reserve(ledger: Ledger, words: list[str], options: dict[str, str]) -> str:
    key, amount = words
    minimum, attempt = options.pop("min", None), options.pop("attempt", "1")
    request = ReserveRequest(
        key=key,
        labels=options or {"run": "r", "task": "t"},
        amount=parse_amount(amount),
        minimum=None if minimum is None else parse_amount(minimum),
        attempt=int(attempt),
    )
    return show(ledger.reserve(request))


def _extend(ledger: Ledger, words: list[str], options: dict[str, str]) -> str:
    minimum = options.get("min")
    return show(
        ledger.extend(words[0], parse_amount(words[1]), minimum=None if minimum is None else parse_amount(minimum))
    )


def _record(ledger: Ledger, words: list[str], _: dict[str, str]) -> str:
    key, call, amount_text = words
    call_id, _sep, sequence = call.partition("#")
    return show(ledger.record(key, _call(call_id, sequence, parse_amount(amount_text))))


def _call(call_id: str, sequence: str, amount: Amount) -> CallRecord:
    return CallRecord(
        call_id=call_id, sequence=int(sequence), model="m-1", usage=usage_of(amount), nano_usd=amount.nano_usd
    )


def _charge(ledger: Ledger, words: list[str], options: dict[str, str]) -> str:
    call_id, _sep, sequence = options.pop("call", "").partition("#")
    amount = parse_amount(words[1])
    used = _call(call_id, sequence, amount) if call_id else amount
    return show(ledger.charge(words[0], options or {"run": "r", "task": "t"}, used))


def _forfeit_open(ledger: Ledger, _: list[str], options: dict[str, str]) -> str:
    return ", ".join(f"{each.key}: {show(each)}" for each in ledger.forfeit_open(options)) or "none"


def _settle(ledger: Ledger, words: list[str], options: dict[str, str]) -> str:
    unknown = parse_amount(options["unknown"]) if "unknown" in options else NOTHING
    return show(ledger.settle(words[0], parse_amount(words[1]), unknown=unknown))


def _release(ledger: Ledger, words: list[str], _: dict[str, str]) -> str:
    return show(ledger.release(words[0]))


def _forfeit(ledger: Ledger, words: list[str], _: dict[str, str]) -> str:
    return show(ledger.forfeit(words[0]))


def _credit(ledger: Ledger, words: list[str], options: dict[str, str]) -> str:
    return show(ledger.credit(words[0], parse_amount(words[1]), evidence=options.get("evidence", "invoice")))


def _balance(ledger: Ledger, words: list[str], _: dict[str, str]) -> str:
    balance = ledger.balance(words[0])
    return "none" if balance is None else f"{balance.spent} {balance.reserved} {balance.metered}"


def _period(ledger: Ledger, words: list[str], _: dict[str, str]) -> str:
    balance = ledger.balance(words[0])
    return "none" if balance is None else balance.period_id or "not open"


def _left_out(ledger: Ledger, words: list[str], _: dict[str, str]) -> str:
    balance = ledger.balance(words[0])
    return "none" if balance is None else f"{balance.unpriced} {balance.exempt}"


def _set_clock(ledger: Ledger, words: list[str], _: dict[str, str]) -> str:
    clock_of(ledger).set(datetime.fromisoformat(words[0]).replace(tzinfo=UTC))
    return ""


_VERBS: dict[str, Callable[[Ledger, list[str], dict[str, str]], str]] = {
    "define": _define,
    "reserve": _reserve,
    "extend": _extend,
    "record": _record,
    "settle": _settle,
    "release": _release,
    "forfeit": _forfeit,
    "credit": _credit,
    "charge": _charge,
    "forfeit_open": _forfeit_open,
    "balance": _balance,
    "period": _period,
    "left_out": _left_out,
    "clock": _set_clock,
}
