"""`bursar budget set|list|show|history|alerts|check`: the limits of this project, and how they stand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bursar.budget import Counting, OnLimit, format_quantity
from bursar.cli import budget_views as views
from bursar.cli.budget_standing import read_alerts, read_history, read_standing
from bursar.cli.json_output import write_json
from bursar.cli.logged import charge_before_looking
from bursar.cli.parsing import Parser, parser
from bursar.config import list_problems, load_settings, project_file, read_budgets, set_budget
from bursar.errors import OK, UserError
from bursar.session import find_project

_ABOUT = """\
set      a budget of this project's bursar.toml: new, or changed; comments stay
list     budgets of this project and how they stand
show     the same with where each value came from
history  the last things that this project used, by whatever command
alerts   thresholds that were reached
check    what is wrong with the settings of budgets"""

_NO_BUDGETS = 'no budgets yet; try: bursar budget set daily "200k tokens" --period daily\n'


def main(arguments: Sequence[str]) -> int:
    """Does what was asked; 2 when the settings have problems, and nothing has changed then."""
    options = _options(arguments)
    action: Callable[[Path, Any], int] = _ACTIONS[options.action]
    return action(Path(find_project()), options)


def _options(arguments: Sequence[str]) -> Any:
    options = parser("budget", "the limits of this project, and how they stand")
    actions = options.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=Parser)
    helps = dict(line.split(None, 1) for line in _ABOUT.splitlines())
    subs = {name: actions.add_parser(name, help=text, allow_abbrev=False) for name, text in helps.items()}
    _add_set_flags(subs["set"])
    subs["show"].add_argument("name", nargs="?", metavar="NAME", help="one budget alone")
    subs["history"].add_argument("-n", dest="count", default="100", metavar="N", help="how many (default 100)")
    subs["history"].add_argument("--all-projects", action="store_true", help="what other projects used, too")
    for name in ("list", "alerts"):
        subs[name].add_argument("--all", action="store_true", help="of every project, and of every run")
    for name in subs:
        subs[name].add_argument("--json", action="store_true", help="JSON on stdout")
    return options.parse_args(arguments)


def _add_set_flags(options: Any) -> None:
    options.add_argument("name", metavar="NAME", help="how it is called: a new one, or one that is changed")
    options.add_argument("limit", metavar="LIMIT", help='"200k tokens", "5 USD"')
    options.add_argument(
        "--match", action="append", metavar="LABEL=VALUE", help="count only what bears this label (repeatable)"
    )
    options.add_argument("--period", help='session, run, daily, weekly, monthly, always, or a length like "5h"')
    options.add_argument("--timezone", metavar="ZONE", help="whose days, weeks or months: Europe/Berlin (default UTC)")
    options.add_argument("--on-limit", choices=[str(each) for each in OnLimit], help="default block")
    options.add_argument("--include-logs", action="store_true", help="count what agents' logs show, too")
    options.add_argument("--counts", choices=[str(each) for each in Counting], help="which tokens (default total)")


def _set(root: Path, options: Any) -> int:
    values: dict[str, Any] = {"name": options.name, "limit": options.limit}
    if options.match is not None:
        values["match"] = dict(_pair(text) for text in options.match)
    for key in ("period", "timezone", "on_limit", "counts"):
        if getattr(options, key) is not None:
            values[key] = getattr(options, key)
    if options.include_logs:
        values["include_logs"] = True
    before = {each.title: each.budget.name for each in read_budgets(root).budgets}
    is_new = set_budget(root, values)
    found = next(each for each in read_budgets(root).budgets if each.title == options.name)
    limit = format_quantity(found.budget.limit.quantity, found.budget.limit.unit)
    if options.json:
        write_json({"is_new": is_new} | views.settings_as_data(found))
    else:
        how = "new" if is_new else "changed"
        sys.stderr.write(f"budget `{options.name}` ({how}): {limit}, {found.budget.period}, {found.budget.on_limit}\n")
    if before.get(found.title, found.budget.name) != found.budget.name:
        sys.stderr.write("warning: what it counts has changed, so it starts from nothing\n")
    if found.sources["limit"] != str(project_file(root)):
        sys.stderr.write(f"warning: {found.sources['limit']} goes before {project_file(root)}\n")
    return OK


def _pair(text: str) -> tuple[str, str]:
    label, sign, value = text.partition("=")
    if not (label and sign and value):
        raise UserError(f"--match takes LABEL=VALUE, not {text!r}", hint="--match phase=08-features")
    return label, value


def _list(root: Path, options: Any) -> int:
    charge_before_looking(root)
    budgets = read_standing(root, everything=options.all)
    if options.json:
        write_json([views.line_as_data(each) for each in budgets])
        return OK
    limits = load_settings(root).windows()
    if not budgets and not limits:
        sys.stderr.write(_NO_BUDGETS)
    sys.stdout.writelines(views.render_lines(budgets))
    if limits:
        from bursar.cli.budget_windows import render_windows

        sys.stdout.write(render_windows(limits))
    return OK


def _show(root: Path, options: Any) -> int:
    charge_before_looking(root)
    budgets = read_standing(root, everything=options.name is not None)
    if options.name is not None:
        budgets = [each for each in budgets if options.name in (each.title, each.balance.budget.name)]
        if not budgets:
            raise UserError(f"there is no budget `{options.name}`", hint="bursar budget list --all")
    if options.json:
        write_json([views.as_data(each) for each in budgets])
        return OK
    if not budgets:
        sys.stderr.write(_NO_BUDGETS)
    sys.stdout.write("\n".join(views.render(each) for each in budgets))
    return OK


def _history(root: Path, options: Any) -> int:
    count = options.count
    if not (count.isascii() and count.isdigit()) or not 1 <= int(count[:10]) <= 1_000_000:
        wrong = f"-n must be a whole number from 1 to 1000000, not {count!r}"
        raise UserError(wrong, hint="bursar budget history -n 100")
    entries = read_history(root, int(count), everything=options.all_projects)
    if options.json:
        write_json([views.entry_as_data(each) for each in entries])
        return OK
    if not entries and not options.all_projects:
        sys.stderr.write("nothing was used in this project yet; --all-projects shows the others\n")
    sys.stdout.writelines(views.render_entry(each) for each in entries)
    return OK


def _alerts(root: Path, options: Any) -> int:
    alerts = read_alerts(root, everything=options.all)
    if options.json:
        write_json([views.alert_as_data(each) for each in alerts])
        return OK
    if not alerts:
        where = "yet" if options.all else "of this project yet; --all shows the others"
        sys.stderr.write(f"no alerts {where}\n")
    sys.stdout.writelines(f"{each.at:%Y-%m-%d %H:%M:%S} {each.level:<8} {each.message}\n" for each in alerts)
    return OK


def _check(root: Path, options: Any) -> int:
    settings = read_budgets(root)
    problems = list(settings.problems)
    try:
        load_settings(root)
    except UserError as error:
        problems += [error.message] if error.message not in problems else []
    if options.json:
        write_json({"budgets": [each.title for each in settings.budgets], "problems": problems})
    if problems:
        raise UserError(list_problems(problems))
    if options.json:
        return OK
    sys.stderr.write(f"{len(settings.budgets)} budget{'' if len(settings.budgets) == 1 else 's'}, no problems\n")
    return OK


_ACTIONS: Mapping[str, Callable[[Path, Any], int]] = {
    "set": _set,
    "list": _list,
    "show": _show,
    "history": _history,
    "alerts": _alerts,
    "check": _check,
}
