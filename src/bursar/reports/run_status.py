"""How a run stands at this moment, as a value: every figure is read from the books, but for the count of tool calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bursar.budget import Balance, is_retired
from bursar.journal import AttemptRow, Journal, RunRow, TaskRow, TaskState
from bursar.ledger import Ledger, Reservation, State
from bursar.usage import NOTHING, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceLine:
    """One task, which is one instance of a job list, over all of its attempts in this run.

    Attributes:
        model: of its newest attempt; empty before the first.
        seconds: how long its attempts have worked; None before the first.
        usage: what was metered so far.
        tools: how many tools it has asked for; None where nobody counted.
        budget: its own, where it has one.
        held_tokens: reserved for it now.
    """

    row: TaskRow
    model: str = ""
    seconds: float | None = None
    usage: Usage = NOTHING
    tools: int | None = None
    budget: Balance | None = None
    held_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """A whole run: `seconds` since it began, its shared budgets (its own first), and a line for each task.

    Attributes:
        noun: what a line is about: a task of a plan, an instance of a job list.
    """

    run_id: str
    plan_id: str
    noun: str
    seconds: float
    budgets: Sequence[Balance]
    lines: Sequence[InstanceLine]

    def count(self, *states: TaskState) -> int:
        """How many tasks are in one of these states."""
        return sum(1 for line in self.lines if line.row.state in states)


def build_run_status(
    journal: Journal,
    ledger: Ledger,
    run: RunRow,
    now: datetime,
    *,
    budgets: Sequence[str] = (),
    tools: Mapping[str, int] | None = None,
) -> RunStatus:
    """The status at the instant `now`.

    Args:
        budgets: names of budgets to show though nothing may be charged to them yet.
        tools: tool calls by task, from whoever counted them.
    """
    reservations = {each.key: each for each in ledger.reservations({"run": run.id})}
    attempts: dict[str, list[AttemptRow]] = {}
    for row in journal.attempts(run.id):
        attempts.setdefault(row.task, []).append(row)
    balances = _balances(ledger, run, reservations.values(), budgets)
    own = {each.budget.selector.get("task"): each for each in balances if "task" in each.budget.selector}
    counts = {} if tools is None else tools
    return RunStatus(
        run_id=run.id,
        plan_id=run.plan_id,
        noun="task" if run.workspace is None else "instance",
        seconds=(now - datetime.fromisoformat(run.started_at)).total_seconds(),
        budgets=[each for each in balances if "task" not in each.budget.selector],
        lines=[
            _line(ledger, row, attempts.get(row.number, []), reservations, now, counts.get(row.number), own)
            for row in journal.tasks(run.id)
        ],
    )


def _line(
    ledger: Ledger,
    row: TaskRow,
    attempts: Sequence[AttemptRow],
    reservations: Mapping[str, Reservation],
    now: datetime,
    tools: int | None,
    budgets: Mapping[str | None, Balance],
) -> InstanceLine:
    budget = budgets.get(row.number)
    if not attempts:
        return InstanceLine(row=row, budget=budget)
    found = [reservations[each.key] for each in attempts if each.key in reservations]
    used = ledger.usage({"run": row.run_id, "task": row.number})
    return InstanceLine(
        row=row,
        model=attempts[-1].model,
        seconds=sum(_seconds(each, now) for each in attempts),
        usage=sum(used.values(), start=NOTHING),
        tools=tools,
        budget=budget,
        held_tokens=sum(each.held.tokens for each in found if each.state is State.HELD),
    )


def _seconds(attempt: AttemptRow, now: datetime) -> float:
    ended = now if attempt.ended_at is None else datetime.fromisoformat(attempt.ended_at)
    return max(0.0, (ended - datetime.fromisoformat(attempt.started_at)).total_seconds())


def _balances(ledger: Ledger, run: RunRow, reservations: Iterable[Reservation], more: Sequence[str]) -> list[Balance]:
    """Of the budgets over the run or parts of it, and of those that others are charged to too."""
    names = set(more) | {name for each in reservations for name in each.budgets}
    names |= {balance.budget.name for balance in ledger.balances({"run": run.id}) if "run" in balance.budget.selector}
    of_run = {"run": run.id, "session": ""}  # the sessions that a budget may know are those of scripts
    found = [ledger.balance(name, labels=of_run) for name in names]
    shown = [balance for balance in found if balance is not None and not is_retired(balance.budget)]
    return sorted(shown, key=lambda each: ("run" not in each.budget.selector, each.budget.name))
