"""What agents have used by their own logs is charged to the budgets that include it, before anything is admitted.

The books themselves say what of it they have: for each budget, period, machine, agent and model the logs' sum is
compared with what was charged, and the difference is charged under a key that names both figures. So nothing else has
to be remembered, and a crash at any point, or an index that is made anew, charges nothing twice.

Source: docs/decisions/0029-budgets-that-include-logs.md
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bursar.budget import LANE_LABEL, LOGS_LABEL, Budget, Lane, is_selected, period_start
from bursar.clock import Clock
from bursar.database import lock_file, unlock_file
from bursar.ledger import CallRecord, Ledger, Reservation
from bursar.logs import NOTHING_STATED, LogIndex, ReadingResult, StatedPrices, open_index, update_index
from bursar.logs.spent import Spent, spent_between
from bursar.paths import LOGS_FILE
from bursar.run.context import user_name
from bursar.usage import NOTHING

PERIOD_LABEL = "logs_period"
_LOCK_SECONDS = 60.0
_QUARTER_MS = 15 * 60 * 1000
_LAST_SECONDS = 5.0  # so long before a period ends nothing is charged: it might end up in the next one


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedWork:
    """Whose logs are charged.

    Attributes:
        state_dir: where the index is; agents that worked below it were bursar's own.
        own_sessions: sessions of bursar's attempts, wherever they worked.
        lanes: who bills an agent's calls, by agent.
        environment: says where the logs are.
        stated: prices that the user states.
    """

    state_dir: Path
    own_sessions: Collection[str]
    lanes: Mapping[str, Lane]
    environment: Mapping[str, str]
    stated: StatedPrices = NOTHING_STATED


def including_logs(budgets: Sequence[Budget]) -> list[Budget]:
    """Those of the budgets that logs are charged to."""
    return [budget for budget in budgets if LOGS_LABEL in budget.selector]


def charge_logs(ledger: Ledger, budgets: Sequence[Budget], work: LoggedWork, clock: Clock) -> ReadingResult | None:
    """Every budget that includes logs is charged with what they show of its period, and the books do not have yet.

    What could not be read is in the answer; None where no budget includes logs: nothing is read then.

    Raises:
        LedgerBusy: another process did this for a minute.
        StoreError: the index or the ledger cannot be used.
    """
    wanting = including_logs(budgets)
    if not wanting:
        return None
    work.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = lock_file(str(work.state_dir / f"{LOGS_FILE}.charging"), _LOCK_SECONDS)
    try:
        index = open_index(work.state_dir / LOGS_FILE)
        try:
            result = update_index(index, work.environment, stated=work.stated)
            for budget in wanting:
                _charge(ledger, budget, index, work, clock)
        finally:
            index.close()
    finally:
        unlock_file(lock)
    return result


def _charge(ledger: Ledger, budget: Budget, index: LogIndex, work: LoggedWork, clock: Clock) -> None:
    balance, now = ledger.balance(budget.name), clock.now()
    if balance is None:
        return
    start = period_start(budget.period, balance.period_id)
    end = period_start(budget.period, balance.period_id, later=1)
    if not start <= now or (end - now).total_seconds() < _LAST_SECONDS:
        return
    own = {str(os.path.realpath(work.state_dir)), str(work.state_dir)}
    root = budget.selector.get("project")

    def is_wanted(project: str, session: str) -> bool:
        if session in work.own_sessions or any(_is_within(project, folder) for folder in own):
            return False
        return root is None or _is_within(project, root)

    since, until = (int(at.timestamp() * 1000) for at in (start, now))
    for spent in spent_between(index, since, until + _QUARTER_MS, is_wanted):
        _charge_one(ledger, budget, balance.period_id, spent, work)


def _charge_one(ledger: Ledger, budget: Budget, period: str, spent: Spent, work: LoggedWork) -> None:
    labels = {
        **{label: value for label, value in budget.selector.items() if label in ("project", LOGS_LABEL)},
        PERIOD_LABEL: period,
        "agent": spent.agent,
        "model": spent.model,
        "user": user_name(),
        "host": os.uname().nodename,
    }
    lane = work.lanes.get(spent.agent, Lane.UNKNOWN)
    if not is_selected(budget.selector, {**labels, LANE_LABEL: lane.value}):
        return
    before = ledger.usage(labels).get(spent.model, NOTHING)
    new = spent.usage.beyond(before)
    if not new.total_tokens:
        return
    where = "/".join(labels[name] for name in (LOGS_LABEL, PERIOD_LABEL, "host", "user", "agent", "model"))
    key = f"logs/{where}/{before.total_tokens}-{before.total_tokens + new.total_tokens}"
    call = CallRecord(
        call_id=key,
        sequence=1,
        model=spent.model,
        usage=new,
        nano_usd=_cost(spent, ledger.reservations(labels)),
        provenance="reconciled",
    )
    ledger.charge(key, {**labels, LANE_LABEL: lane.value}, call)


def _cost(spent: Spent, charged: Sequence[Reservation]) -> int | None:
    """What is to be charged beyond what was; None where the price of a part is not known."""
    if spent.nano_usd is None:
        return None
    known = (each.charged.nano_usd for each in charged if each.charged is not None)
    return max(0, spent.nano_usd - sum(cost for cost in known if cost is not None))


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
