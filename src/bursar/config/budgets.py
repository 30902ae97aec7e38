"""The budgets of a project: from its `bursar.toml`, the user's, and the environment. Cheap to import.

The user's table of a name takes the place of the project's of that name, as a whole: a project that was cloned cannot
narrow a budget that the user has set. The environment goes before both, for limits alone.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bursar.budget import (
    LOGS_LABEL,
    Budget,
    format_quantity,
    is_configured,
    is_retired,
    name_for_ledger,
    parse_limit,
    retire,
    title_of,
)
from bursar.config.budget_tables import KEYS, LABELS, BudgetTable, check_title
from bursar.config.files import SettingsFile, project_file, read_settings_file, user_file
from bursar.errors import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bursar.ledger import Ledger

VARIABLE_PREFIX = "BURSAR_BUDGET_"
_DEFAULT = "default"
_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*budget[ \t]*\]\][ \t]*(#.*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredBudget:
    """A budget of the settings.

    Attributes:
        title: the name it has there.
        budget: as the ledger is to know it; see `name_for_ledger`.
        sources: where each value came from, by key: a file, a variable of the environment, or `default`.
    """

    title: str
    budget: Budget
    sources: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """All budgets of the settings, in order of their titles, and all problems: with one problem there are none."""

    budgets: tuple[ConfiguredBudget, ...]
    problems: tuple[str, ...] = ()


def configured_budgets(root: Path, environment: Mapping[str, str] = os.environ) -> tuple[Budget, ...]:
    """The budgets that operations of the project at `root` are charged to, as the ledger is to know them.

    Args:
        root: the project's folder; its text is what operations bear as the label `project`.

    Raises:
        UserError: the settings have problems; all of them are listed.
    """
    settings = read_budgets(root, environment)
    if settings.problems:
        raise UserError(list_problems(settings.problems), hint="bursar budget check")
    return tuple(each.budget for each in settings.budgets)


def list_problems(problems: Sequence[str]) -> str:
    """All of them, one to a line."""
    return problems[0] if len(problems) == 1 else "\n  ".join([f"{len(problems)} problems:", *problems])


def read_budgets(
    root: Path, environment: Mapping[str, str] = os.environ, *, project: SettingsFile | None = None
) -> BudgetSettings:
    """The budgets of the project at `root` with their sources, or every problem there is; nothing is raised.

    Args:
        project: stands in for the project's file.
    """
    try:
        files = [project or read_settings_file(project_file(root)), read_settings_file(user_file(environment))]
        tables = [file.parse() for file in files]
    except UserError as error:
        return BudgetSettings((), (error.message,))
    problems: list[str] = []
    labels = [
        *LABELS,
        *(label for file, table in zip(files, tables, strict=True) for label in _own(file, table, problems)),
    ]
    found: dict[str, ConfiguredBudget] = {}
    for file, table in zip(files, tables, strict=True):
        scope = {"project": str(root)} if file is files[0] else {}
        found |= {each.title: each for each in _read_file(file, table, labels, scope, problems)}
    known = [found[title] for title in sorted(found)]
    budgets = tuple(_with_environment(known, environment, problems))
    return BudgetSettings((), tuple(problems)) if problems else BudgetSettings(budgets)


def define_budgets(ledger: Ledger, root: Path, budgets: Sequence[Budget], *, is_shared: bool = False) -> Sequence[str]:
    """The ledger has the budgets; those that the settings no longer have, or have otherwise, limit nothing there.

    Nothing is written where the ledger knows all that. What they have counted stays in the books. The answer says in a
    sentence what each budget had otherwise before: whoever has other settings than the last one, changes it in turn.

    Args:
        is_shared: others, whose settings we do not see, may use the ledger too. A budget over all projects that is not
            in ours may be in theirs: it stays, unless ours have another of that title.

    Raises:
        StoreError: as of `Ledger.define`.
    """
    names = {budget.name for budget in budgets}
    titles = {title_of(name) for name in names}
    known = [balance.budget for balance in ledger.budgets()]
    for old in known:
        if not is_configured(old.name) or old.name in names or retire(old) == old:
            continue
        project = old.selector.get("project")
        is_theirs = is_shared and project is None and title_of(old.name) not in titles
        if project in (None, str(root)) and not is_theirs:
            ledger.define(retire(old))
    for budget in budgets:
        ledger.define(budget)
    before = {old.name: old for old in known if not is_retired(old)}
    return [_change(before[each.name], each) for each in budgets if before.get(each.name, each) != each]


def _change(before: Budget, after: Budget) -> str:
    names = ("its limit", "`on_limit`", "its stop", "its thresholds")
    parts = [
        f"{name} was {old} and is {new} from now on"
        for name, old, new in zip(names, _terms(before), _terms(after), strict=True)
        if old != new
    ]
    return f"budget `{title_of(after.name)}` is changed by these settings: {'; '.join(parts) or 'other levels'}"


def _terms(budget: Budget) -> tuple[str, ...]:
    percents = ", ".join(f"{each.percent / 100:g}" for each in budget.thresholds) or "none"
    stop = "none" if budget.stop_percent is None else f"{budget.stop_percent / 100:g}"
    return format_quantity(budget.limit.quantity, budget.limit.unit), str(budget.on_limit), stop, percents


def variable_of(title: str) -> str:
    """The variable of the environment that changes the limit of the budget of that name."""
    return VARIABLE_PREFIX + re.sub("[^A-Z0-9]", "_", title.upper())


def _own(file: SettingsFile, table: Mapping[str, Any], problems: list[str]) -> Sequence[str]:
    """Labels that the file declares."""
    labels = table.get("labels", [])
    if not isinstance(labels, list) or not all(isinstance(each, str) and each.isidentifier() for each in labels):
        problems.append(f'{file.path}: `labels` must be a list of names like ["team"]')
        return ()
    return labels


def _read_file(
    file: SettingsFile,
    table: Mapping[str, Any],
    labels: Sequence[str],
    scope: Mapping[str, str],
    problems: list[str],
) -> list[ConfiguredBudget]:
    """The file's budgets; its problems are appended."""
    tables = table.get("budget", [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        problems.append(f"{file.path}: budgets are written as [[budget]] tables")
        return []
    places = [f"{file.path}:{line}" for line in _header_lines(file.text)]
    places = places if len(places) == len(tables) else [str(file.path)] * len(tables)
    found, names = [], [each.get("name") for each in tables]
    for number, (place, each) in enumerate(zip(places, tables, strict=True)):
        read = BudgetTable(each, labels)
        budget = read.parse()
        if isinstance(names[number], str) and names[number] in names[:number]:
            read.problems.append("there is one of that name already")
        problems += [f"{place}: budget {_shown(each)}: {problem}" for problem in read.problems]
        if budget is not None:
            found.append(_configured(budget, scope, _sources(each, str(file.path))))
    return found


def _header_lines(text: str) -> list[int]:
    return [text.count("\n", 0, found.start()) + 1 for found in _HEADER.finditer(text)]


def _shown(table: Mapping[str, Any]) -> str:
    try:
        return f"`{check_title(table.get('name'))}`"
    except UserError:
        return "(without a usable name)"


def _sources(table: Mapping[str, Any], where: str) -> dict[str, str]:
    return {key: where if key in table else _DEFAULT for key in KEYS if key != "name"}


def _configured(budget: Budget, scope: Mapping[str, str], sources: Mapping[str, str]) -> ConfiguredBudget:
    selector = {**scope, **budget.selector}
    if LOGS_LABEL in selector:
        selector[LOGS_LABEL] = _name_for_logs(budget.name, selector.get("project"))
    budget = replace(budget, selector=selector)
    return ConfiguredBudget(title=budget.name, budget=name_for_ledger(budget), sources=sources)


def _name_for_logs(title: str, project: str | None) -> str:
    """One that no other budget has: charges from logs are for one budget each."""
    if project is None:
        return title
    return f"{title}@{hashlib.sha256(project.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _with_environment(
    budgets: Sequence[ConfiguredBudget], environment: Mapping[str, str], problems: list[str]
) -> list[ConfiguredBudget]:
    """The budgets with the limits that the environment gives; a variable that fits none is a problem."""
    variables = {name: text for name, text in environment.items() if name.startswith(VARIABLE_PREFIX) and text}
    titles: dict[str, list[str]] = {}
    changed = []
    for each in budgets:
        name = variable_of(each.title)
        titles.setdefault(name, []).append(f"`{each.title}`")
        text = variables.get(name)
        changed.append(each if text is None else _limited(each, name, text, problems))
    problems += [
        f"{name}: {'two' if len(titles[name]) == 2 else len(titles[name])} budgets answer to it,"
        f" {' and '.join(titles[name])}; give one of them another name"
        for name in sorted(variables)
        if len(titles.get(name, ())) > 1
    ]
    if not problems:
        problems += [
            f"{name}: there is no such budget to give a limit to" for name in sorted(variables.keys() - titles)
        ]
    return changed


def _limited(each: ConfiguredBudget, variable: str, text: str, problems: list[str]) -> ConfiguredBudget:
    try:
        limit = parse_limit(text)
    except UserError as error:
        problems.append(f"{variable}: {error.message}")
        return each
    if limit.unit is not each.budget.limit.unit:
        problems.append(f"{variable}: the limit of budget `{each.title}` is in {each.budget.limit.unit}")
        return each
    budget = replace(each.budget, limit=limit)
    return replace(each, budget=budget, sources={**each.sources, "limit": variable})
