"""What a value of `bursar.toml` may be, where its type does not say it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bursar.budget import parse_limit
from bursar.config.ledger_place import check_ledger_url
from bursar.config.parallel import check_parallel
from bursar.config.prices import check_prices
from bursar.config.tables import RunTable, Settings
from bursar.config.windows import WINDOW_AGENTS, check_windows
from bursar.errors import UserError
from bursar.notify import check_target


def check_settings(settings: Settings, path: Path) -> None:
    """Each value of one file is one that can be.

    Raises:
        UserError: one is not; `path` is where it stands.
    """
    if settings.ledger.url:
        check_ledger_url(settings.ledger.url, f"{path}: ledger.url")
    _check_run(settings.run, path)
    check_parallel(settings.parallel, f"{path}: parallel.")
    check_prices(settings.price, f"{path}: ")
    check_windows(settings.window, f"{path}: ")
    _check_amounts(settings, path)
    for agent, table in settings.agents.items():
        if agent not in WINDOW_AGENTS:
            known = f"known agents: {', '.join(WINDOW_AGENTS)}"
            raise UserError(f"{path}: agents.{agent}: there is no such agent", hint=known)
        unknown = sorted(set(table.models) - {"small", "medium", "large"})
        if unknown:
            raise UserError(f"{path}: agents.{agent}.models knows small, medium and large, not {', '.join(unknown)}")
        if table.events is not None:
            _check_events(agent, table.events, path)
    _check_machine(settings, path)
    for number, target in enumerate(settings.notify.targets, 1):
        if problem := check_target(target):  # the target itself is not shown: it may hold a credential
            raise UserError(f"{path}: number {number} of notify.targets {problem}")


def _check_amounts(settings: Settings, path: Path) -> None:
    run, routing = settings.run, settings.routing
    amounts = {"run.default_hold": run.default_hold, "routing.value": routing.value}
    if routing.attempt_cap:
        amounts["routing.attempt_cap"] = routing.attempt_cap
    for name, text in amounts.items():
        try:
            parse_limit(text)
        except UserError as error:
            raise UserError(f"{path}: {name}: {error.message}", hint=error.hint) from error


def _check_run(run: RunTable, path: Path) -> None:
    if not 1 <= run.max_parallel <= 64:
        raise UserError(f"{path}: run.max_parallel must be from 1 to 64, not {run.max_parallel}")
    for name, minutes in (("attempt_minutes", run.attempt_minutes), ("verify_minutes", run.verify_minutes)):
        if not 0 < minutes <= 7 * 24 * 60:
            raise UserError(f"{path}: run.{name} must be more than 0 and at most a week, not {minutes}")
    if not 0 <= run.fresh_attempts <= 10:
        raise UserError(f"{path}: run.fresh_attempts must be from 0 to 10, not {run.fresh_attempts}")
    if not 0 <= run.forecast_seconds <= 24 * 60 * 60:
        raise UserError(f"{path}: run.forecast_seconds must be from 0 (never) to a day, not {run.forecast_seconds}")
    if not 0 <= run.wrap_up_calls <= 100:
        raise UserError(f"{path}: run.wrap_up_calls must be from 0 (never) to 100, not {run.wrap_up_calls}")
    run.wrap_up_percent()


def _check_events(agent: str, events: Mapping[str, str | bool], path: Path) -> None:
    from bursar.agents import read_mapping  # only where there is one: all adapters come along

    if agent != "command":
        raise UserError(f"{path}: agents.{agent}.events: only `command` prints what has to be mapped")
    try:
        read_mapping(events)
    except UserError as error:
        raise UserError(f"{path}: {error.message}", hint=error.hint) from error


def _check_machine(settings: Settings, path: Path) -> None:
    """What an attempt may take and see of it."""
    if settings.limits.processes < 0:
        raise UserError(f"{path}: limits.processes must be 0 (none) or more, not {settings.limits.processes}")
    settings.limits.sizes()
    for shown in (*settings.sandbox.readable, *settings.sandbox.writable):
        if not os.path.isabs(os.path.expanduser(shown)):
            raise UserError(f"{path}: paths in [sandbox] are absolute or begin with ~, not {shown!r}")
