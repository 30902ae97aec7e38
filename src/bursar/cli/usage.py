"""`bursar usage daily|weekly|monthly|session|blocks`: what agents have used by their own logs, whoever started them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bursar.cli import usage_views as views
from bursar.cli.parsing import Parser, parser
from bursar.errors import OK, UserError
from bursar.logs import (
    LoggedPrices,
    LogIndex,
    QuarterSum,
    day_of,
    find_blocks,
    find_files,
    find_roots,
    group_by_period,
    group_by_session,
    month_of,
    open_index,
    update_index,
    week_of,
)
from bursar.paths import LOGS_FILE, state_dir

_ABOUT = """\
daily    a line for each day
weekly   a line for each week, which begins on Sunday
monthly  a line for each month
session  a line for each session of an agent, the latest last
blocks   five hours from a first call on, as subscriptions count, and the gaps between"""
_LABELS: Mapping[str, Callable[[datetime], str]] = {"daily": day_of, "weekly": week_of, "monthly": month_of}


def main(arguments: Sequence[str]) -> int:
    """Reads what is new in the logs and prints the report."""
    options = _options(arguments)
    zone = _zone(options.timezone)
    since, until = _limits(options, zone)
    index = open_index(os.path.join(state_dir(), LOGS_FILE))
    try:
        _read_logs(index)
        sums = [each for each in index.sums(since, until) if _is_wanted(each, options)]
    finally:
        index.close()
    sys.stdout.write(_render(options, sums, zone))
    return OK


def _options(arguments: Sequence[str]) -> Any:
    options = parser("usage", "what agents have used by their own logs, whoever started them")
    actions = options.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=Parser)
    for line in _ABOUT.splitlines():
        name, text = line.split(None, 1)
        action = actions.add_parser(name, help=text, allow_abbrev=False)
        action.add_argument("--since", metavar="DAY", help="from this day on: 2026-11-01 or 20261101")
        action.add_argument("--until", metavar="DAY", help="to the end of this day")
        action.add_argument("--project", metavar="TEXT", help="only projects whose path contains this")
        action.add_argument("--model", metavar="TEXT", help="only models whose name contains this")
        action.add_argument("--timezone", metavar="ZONE", help="whose days: Europe/Berlin (default: the machine's)")
        action.add_argument("--breakdown", action="store_true", help="a line for each model, too")
        how = action.add_mutually_exclusive_group()
        how.add_argument("--json", action="store_true", help="JSON on stdout")
        how.add_argument("--csv", action="store_true", help="comma-separated values on stdout")
    return options.parse_args(arguments)


def _read_logs(index: LogIndex) -> None:
    """What is new is in the index; what could not be read is told on stderr."""
    unreadable: dict[str, str] = {}
    roots = find_roots(os.environ)
    result = update_index(index, "claude", find_files(roots, unreadable), LoggedPrices(index))
    if not roots:
        sys.stderr.write("warning: there are no logs of Claude Code here (CLAUDE_CONFIG_DIR, else ~/.claude)\n")
    for path, reason in sorted({**unreadable, **result.unreadable}.items()):
        sys.stderr.write(f"warning: {path}: {reason}; the rest was read\n")


def _is_wanted(each: QuarterSum, options: Any) -> bool:
    return (options.project or "") in each.project and (options.model or "") in each.model


def _render(options: Any, sums: Sequence[QuarterSum], zone: tzinfo) -> str:
    if options.action == "blocks":
        blocks = find_blocks(sums)
        return views.blocks_as_json(blocks) if options.json else views.render_blocks(blocks, zone)
    if options.action == "session":
        rows = group_by_session(sums)
    else:
        rows = group_by_period(sums, _LABELS[options.action], zone)
    if options.json:
        return views.rows_as_json(options.action, rows)
    if options.csv:
        return views.rows_as_csv(options.action, rows)
    return views.render_rows(options.action, rows, by_model=options.breakdown)


def _zone(name: str | None) -> tzinfo:
    """The time zone of that name; None means the machine's own.

    Raises:
        UserError: there is none.
    """
    if name is None:
        return datetime.now(UTC).astimezone().tzinfo or UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UserError(f"there is no time zone `{name}`", hint="--timezone Europe/Berlin") from error


def _limits(options: Any, zone: tzinfo) -> tuple[int | None, int | None]:
    """From when to before when, in ms.

    Raises:
        UserError: one is no day, or they are the wrong way round.
    """
    since = None if options.since is None else _midnight("--since", options.since, zone, 0)
    until = None if options.until is None else _midnight("--until", options.until, zone, 1)
    if since is not None and until is not None and until <= since:
        raise UserError("--until is before --since")
    return since, until


def _midnight(flag: str, text: str, zone: tzinfo, days_later: int) -> int:
    try:
        day = datetime.strptime(text, "%Y-%m-%d" if "-" in text else "%Y%m%d")
        return int((day + timedelta(days=days_later)).replace(tzinfo=zone).timestamp()) * 1000
    except (ValueError, OverflowError) as error:
        raise UserError(f"{flag} takes a day, not {text!r}", hint=f"{flag} 2026-11-01") from error
