"""What the conductor asks when an attempt has failed: may the task go on, what is the next attempt told, and where were
tasks when an earlier conductor left them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bursar.budget import Unit
from bursar.errors import BursarError
from bursar.events import AttemptEnded
from bursar.history import VERDICTS
from bursar.journal import AttemptRow, AttemptState
from bursar.ledger import Denial
from bursar.money import NANO_PER_USD
from bursar.plan import Task
from bursar.routing import MOST_OF_WHAT_REMAINS, PastAttempt, Tier, larger_tier
from bursar.run.context import RunContext
from bursar.run.escalation import build_lesson
from bursar.run.holds import Hold
from bursar.run.launching import cap_name
from bursar.run.refused_merges import RefusedMerges
from bursar.supervision import VERIFY_LOG
from bursar.worktrees import read_diff


def may_go_on(context: RunContext, task: Task, ended: AttemptEnded) -> bool:
    """Whether the attempt failed, or was stopped by nothing but its own cap: another limit stops the next one too."""
    if ended.outcome == "failed":
        return True
    if ended.outcome != "stopped" or context.cap_of(task) is None:
        return False
    balances = context.stores.ledger.balances(context.labels_of(task))
    full = {each.budget.name for each in balances if not each.available}
    return full == {cap_name(context, task)}


def is_about_dollars(denial: Denial) -> bool:
    """Whether all that is missing is dollars: a smaller model asks for fewer of those, not of tokens."""
    return all(each.balance.budget.limit.unit is Unit.USD for each in denial.shortfalls)


def takes_too_much(context: RunContext, task: Task, hold_for: Callable[[Task], Hold]) -> bool:
    """Whether an attempt at the task would hold more than 15 % of the dollars that remain in any of its budgets.

    Source: the design documents, which allow no task more.
    """
    wanted = hold_for(task).amount.nano_usd
    balances = context.stores.ledger.balances(context.labels_of(task))
    dollars = [each.available for each in balances if each.budget.limit.unit is Unit.USD]
    dollars = [left for left in dollars if left]  # a budget that is used up refuses by itself
    return wanted is not None and bool(dollars) and wanted > MOST_OF_WHAT_REMAINS * min(dollars)


def read_lesson(context: RunContext, task: Task, ended: AttemptEnded) -> str:
    """What the next attempt is told of the task's last one; what cannot be read is left out."""
    rows = [row for row in context.stores.journal.attempts(context.run.id) if row.task == task.number]
    return _lesson(context, rows[-1], ended.note, ended.branch) if rows else ""


def restore_lessons(
    context: RunContext, tasks: Mapping[str, Task], rows: Sequence[AttemptRow], refused: RefusedMerges
) -> None:
    """The next attempts at tasks whose last failure an earlier conductor saw are told what they are owed.

    After work that could not be merged that is always so; after another failure where a task may be tried again. Tasks
    that are done are owed nothing.
    """
    failed: dict[str, AttemptRow] = {}
    for row in rows:
        if row.state is AttemptState.SUCCEEDED:
            failed.pop(row.task, None)
        elif row.state is AttemptState.FAILED and context.is_current(row):
            failed[row.task] = row
    for number, row in failed.items():
        lesson = refused.lesson_of(row)
        if not lesson and context.settings.max_attempts > 1:
            lesson = _lesson(context, row, row.note, f"bursar/{row.key}")
        if lesson:
            context.escalation.teach(tasks[number], lesson)


def _lesson(context: RunContext, row: AttemptRow, note: str, branch: str | None) -> str:
    return build_lesson(row.model, note, _read_log(row), _read_changes(context, row, branch))


def learn_from(context: RunContext, task: Task, ended: AttemptEnded) -> None:
    """Routes that are still to be chosen know how the attempt went; one that was interrupted or free tells nothing."""
    verdict = VERDICTS.get(ended.outcome)
    if verdict is not None and ended.nano_usd:
        context.escalation.learn(task, PastAttempt(context.model_of(task), verdict, ended.nano_usd / NANO_PER_USD))


def restore_routes(context: RunContext, tasks: Mapping[str, Task], rows: Sequence[AttemptRow]) -> None:
    """Tasks that have failed in this run go on above the tier that failed last, where they may be tried more than once.

    At the largest tier they stay there. A task that is being worked on stays on its tier.
    """
    for row in rows:
        if row.ended_at is None and context.is_current(row):
            context.escalation.restore(tasks[row.task], _tier_of(context, row))
    if context.settings.max_attempts == 1:
        return
    failed = {row.task: row for row in rows if row.state is AttemptState.FAILED and context.is_current(row)}
    for number, row in failed.items():
        task = tasks[number]
        first = context.escalation.tier_of(task)
        tried = _tier_of(context, row)
        if first is not None and tried is not None:
            context.escalation.restore(task, larger_tier(tried) or tried)


def _tier_of(context: RunContext, row: AttemptRow) -> Tier | None:
    return next((tier for tier in Tier if context.agent.model_for(tier) == row.model), None)


def _read_log(row: AttemptRow) -> str:
    try:
        return (Path(row.directory) / VERIFY_LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _read_changes(context: RunContext, row: AttemptRow, branch: str | None) -> str:
    if branch is None:
        return ""
    try:
        return read_diff(context.repository, row.base_commit, branch)
    except BursarError:
        return ""
