"""Flags of `bursar run` and `bursar resume` about time: when to start, how fast, how long, how often to tell."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from typing import Any

from bursar.cli.parsing import Parser
from bursar.cli.quantities import parse_seconds
from bursar.cli.start_at import parse_start, wait_until
from bursar.clock import Clock, SystemClock
from bursar.errors import UserError
from bursar.run import PlanToRun

_STATUS_SECONDS = 30.0


def add_time_flags(options: Parser) -> None:
    """The flags."""
    options.add_argument("--start-at", metavar="TIME", help='wait until then: 2am, 14:30, "2026-11-22 02:00"')
    options.add_argument("--startup-delay", metavar="SECONDS", help="the least time between two starts of agents")
    options.add_argument("--timeout", metavar="SECONDS", help="the most time for one attempt (default 3600)")
    options.add_argument(
        "--status-report-interval",
        metavar="SECONDS",
        help="how often the status is told, 0 for never (default: 30 for a job list, never for a plan)",
    )
    options.add_argument("--disable-budget-visuals", action="store_true", help="the status without bars")


def start_of(options: Any) -> datetime | None:
    """When to start; None for at once."""
    return None if options.start_at is None else parse_start(options.start_at, SystemClock().now())


def timeout_of(options: Any) -> float | None:
    """The time limit of one attempt; None leaves it to the settings.

    Raises:
        UserError: it is none.
    """
    if options.timeout is None:
        return None
    seconds = parse_seconds("--timeout", options.timeout)
    if not seconds:
        raise UserError("--timeout must be more than 0 seconds")
    return seconds


def startup_delay_of(options: Any) -> float:
    """The least time between two starts."""
    return parse_seconds("--startup-delay", options.startup_delay or "0", most=24 * 3600.0)


def status_seconds(options: Any, opened: PlanToRun) -> float:
    """How often the status is told; 0 for never."""
    if options.status_report_interval is not None:
        return parse_seconds("--status-report-interval", options.status_report_interval)
    return 0.0 if opened.origin.workspace is None else _STATUS_SECONDS


def wait_for_start(moment: datetime | None, clock: Clock) -> None:
    """Returns at the moment; where it is a while off, that is said."""
    if moment is None or moment <= clock.now():
        return
    seconds = int((moment - clock.now()).total_seconds())
    local = f"{moment.astimezone():%Y-%m-%d %H:%M %Z}".strip()
    sys.stderr.write(f"starts at {local}, in {seconds // 3600} h {seconds % 3600 // 60} min; ctrl-C calls it off\n")
    wait_until(moment, clock, time.sleep)
