"""What the settings and the ledger say of budgets: how they stand, the alerts they fired, and what was used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bursar.budget import Alert, Balance, Budget, PeriodKind, is_configured, is_retired, period_id, title_of
from bursar.cli.budget_terms import terms_in_words
from bursar.cli.status import read_runs
from bursar.clock import SystemClock
from bursar.config import ConfiguredBudget, find_ledger_place, list_problems, read_budgets
from bursar.errors import UserError
from bursar.ledger import Entry, Ledger, open_ledger
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


def _open_books() -> Ledger:
    """The ledger, wherever it is kept."""
    return open_ledger(find_ledger_place(), SystemClock())


def read_standing(root: Path, *, everything: bool) -> Sequence[Standing]:
    """Budgets of the settings of this project, of its session and of its latest run; or all that the ledger knows too.

    Raises:
        UserError: the settings have problems.
    """
    settings = _read_settings(root)
    ledger = _open_books()
    session = current_session(ledger, str(root))
    known = {balance.budget.name: balance for balance in _read_balances(ledger, session)}
    ledger.close()
    found = [_standing(each, known.pop(each.budget.name, None), root) for each in settings]
    runs = {str(run["id"]) for run in read_runs(str(root), 1)}
    for name, balance in known.items():
        is_gone = is_configured(name) or _is_earlier_session(balance.budget, session)
        is_shown = _is_ours(balance.budget, root, runs) and not is_gone
        if not is_retired(balance.budget) and (everything or is_shown):
            sources = dict.fromkeys(terms_in_words(balance.budget), _LEDGER)
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
    ledger = _open_books()
    alerts, budgets = ledger.alerts(), {balance.budget.name: balance.budget for balance in ledger.budgets()}
    ledger.close()
    if everything:
        return alerts
    runs = {str(run["id"]) for run in read_runs(str(root), -1)}
    ours = {name for name, budget in budgets.items() if _is_ours(budget, root, runs)}
    return [alert for alert in alerts if alert.budget in ours]


def read_history(root: Path, count: int, *, everything: bool) -> Sequence[HistoryLine]:
    """The last `count` entries of the journal that say what was used by this project, or by all; oldest first."""
    ledger = _open_books()
    entries = ledger.history(count, labels=None if everything else {"project": str(root)})
    charged = {entry.key for entry in entries if entry.body.get("charged")}
    ended = {key: ledger.reservation(key) for key in charged}
    ledger.close()
    unpriced = {key for key, each in ended.items() if each is not None and each.metered.nano_usd is None}
    return [HistoryLine(entry=entry, is_unpriced=entry.key in unpriced) for entry in entries]


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
