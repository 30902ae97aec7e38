"""`bursar usage …`: what agents have used by their own logs, whoever started them.

It is asked again and again, by status lines too: the usual way imports next to nothing.
"""

from __future__ import annotations

import gc
import os
import sys
import time

from bursar.cli.terminal import width_of, write_whole
from bursar.cli.usage_options import parse_options
from bursar.cli.usage_prices import stated_prices
from bursar.cli.usage_zone import zone_of
from bursar.errors import OK, UserError
from bursar.logs import (
    SOURCES,
    LogIndex,
    Wanted,
    Zone,
    day_of,
    find_blocks,
    month_of,
    open_index,
    plan_windows,
    rows_by_day,
    rows_by_session,
    update_index,
    week_of,
)
from bursar.paths import LOGS_FILE, state_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bursar.cli.usage_options import Options
    from bursar.logs import Block

_LABELS: Mapping[str, Callable[[int], str]] = {"daily": day_of, "weekly": week_of, "monthly": month_of}
_AHEAD_MS = 24 * 3_600_000  # clocks differ, and so do what people take for UTC


def main(arguments: Sequence[str]) -> int:
    """Reads what is new in the logs and prints the report."""
    if arguments and arguments[0] == "verify":
        from bursar.cli.usage_verify import main as verify

        return verify(arguments[1:])
    options = parse_options(arguments)
    gc_was_on = gc.isenabled()
    gc.disable()  # nothing here goes in circles
    try:
        return _report(options)
    finally:
        if gc_was_on:
            gc.enable()


def _report(options: Options) -> int:
    zone = zone_of(options.timezone)
    wanted = _wanted(options, zone)
    index = open_index(os.path.join(state_dir(), LOGS_FILE))
    try:
        if options.action == "statusline":
            from bursar.cli.usage_statusline import print_statusline

            return print_statusline(index, os.environ, zone)
        read_logs(index, os.environ)
        text = _render(options, index, wanted, zone)
    finally:
        index.close()
    write_whole(sys.stdout, text) if options.json or options.csv else sys.stdout.write(text)
    return OK


def read_logs(index: LogIndex, environment: Mapping[str, str]) -> None:
    """What is new is in the index; what could not be read, or believed, is told on stderr."""
    result = update_index(index, environment, stated=stated_prices(environment))
    if not result.sources:
        titles = ", ".join(f"{source.title} ({source.variables})" for source in SOURCES)
        sys.stderr.write(f"warning: there are no logs here of {titles}\n")
    for path, reason in sorted(result.unreadable.items()):
        sys.stderr.write(f"warning: {path}: {reason}; the rest was read\n")
    for path, lines in sorted(result.refused.items()):
        what = "line tells" if lines == 1 else "lines tell"
        sys.stderr.write(f"warning: {path}: {lines} {what} of no call that can have been; the rest was read\n")
    ahead = index.calls_after(int(time.time() * 1000) + _AHEAD_MS)
    if ahead:
        what = "1 call is" if ahead == 1 else f"{ahead} calls are"
        sys.stderr.write(f"warning: {what} dated in the future; see `bursar usage session`\n")


def _wanted(options: Options, zone: Zone) -> Wanted:
    """What the options leave of the calls; days begin and end at midnight in `zone`.

    Raises:
        UserError: a limit is no day, or they are the wrong way round.
    """
    since = None if options.since is None else 1000 * zone.midnight(_day("--since", options.since))
    until = None if options.until is None else 1000 * zone.midnight(_day("--until", options.until) + 1)
    if since is not None and until is not None and until <= since:
        raise UserError("--until is before --since")
    return Wanted(since, until, options.project or "", options.model or "", options.agent or "")


def _day(flag: str, text: str) -> int:
    """Days from 1970-01-01 on.

    Raises:
        UserError: it is no day.
    """
    from datetime import date, datetime

    try:
        day = datetime.strptime(text, "%Y-%m-%d" if "-" in text else "%Y%m%d").date()
    except ValueError as error:
        raise UserError(f"{flag} takes a day, not {text!r}", hint=f"{flag} 2026-11-01") from error
    return day.toordinal() - date(1970, 1, 1).toordinal()


def _render(options: Options, index: LogIndex, wanted: Wanted, zone: Zone) -> str:
    if options.action == "windows":
        return _render_windows(options, index, zone)
    if options.action == "blocks":
        return _render_blocks(options, find_blocks(index, wanted), zone)
    if options.action == "session":
        rows = rows_by_session(index, wanted)
    else:
        rows = rows_by_day(index, wanted, zone, _LABELS[options.action])
    if options.last is not None:
        rows = rows[-options.last :]
    if options.json:
        from bursar.cli.usage_json import rows_as_json

        return rows_as_json(options.action, rows)
    from bursar.cli.usage_views import render_rows, rows_as_csv

    if options.csv:
        return rows_as_csv(options.action, rows)
    return render_rows(options.action, rows, options.breakdown, width_of(sys.stdout))


def _render_windows(options: Options, index: LogIndex, zone: Zone) -> str:
    from bursar.cli.usage_windows import render_windows, windows_as_json

    if options.csv:
        raise UserError("windows are no table", hint="bursar usage windows --json")
    now = int(time.time() * 1000)
    agents = [options.agent] if options.agent else [source.name for source in SOURCES]
    windows = plan_windows(index, agents, now)
    return windows_as_json(windows) if options.json else render_windows(windows, now, zone)


def _render_blocks(options: Options, blocks: Sequence[Block], zone: Zone) -> str:
    if options.last is not None:
        used = [block for block in blocks if block.last_at is not None][-options.last :]
        blocks = [block for block in blocks if used and block.starts_at >= used[0].starts_at]
    if options.json:
        from bursar.cli.usage_json import blocks_as_json

        return blocks_as_json(blocks, int(time.time() * 1000))
    from bursar.cli.usage_views import blocks_as_csv, render_blocks

    if options.csv:
        return blocks_as_csv(blocks)
    return render_blocks(blocks, zone, by_model=options.breakdown, width=width_of(sys.stdout))
