"""A run's report as a value: every number is read from the books, none is kept on the side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import msgspec

from bursar.budget import Alert, Balance, is_retired
from bursar.errors import UserError
from bursar.journal import AttemptRow, Journal, RunRow, TaskRow, WindowRecord
from bursar.ledger import Ledger, Reservation
from bursar.supervision import Outcome, read_outcome
from bursar.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLine:
    """One attempt: what it was and what it was charged. Tokens count cache; money is nano-USD, None if unknown.

    Attributes:
        differences: what sources of its usage say that is more than 1 % apart.
        remarks: what else a person should know of its figures.
        tokens_by_provenance: how its tokens were found out: `streamed`, `reconciled`, `estimated`; empty where its
            outcome is not there any more.
        was_sandboxed: None where nobody knows any more.
    """

    row: AttemptRow
    metered_tokens: int
    unknown_tokens: int
    nano_usd: int | None
    wall_seconds: float
    differences: Sequence[str] = ()
    remarks: Sequence[str] = ()
    tokens_by_provenance: Mapping[str, int] = field(default_factory=dict)
    was_sandboxed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLine:
    """One task with all its attempts."""

    row: TaskRow
    attempts: Sequence[AttemptLine]

    @property
    def metered_tokens(self) -> int:
        """Over all attempts, cache included."""
        return sum(attempt.metered_tokens for attempt in self.attempts)

    @property
    def unknown_tokens(self) -> int:
        """Charged over all attempts for calls whose outcome nobody knows."""
        return sum(attempt.unknown_tokens for attempt in self.attempts)

    @property
    def nano_usd(self) -> int | None:
        """Cost of what was metered; None when a price is unknown."""
        return _sum([attempt.nano_usd for attempt in self.attempts])


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """A whole run.

    Attributes:
        usage_by_model: what was metered, by the model that answered.
        budgets: every budget that the run was charged to, and how it stands: its own, its tasks', those of settings.
        alerts: those that fired on them while the run was on.
        most_at_once: the most attempts that ran at the same time: as many calls may have passed a limit.
        windows: limits on windows of subscriptions, and how those stood when the run looked last.
    """

    run: RunRow
    tasks: Sequence[TaskLine]
    usage_by_model: Mapping[str, Usage]
    budgets: Sequence[Balance]
    alerts: Sequence[Alert]
    most_at_once: int
    windows: Sequence[WindowRecord] = ()

    @property
    def metered_tokens(self) -> int:
        """Everything that was metered, cache included."""
        return sum(task.metered_tokens for task in self.tasks)

    @property
    def unknown_tokens(self) -> int:
        """Everything that was charged for unknown outcomes; not part of what was metered."""
        return sum(task.unknown_tokens for task in self.tasks)

    @property
    def nano_usd(self) -> int | None:
        """Cost of everything metered; None when a price is unknown."""
        return _sum([task.nano_usd for task in self.tasks])

    @property
    def unsandboxed(self) -> int:
        """Attempts that are known to have run with all of the user's rights."""
        return sum(line.was_sandboxed is False for task in self.tasks for line in task.attempts)

    @property
    def overruns(self) -> Sequence[Balance]:
        """Budgets that stand past their limit."""
        return [balance for balance in self.budgets if balance.overrun]


def build_run_report(journal: Journal, ledger: Ledger, run: RunRow, windows: Sequence[WindowRecord] = ()) -> RunReport:
    """The report of a run as it stands now.

    Raises:
        UserError: the ledger is not the one that the run's money is in.
    """
    labels = {"run": run.id}
    reservations = {item.key: item for item in ledger.reservations(labels)}
    attempts = journal.attempts(run.id)
    if missing := [attempt.key for attempt in attempts if attempt.key not in reservations]:
        raise UserError(
            f"the ledger knows nothing of attempt {missing[0]}: run {run.id} is in another ledger",
            hint="name that one in BURSAR_LEDGER_URL or your own settings",
        )
    lines: dict[str, list[AttemptLine]] = {}
    for attempt in attempts:
        lines.setdefault(attempt.task, []).append(_attempt_line(attempt, reservations[attempt.key]))
    lost = [replace(row, note="no longer in the plan") for row in journal.lost_tasks(run.id) if row.number in lines]
    tasks = [TaskLine(row=row, attempts=lines.get(row.number, [])) for row in (*journal.tasks(run.id), *lost)]
    budgets = _budgets(ledger, reservations.values(), run)
    return RunReport(
        run=run,
        tasks=tasks,
        usage_by_model=ledger.usage(labels),
        budgets=budgets,
        alerts=_alerts(ledger, budgets, run),
        most_at_once=_most_at_once(attempts),
        windows=windows,
    )


def _budgets(ledger: Ledger, reservations: Iterable[Reservation], run: RunRow) -> list[Balance]:
    """The run's own budget first, then its parts', then those that others are charged to too."""
    names = {name for each in reservations for name in (*each.budgets, *each.exempt)}
    names |= {balance.budget.name for balance in ledger.balances({"run": run.id}) if "run" in balance.budget.selector}
    of_run = {"run": run.id, "session": ""}  # the sessions that a budget may know are those of scripts
    found = [ledger.balance(name, labels=of_run) for name in names]
    shown = [balance for balance in found if balance is not None and not is_retired(balance.budget)]
    return sorted(shown, key=lambda each: ("run" not in each.budget.selector, each.budget.name))


def _alerts(ledger: Ledger, budgets: Sequence[Balance], run: RunRow) -> list[Alert]:
    """What fired on those budgets while the run was on; on its own ones, whenever that was."""
    own = {balance.budget.name: "run" in balance.budget.selector for balance in budgets}

    def is_in_time(at: datetime) -> bool:
        instant = at.isoformat(timespec="milliseconds")
        return run.started_at <= instant <= (run.ended_at or instant)

    return [alert for alert in ledger.alerts() if alert.budget in own and (own[alert.budget] or is_in_time(alert.at))]


def _attempt_line(row: AttemptRow, reservation: Reservation) -> AttemptLine:
    outcome = _outcome(row)
    ended = datetime.fromisoformat(row.ended_at or row.started_at)
    return AttemptLine(
        row=row,
        metered_tokens=reservation.known.tokens,
        unknown_tokens=reservation.unknown.tokens,
        nano_usd=reservation.known.nano_usd,
        wall_seconds=(ended - datetime.fromisoformat(row.started_at)).total_seconds(),
        differences=() if outcome is None else outcome.differences,
        remarks=() if outcome is None else outcome.remarks,
        tokens_by_provenance={} if outcome is None else outcome.tokens_by_provenance,
        was_sandboxed=None if outcome is None else outcome.was_sandboxed,
    )


def _outcome(row: AttemptRow) -> Outcome | None:
    """What its supervisor left; None where that cannot be read: the figures are in the books."""
    try:
        return read_outcome(Path(row.directory))
    except (OSError, ValueError, msgspec.MsgspecError):
        return None


def _most_at_once(attempts: Sequence[AttemptRow]) -> int:
    """At one instant ends come before starts, but an attempt that was over within it has run all the same."""
    starts = [(row.started_at, 1, 1) for row in attempts]
    ends = [(row.ended_at, 2 if row.ended_at == row.started_at else 0, -1) for row in attempts if row.ended_at]
    running = most = 0
    for _, _, change in sorted(starts + ends):
        running += change
        most = max(most, running)
    return most


def _sum(costs: Sequence[int | None]) -> int | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
