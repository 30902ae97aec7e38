"""What is told and remembered of an attempt that has ended, and which budgets a whole run would be charged to."""

from __future__ import annotations

from bursar.budget import NOTHING, Amount, Budget, is_retired, is_selected, title_of
from bursar.estimation import choose_task_type, task_facts
from bursar.events import AttemptEnded
from bursar.history import Observation
from bursar.journal import AttemptRow, AttemptState
from bursar.plan import Task
from bursar.run.context import RunContext
from bursar.run.continuing import used_before
from bursar.run.judgement import Judgement
from bursar.supervision import Outcome


def other_budgets(context: RunContext) -> tuple[str, ...]:
    """Titles of the budgets, beside the run's own, that an attempt of this plan would be charged to."""
    own = f"run-{context.run.id}"
    known = [each.budget for each in context.stores.ledger.budgets()]
    others = [each for each in known if each.name != own and not is_retired(each)]
    if not others:
        return ()
    labels = {task.number: context.labels_of(task) for task in context.plan.tasks}
    alike = {tuple(sorted((each | {"task": ""}).items())): each for each in labels.values()}

    def is_charged(budget: Budget) -> bool:
        number = budget.selector.get("task")
        asked = alike.values() if number is None else [labels[number]] if number in labels else []
        return any(is_selected(budget.selector, each) for each in asked)

    return tuple(sorted(title_of(each.name) for each in others if is_charged(each)))


def observe(
    context: RunContext, task: Task, row: AttemptRow, outcome: Outcome | None, judgement: Judgement
) -> Observation | None:
    """The history knows how the attempt went, if anybody does."""
    if outcome is None:
        return None
    before = used_before(context, context.stores.journal.controls.continues(row.key))  # one piece of work, seen whole
    amount = before.amount + Amount(outcome.metered_tokens, outcome.metered_nano_usd)
    seen = Observation(
        key=row.key,
        at=context.now(),
        project=str(context.project),
        plan_id=context.plan_of(task).id,
        task=context.own_task(task).number,
        subagent=task.subagent,
        complexity=task.complexity,
        agent=context.agent_of(task).name,
        model=row.model,
        outcome=judgement.state,
        tokens=amount.tokens,
        nano_usd=amount.nano_usd,
        calls=before.calls + outcome.calls,
        wall_seconds=before.wall_seconds + outcome.wall_seconds,
        task_type=choose_task_type(task),
        digest=task.digest,
        facts=task_facts(task),
    )
    context.stores.history.record(seen)
    return seen


def build_ended(
    context: RunContext,
    task: Task,
    row: AttemptRow,
    outcome: Outcome | None,
    judgement: Judgement,
    *,
    commit: str | None = None,
    branch: str | None = None,
) -> AttemptEnded:
    """The event that tells of it; its numbers are the ledger's."""
    reservation = context.stores.ledger.reservation(row.key)
    metered, unknown = (NOTHING, NOTHING) if reservation is None else (reservation.known, reservation.unknown)
    return AttemptEnded(
        task=task.number,
        name=task.title,
        outcome=judgement.state,
        note=judgement.reason,
        commit=commit,
        metered_tokens=metered.tokens,
        unknown_tokens=unknown.tokens,
        nano_usd=metered.nano_usd,
        wall_seconds=0.0 if outcome is None else outcome.wall_seconds,
        branch=branch,
        differences=() if outcome is None else tuple(outcome.differences),
        remarks=() if outcome is None else tuple(outcome.remarks),
        resets_at=outcome.resets_at if outcome and judgement.state is AttemptState.INTERRUPTED else None,
    )
