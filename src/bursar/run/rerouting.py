"""Where a task goes once its attempt has ended, or when there is no money for its model: to a fresh start, to another
model or agent, to a person, or nowhere any more. Each is journaled and told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bursar.budget import Unit
from bursar.events import AttemptEnded, TaskRerouted, TaskWaited
from bursar.history import VERDICTS
from bursar.journal import AttemptRow, AttemptState, TaskState
from bursar.ledger import Denial
from bursar.money import NANO_PER_USD
from bursar.plan import Task
from bursar.routing import MOST_OF_WHAT_REMAINS, PastAttempt, Tier, larger_tier
from bursar.run.attempts import Attempts, Begun
from bursar.run.context import RunContext
from bursar.run.dispatch_events import Ended, Rerouted
from bursar.run.escalation import Escalated
from bursar.run.holds import Hold
from bursar.run.launching import cap_name
from bursar.run.lessons import read_lesson


class Rerouting:
    """For the tasks of one run."""

    def __init__(self, context: RunContext, attempts: Attempts) -> None:
        self._context = context
        self._attempts = attempts

    def begin(self, task: Task) -> Begun | Denial:
        """An attempt has begun, on a smaller tier where dollars are short; or no tier's hold was granted."""
        self._keep_modest(task)
        begun = self._attempts.begin(task)
        while isinstance(begun, Denial) and self._context.settings.downgrades and _is_about_dollars(begun):
            escalated = self._context.escalation.downgrade(task)
            if escalated is None:
                break
            self._reroute(task, escalated)
            begun = self._attempts.begin(task)
        return begun

    def after(
        self, task: Task, row: AttemptRow, ended: AttemptEnded, *, is_stopping: bool, is_asked: bool
    ) -> Ended | Rerouted:
        """What dispatch is told of an attempt that has ended.

        Args:
            is_stopping: the agents were told to stop: the task is not tried again in this run.
            is_asked: somebody has asked the run to pause or to end: then only a fresh start may follow.
        """
        if not is_stopping and self._starts_afresh(task, row, ended):
            return Rerouted(task.number)
        _learn_from(self._context, task, ended)
        if self._attempts.refused.is_refused(row) and self._asks_to_merge(task, row, ended):
            return Ended(task.number, "interrupted")
        may_be_tried = not (is_stopping or is_asked)
        if may_be_tried and (self._goes_on_elsewhere(task, ended) or self._goes_on_later(task, ended)):
            return Rerouted(task.number)
        return Ended(task.number, "interrupted" if self._asks_to_merge(task, row, ended) else ended.outcome)

    def _starts_afresh(self, task: Task, row: AttemptRow, ended: AttemptEnded) -> bool:
        """Whether the task, whose work could not be merged, is on offer again, from what is merged now."""
        if not self._attempts.refused.is_to_be_repeated(task, row, ended):
            return False
        self._reroute(task, Escalated(self._context.model_of(task), "starts afresh from what is merged now"))
        return True

    def _asks_to_merge(self, task: Task, row: AttemptRow, ended: AttemptEnded) -> bool:
        """Whether a person has to merge the task's work; what depends on it waits, too."""
        because = self._attempts.refused.ask_person(task, row, ended)
        if because is not None:
            self._set_task(task, TaskState.WAITING, because)
            self._context.emit(TaskWaited(task=task.number, name=task.title, because=because))
        return because is not None

    def _goes_on_elsewhere(self, task: Task, ended: AttemptEnded) -> bool:
        """Whether the task, whose attempt has failed or has reached its cap, is on offer again, on another route."""
        if not _may_go_on(self._context, task, ended):
            return False
        lesson = "" if self._context.settings.max_attempts == 1 else read_lesson(self._context, task, ended)
        escalation = self._context.escalation
        escalated = escalation.escalate(task, ended.note, lesson, is_priced=bool(ended.nano_usd))
        if escalated is None:
            return False
        self._reroute(task, escalated, after=ended)
        return True

    def _goes_on_later(self, task: Task, ended: AttemptEnded) -> bool:
        """Whether the task, which a limit of its provider's has ended, is on offer again: with another agent, or when
        that is over."""
        if ended.resets_at is None:
            return False
        escalation = self._context.escalation
        if not escalation.can_fail_over(task):
            return self._context.settings.waits
        self._reroute(task, escalation.fail_over(task))
        return True

    def _keep_modest(self, task: Task) -> None:
        """A task that would take too much of what remains begins one tier down, if that takes little enough."""
        context, hold_for = self._context, self._attempts.holds.hold_for
        if not context.settings.downgrades or not _takes_too_much(context, task, hold_for):
            return
        tier = context.escalation.tier_of(task)
        escalated = context.escalation.downgrade(task)
        if escalated is None:
            return
        if _takes_too_much(context, task, hold_for):
            context.escalation.restore(task, tier)
        else:
            self._reroute(task, escalated)

    def _reroute(self, task: Task, escalated: Escalated, *, after: AttemptEnded | None = None) -> None:
        self._set_task(task, TaskState.PENDING, escalated.because)
        because = escalated.because if after is None else escalated.because.removesuffix(f": {after.note}")
        self._context.emit(TaskRerouted(task=task.number, name=task.title, model=escalated.model, because=because))

    def _set_task(self, task: Task, state: TaskState, note: str) -> None:
        self._context.stores.journal.set_task(self._context.run.id, task.number, state, note=note)


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


def _may_go_on(context: RunContext, task: Task, ended: AttemptEnded) -> bool:
    """Whether the attempt failed, or was stopped by nothing but its own cap: another limit stops the next one too."""
    if ended.outcome == "failed":
        return True
    if ended.outcome != "stopped" or context.cap_of(task) is None:
        return False
    balances = context.stores.ledger.balances(context.labels_of(task))
    full = {each.budget.name for each in balances if not each.available}
    return full == {cap_name(context, task)}


def _is_about_dollars(denial: Denial) -> bool:
    """Whether all that is missing is dollars: a smaller model asks for fewer of those, not of tokens."""
    return all(each.balance.budget.limit.unit is Unit.USD for each in denial.shortfalls)


def _takes_too_much(context: RunContext, task: Task, hold_for: Callable[[Task], Hold]) -> bool:
    """Whether an attempt at the task would hold more than 15 % of the dollars that remain in any of its budgets.

    Source: the design documents, which allow no task more.
    """
    wanted = hold_for(task).amount.nano_usd
    balances = context.stores.ledger.balances(context.labels_of(task))
    dollars = [each.available for each in balances if each.budget.limit.unit is Unit.USD]
    dollars = [left for left in dollars if left]  # a budget that is used up refuses by itself
    return wanted is not None and bool(dollars) and wanted > MOST_OF_WHAT_REMAINS * min(dollars)


def _learn_from(context: RunContext, task: Task, ended: AttemptEnded) -> None:
    """Routes that are still to be chosen know how the attempt went; one that was interrupted or free tells nothing."""
    verdict = VERDICTS.get(ended.outcome)
    if verdict is not None and ended.nano_usd:
        context.escalation.learn(task, PastAttempt(context.model_of(task), verdict, ended.nano_usd / NANO_PER_USD))


def _tier_of(context: RunContext, row: AttemptRow) -> Tier | None:
    return next((tier for tier in Tier if context.agent.model_for(tier) == row.model), None)
