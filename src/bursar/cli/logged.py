"""While a run goes on, what agents' logs show is charged to the budgets that include it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bursar.budget import Budget, Lane
from bursar.config import Settings
from bursar.errors import BursarError
from bursar.ledger import Ledger, open_ledger
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
    _charge(tools.stores.ledger, settings, tools, budgets)
    stop = threading.Event()
    thread = threading.Thread(target=_go_on_charging, args=(settings, tools, budgets, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _go_on_charging(settings: Settings, tools: Tools, budgets: Sequence[Budget], stop: threading.Event) -> None:
    """On a connection of its own; what fails is told once, and the run goes on: its own calls are metered."""
    said = ""
    while not stop.wait(_EVERY_SECONDS):
        try:
            ledger = open_ledger(tools.stores.ledger_place, tools.clock)
            try:
                _charge(ledger, settings, tools, budgets)
            finally:
                ledger.close()
        except BursarError as error:
            if error.message != said:
                sys.stderr.write(f"warning: what agents' logs show is not charged: {error.message}\n")
                said = error.message


def _charge(ledger: Ledger, settings: Settings, tools: Tools, budgets: Sequence[Budget]) -> None:
    work = LoggedWork(
        state_dir=tools.state_dir,
        own_sessions=tools.stores.journal.session_ids(),
        lanes={name: Lane(agent.lane) for name, agent in settings.agents.items()},
        environment=tools.environment,
    )
    result = charge_logs(ledger, budgets, work, tools.clock)
    for path, reason in sorted(result.unreadable.items()) if result is not None else ():
        sys.stderr.write(f"warning: {path}: {reason}; what stands there is charged to no budget\n")
