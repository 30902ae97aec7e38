"""What agents' logs show is charged to budgets that include it: while a run goes on, and before budgets are shown."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bursar.budget import Budget
from bursar.cli.usage_prices import stated_prices
from bursar.clock import Clock, SystemClock
from bursar.config import Settings, find_ledger_place, load_settings, read_budgets
from bursar.errors import BursarError
from bursar.journal import open_journal
from bursar.ledger import Ledger, open_ledger
from bursar.paths import JOURNAL_FILE, state_dir
from bursar.run import LoggedWork, Tools, charge_logs, including_logs

_EVERY_SECONDS = 30.0


@contextmanager
def charging_logs(settings: Settings, tools: Tools, budgets: Sequence[Budget]) -> Iterator[None]:
    """A `with` block: before it, and every half minute in it, logs are charged to the budgets that include them.

    Raises:
        StoreError: before the block: the index of logs or the ledger cannot be used.
    """
    if not including_logs(budgets):
        yield
        return

    def charge(ledger: Ledger) -> None:
        own_sessions = tools.stores.journal.session_ids()
        work = _work(tools.state_dir, own_sessions, settings, tools.environment)
        _charge(ledger, budgets, work, tools.clock)

    charge(tools.stores.ledger)
    stop = threading.Event()
    thread = threading.Thread(target=_go_on_charging, args=(tools, charge, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def charge_before_looking(root: Path) -> None:
    """The project's budgets that include logs are charged with what the logs show; what goes wrong is told.

    One that the ledger does not know yet is made. To change one is not for somebody who only looks.
    """
    budgets = including_logs([each.budget for each in read_budgets(root).budgets])
    if not budgets:
        return
    state = Path(state_dir())
    try:
        journal = open_journal(state / JOURNAL_FILE)
        try:
            work = _work(state, journal.session_ids(), load_settings(root), os.environ)
        finally:
            journal.close()
        ledger = open_ledger(find_ledger_place(), SystemClock())
        try:
            for new in [each for each in budgets if ledger.balance(each.name) is None]:
                ledger.define(new)
            _charge(ledger, budgets, work, SystemClock())
        finally:
            ledger.close()
    except BursarError as error:
        _tell_failure(error)


def _go_on_charging(tools: Tools, charge: Callable[[Ledger], None], stop: threading.Event) -> None:
    """On a connection of its own; what fails is told once, and the run goes on: its own calls are metered."""
    said = ""
    while not stop.wait(_EVERY_SECONDS):
        try:
            ledger = open_ledger(tools.stores.ledger_place, tools.clock)
            try:
                charge(ledger)
            finally:
                ledger.close()
        except BursarError as error:
            if error.message != said:
                _tell_failure(error)
            said = error.message


def _work(state: Path, own_sessions: set[str], settings: Settings, environment: Mapping[str, str]) -> LoggedWork:
    return LoggedWork(
        state_dir=state,
        own_sessions=own_sessions,
        lanes=settings.lanes(),
        environment=environment,
        stated=stated_prices(environment),
    )


def _charge(ledger: Ledger, budgets: Sequence[Budget], work: LoggedWork, clock: Clock) -> None:
    result = charge_logs(ledger, budgets, work, clock)
    for path, reason in sorted(result.unreadable.items()) if result is not None else ():
        sys.stderr.write(f"warning: {path}: {reason}; what stands there is charged to no budget\n")


def _tell_failure(error: BursarError) -> None:
    sys.stderr.write(f"warning: what agents' logs show is not charged: {error.message}\n")
