"""How budgets, their alerts and their history are shown by `bursar budget`: as words, and as data for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bursar.budget import Alert, Balance, OnLimit, Unit, format_quantity, title_of
from bursar.cli.budget_standing import HistoryLine, Standing
from bursar.cli.budget_terms import terms_as_data, terms_in_words
from bursar.config import ConfiguredBudget
from bursar.layout import count_of
from bursar.money import format_usd


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
        | terms_as_data(budget)
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
    return named | limited | terms_as_data(budget) | {"ledger_name": budget.name, "sources": dict(each.sources)}


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
    values = terms_in_words(each.balance.budget)
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
        parts.append(f"{count_of(balance.exempt, 'operation')} on a subscription left out")
    if balance.unpriced:
        parts.append(f"{count_of(balance.unpriced, 'operation')} of unknown cost left out")
    period = str(budget.period)
    when = f"{period} {balance.period_id}".strip() if balance.period_id != period else period
    return ", ".join(parts) + f" · {when} · {budget.on_limit}"


def _is_frozen(balance: Balance) -> bool:
    return balance.is_frozen and balance.budget.on_limit is OnLimit.BLOCK


def _plain(quantity: int, unit: Unit) -> str:
    return format_quantity(quantity, unit).removesuffix(" tokens").removesuffix(" token")
