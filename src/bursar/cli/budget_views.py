"""What `bursar budget` shows: budgets as the settings have them, with the figures of the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bursar.budget import (
    LOGS_LABEL,
    Alert,
    Balance,
    Budget,
    OnLimit,
    PeriodKind,
    Unit,
    format_quantity,
    is_configured,
    is_retired,
    period_id,
    title_of,
)
from bursar.cli.status import read_runs
from bursar.clock import SystemClock
from bursar.config import ConfiguredBudget, find_ledger_place, list_problems, read_budgets
from bursar.errors import UserError
from bursar.ledger import Entry, Ledger, open_ledger
from bursar.money import format_usd
from bursar.session import Session, current_session

_LEDGER = "ledger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A budget and how it stands. `sources`: where each value came from; a file, a variable, `default`, `ledger`."""

    title: str
    balance: Balance
    sources: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """An entry of the books that says what was used. `is_unpriced`: it ends an operation with calls of unknown cost."""

    entry: Entry
    is_unpriced: bool


def open_books() -> Ledger:
    """The ledger, wherever it is kept."""
    return open_ledger(find_ledger_place(), SystemClock())


def read_standing(root: Path, *, everything: bool) -> Sequence[Standing]:
    """Budgets of the settings of this project, of its session and of its latest run; or all that the ledger knows too.

    Raises:
        UserError: the settings have problems.
    """
    settings = _read_settings(root)
    ledger = open_books()
    session = current_session(ledger, str(root))
    known = {balance.budget.name: balance for balance in _read_balances(ledger, session)}
    ledger.close()
    found = [_standing(each, known.pop(each.budget.name, None), root) for each in settings]
    runs = {str(run["id"]) for run in read_runs(str(root), 1)}
    for name, balance in known.items():
        is_gone = is_configured(name) or _is_earlier_session(balance.budget, session)
        is_shown = _is_ours(balance.budget, root, runs) and not is_gone
        if not is_retired(balance.budget) and (everything or is_shown):
            sources = dict.fromkeys(_values(balance.budget), _LEDGER)
            found.append(Standing(title=title_of(name), balance=balance, sources=sources))
    return found


def configured_standing(root: Path, ledger: Ledger | None) -> Sequence[Standing]:
    """Budgets of the settings of this project, and how they stand in the ledger, where there is one.

    Raises:
        UserError: the settings have problems.
    """
    settings = _read_settings(root)
    session = None if ledger is None else current_session(ledger, str(root))
    balances = () if ledger is None else _read_balances(ledger, session)
    known = {balance.budget.name: balance for balance in balances}
    return [_standing(each, known.get(each.budget.name), root) for each in settings]


def _read_settings(root: Path) -> Sequence[ConfiguredBudget]:
    settings = read_budgets(root)
    if settings.problems:
        raise UserError(list_problems(settings.problems), hint="bursar budget check")
    return settings.budgets


def _standing(each: ConfiguredBudget, known: Balance | None, root: Path) -> Standing:
    return Standing(title=each.title, balance=_balance(each.budget, known, root), sources=each.sources)


def read_alerts(root: Path, *, everything: bool) -> Sequence[Alert]:
    """Alerts that have fired on budgets of this project and its runs, oldest first; or on all."""
    ledger = open_books()
    alerts, budgets = ledger.alerts(), {balance.budget.name: balance.budget for balance in ledger.budgets()}
    ledger.close()
    if everything:
        return alerts
    runs = {str(run["id"]) for run in read_runs(str(root), -1)}
    ours = {name for name, budget in budgets.items() if _is_ours(budget, root, runs)}
    return [alert for alert in alerts if alert.budget in ours]


def read_history(root: Path, count: int, *, everything: bool) -> Sequence[HistoryLine]:
    """The last `count` entries of the journal that say what was used by this project, or by all; oldest first."""
    ledger = open_books()
    entries = ledger.history(count, labels=None if everything else {"project": str(root)})
    charged = {entry.key for entry in entries if entry.body.get("charged")}
    ended = {key: ledger.reservation(key) for key in charged}
    ledger.close()
    unpriced = {key for key, each in ended.items() if each is not None and each.metered.nano_usd is None}
    return [HistoryLine(entry=entry, is_unpriced=entry.key in unpriced) for entry in entries]


def entry_as_data(line: HistoryLine) -> dict[str, object]:
    """An entry of `budget history --json`, as it stands in the books."""
    entry = line.entry
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "kind": entry.kind,
        "key": entry.key,
        "body": dict(entry.body),
    }


def line_as_data(each: Standing) -> dict[str, object]:
    """A budget of `budget list --json`; quantities in USD are nano-USD."""
    balance = each.balance
    return {
        "name": each.title,
        "unit": str(balance.budget.limit.unit),
        "limit": balance.budget.limit.quantity,
        "spent": balance.spent,
        "reserved": balance.reserved,
        "available": balance.available,
        "period": str(balance.budget.period),
        "period_id": balance.period_id,
        "on_limit": str(balance.budget.on_limit),
    }


def as_data(each: Standing) -> dict[str, object]:
    """A budget of `budget show --json`: all of it."""
    balance, budget = each.balance, each.balance.budget
    return (
        line_as_data(each)
        | _terms_as_data(budget)
        | {
            "overrun": balance.overrun,
            "frozen": _is_frozen(each.balance),
            "unpriced_operations": balance.unpriced,
            "subscription_operations": balance.exempt,
            "ledger_name": budget.name,
            "sources": dict(each.sources),
        }
    )


def settings_as_data(each: ConfiguredBudget) -> dict[str, object]:
    """A budget as the settings have it, whatever the ledger knows of it."""
    budget = each.budget
    named = {"name": each.title, "unit": str(budget.limit.unit), "limit": budget.limit.quantity}
    limited = {"period": str(budget.period), "on_limit": str(budget.on_limit)}
    return named | limited | _terms_as_data(budget) | {"ledger_name": budget.name, "sources": dict(each.sources)}


def _terms_as_data(budget: Budget) -> dict[str, object]:
    return {
        "match": _match(budget),
        "include_logs": LOGS_LABEL in budget.selector,
        "timezone": budget.period.timezone,
        "counts": str(budget.counts),
        "thresholds": [
            {"share": threshold.percent / 100, "level": str(threshold.level), "name": threshold.name}
            for threshold in budget.thresholds
        ],
        "stop": None if budget.stop_percent is None else budget.stop_percent / 100,
        "allow_unknown_price": budget.allows_unknown_price,
    }


def alert_as_data(alert: Alert) -> dict[str, object]:
    """An alert of `budget alerts --json`."""
    return {
        "budget": title_of(alert.budget),
        "threshold": alert.percent / 100,
        "level": str(alert.level),
        "at": alert.at.isoformat(),
    }


def render_lines(standing: Sequence[Standing]) -> list[str]:
    """Each budget in one line, their figures below each other."""
    width = max([20, *(len(each.title) for each in standing)])
    return [f"{each.title:<{width}}  {_figures(each.balance)}\n" for each in standing]


def render(each: Standing) -> str:
    """The budget, value by value, with where each came from."""
    values = _values(each.balance.budget)
    width = max(len(value) for value in values.values())
    lines = [f"  {key:<20}{value:<{width}}  {each.sources.get(key, '')}".rstrip() for key, value in values.items()]
    return "\n".join([f"{each.title}: {_figures(each.balance)}", *lines]) + "\n"


def render_entry(line: HistoryLine) -> str:
    """One entry of the history in one line. What was charged for calls of unknown cost is no cost of theirs."""
    entry = line.entry
    tokens, nano_usd = _used(entry.body)
    cost = format_usd(nano_usd, digits=4)
    if line.is_unpriced and entry.body.get("charged") and nano_usd is not None:
        cost = f"{format_usd(None)}, {cost} charged as held"
    used = "" if tokens is None else f"  {format_quantity(tokens, Unit.TOKENS)}  {cost}"
    return f"{entry.number:>6}  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.kind:<9}  {entry.key}{used}\n"


def _used(body: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Tokens and nano-USD of an entry of any kind."""
    if (amount := body.get("charged") or body.get("actual") or body.get("amount")) is not None:
        return amount[0], amount[1]
    call = body.get("call", body)
    usage = call.get("usage")
    return (None, None) if usage is None else (sum(usage.values()), call.get("nano_usd"))


def _balance(budget: Budget, known: Balance | None, root: Path) -> Balance:
    """How a budget of the settings stands, also where the ledger has not heard of it, or of its new limit."""
    if known is not None:
        return replace(known, budget=budget)
    is_rolling = budget.period.kind is PeriodKind.ROLLING  # it opens with the first operation
    current = "" if is_rolling else period_id(budget.period, SystemClock().now(), {"project": str(root)}, None)
    return Balance(budget=budget, spent=0, reserved=0, metered=0, period_id=current)


def _read_balances(ledger: Ledger, session: Session | None) -> Sequence[Balance]:
    """Every budget; one that counts per session stands as it does in this session, if the session is charged to it."""
    balances = ledger.budgets()
    if session is None:
        return balances
    now = {each.budget.name: each for each in ledger.budgets(labels={"session": session.id})}

    def counts_per_session(budget: Budget) -> bool:
        return budget.period.kind is PeriodKind.SESSION and not _is_earlier_session(budget, session)

    return [now[each.budget.name] if counts_per_session(each.budget) else each for each in balances]


def _is_ours(budget: Budget, root: Path, runs: set[str]) -> bool:
    project, run = budget.selector.get("project"), budget.selector.get("run")
    if project is not None:
        return project == str(root)
    return run in runs or (run is None and is_configured(budget.name))


def _is_earlier_session(budget: Budget, current: Session | None) -> bool:
    return current is not None and budget.selector.get("session", current.id) != current.id


def _figures(balance: Balance) -> str:
    budget, unit = balance.budget, balance.budget.limit.unit
    taken = balance.spent + balance.reserved
    parts = [
        f"{_plain(balance.spent, unit)} of {format_quantity(budget.limit.quantity, unit)} spent"
        f" ({100 * balance.spent // budget.limit.quantity} %)"
    ]
    if balance.reserved:
        parts.append(f"{_plain(balance.reserved, unit)} reserved")
    if balance.overrun:
        parts.append(f"passed by {format_quantity(taken - budget.limit.quantity, unit)}")
    else:
        parts.append(f"{_plain(balance.available, unit)} available")
    if _is_frozen(balance):
        parts.append("frozen: nothing new starts")
    if balance.exempt:
        parts.append(f"{balance.exempt} operations on a subscription left out")
    if balance.unpriced:
        parts.append(f"{balance.unpriced} operations of unknown cost left out")
    period = str(budget.period)
    when = f"{period} {balance.period_id}".strip() if balance.period_id != period else period
    return ", ".join(parts) + f" · {when} · {budget.on_limit}"


def _is_frozen(balance: Balance) -> bool:
    return balance.is_frozen and balance.budget.on_limit is OnLimit.BLOCK


def _plain(quantity: int, unit: Unit) -> str:
    return format_quantity(quantity, unit).removesuffix(" tokens").removesuffix(" token")


def _values(budget: Budget) -> dict[str, str]:
    """The budget's values in words, by the keys of its table."""
    thresholds = ", ".join(f"{each.percent / 100:g} {each.name or each.level}" for each in budget.thresholds)
    return {
        "limit": format_quantity(budget.limit.quantity, budget.limit.unit),
        "match": ", ".join(f"{label}={value}" for label, value in _match(budget).items()) or "everything",
        **({"include_logs": "yes: what agents' logs show counts, too"} if LOGS_LABEL in budget.selector else {}),
        "period": str(budget.period),
        "timezone": budget.period.timezone or "UTC",
        "on_limit": str(budget.on_limit),
        "thresholds": thresholds or "none",
        "counts": str(budget.counts),
        "allow_unknown_price": "true" if budget.allows_unknown_price else "false",
    }


def _match(budget: Budget) -> dict[str, str]:
    """What operations must carry, as the settings say it."""
    return {label: value for label, value in budget.selector.items() if label != LOGS_LABEL}
