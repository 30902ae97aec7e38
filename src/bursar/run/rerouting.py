"""Where a task goes once its attempt has ended, or when there is no money for its model: to a fresh start, to another
model or agent, to a person, or nowhere any more. Each is journaled and told.
"""

from __future__ import annotations

from bursar.events import AttemptEnded, TaskRerouted, TaskWaited
from bursar.journal import AttemptRow, TaskState
from bursar.ledger import Denial
from bursar.plan import Task
from bursar.run.attempts import Attempts, Begun
from bursar.run.context import RunContext
from bursar.run.dispatch_events import Ended, Rerouted
from bursar.run.escalation import Escalated
from bursar.run.retrying import is_about_dollars, learn_from, may_go_on, read_lesson, takes_too_much


class Rerouting:
    """For the tasks of one run."""

    def __init__(self, context: RunContext, attempts: Attempts) -> None:
        self._context = context
        self._attempts = attempts

    def begin(self, task: Task) -> Begun | Denial:
        """An attempt has begun, on a smaller tier where dollars are short; or no tier's hold was granted."""
        self._keep_modest(task)
        begun = self._attempts.begin(task)
        while isinstance(begun, Denial) and self._context.settings.downgrades and is_about_dollars(begun):
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
        learn_from(self._context, task, ended)
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
        if not may_go_on(self._context, task, ended):
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
        if not context.settings.downgrades or not takes_too_much(context, task, hold_for):
            return
        tier = context.escalation.tier_of(task)
        escalated = context.escalation.downgrade(task)
        if escalated is None:
            return
        if takes_too_much(context, task, hold_for):
            context.escalation.restore(task, tier)
        else:
            self._reroute(task, escalated)

    def _reroute(self, task: Task, escalated: Escalated, *, after: AttemptEnded | None = None) -> None:
        self._set_task(task, TaskState.PENDING, escalated.because)
        because = escalated.because if after is None else escalated.because.removesuffix(f": {after.note}")
        self._context.emit(TaskRerouted(task=task.number, name=task.title, model=escalated.model, because=because))

    def _set_task(self, task: Task, state: TaskState, note: str) -> None:
        self._context.stores.journal.set_task(self._context.run.id, task.number, state, note=note)
