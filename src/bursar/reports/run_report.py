"""A run's report as a value: every number is read from the books, none is kept on the side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bursar.budget import Alert, Balance
from bursar.journal import AttemptRow, Journal, RunRow, TaskRow
from bursar.ledger import Ledger, Reservation
from bursar.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLine:
    """One attempt: what it was and what it was charged. Tokens count cache; money is nano-USD, None if unknown."""

    row: AttemptRow
    metered_tokens: int
    unknown_tokens: int
    nano_usd: int | None
    wall_seconds: float


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
        budgets: the run's budgets and how they stand; a task's own budget too.
        most_at_once: the most attempts that ran at the same time: as many calls may have passed a limit.
    """

    run: RunRow
    tasks: Sequence[TaskLine]
    usage_by_model: Mapping[str, Usage]
    budgets: Sequence[Balance]
    alerts: Sequence[Alert]
    most_at_once: int

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
    def overruns(self) -> Sequence[Balance]:
        """Budgets that stand past their limit."""
        return [balance for balance in self.budgets if balance.overrun]


def build_run_report(journal: Journal, ledger: Ledger, run: RunRow) -> RunReport:
    """The report of a run as it stands now."""
    labels = {"run": run.id}
    reservations = {item.key: item for item in ledger.reservations(labels)}
    attempts = journal.attempts(run.id)
    lines: dict[str, list[AttemptLine]] = {}
    for attempt in attempts:
        lines.setdefault(attempt.task, []).append(_attempt_line(attempt, reservations.get(attempt.key)))
    lost = [replace(row, note="no longer in the plan") for row in journal.lost_tasks(run.id) if row.number in lines]
    tasks = [TaskLine(row=row, attempts=lines.get(row.number, [])) for row in (*journal.tasks(run.id), *lost)]
    return RunReport(
        run=run,
        tasks=tasks,
        usage_by_model=ledger.usage(labels),
        budgets=_budgets(ledger, tasks, run),
        alerts=ledger.alerts(labels),
        most_at_once=_most_at_once(attempts),
    )


def _budgets(ledger: Ledger, tasks: Sequence[TaskLine], run: RunRow) -> list[Balance]:
    found = {balance.budget.name: balance for balance in ledger.balances({"run": run.id})}
    for task in tasks:
        if task.attempts:
            balances = ledger.balances({"run": run.id, "task": task.row.number})
            found |= {balance.budget.name: balance for balance in balances}
    return list(found.values())


def _attempt_line(row: AttemptRow, reservation: Reservation | None) -> AttemptLine:
    ended = datetime.fromisoformat(row.ended_at or row.started_at)
    return AttemptLine(
        row=row,
        metered_tokens=0 if reservation is None else reservation.metered.tokens,
        unknown_tokens=0 if reservation is None else reservation.unknown.tokens,
        nano_usd=0 if reservation is None else reservation.metered.nano_usd,
        wall_seconds=(ended - datetime.fromisoformat(row.started_at)).total_seconds(),
    )


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
