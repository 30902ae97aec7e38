"""The SUMMARY of a plan that is done, from what the journal and the ledger know."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from bursar.journal import AttemptRow, AttemptState
from bursar.ledger import Reservation
from bursar.money import format_usd
from bursar.plan import Execution, Summary, SummaryTask, Task, build_summary
from bursar.run.context import RunContext
from bursar.worktrees import files_by_commit


def summarize(context: RunContext) -> Summary:
    """What was done, by whom and for how much, over every attempt of the run."""
    attempts = context.stores.journal.attempts(context.run.id)
    reservations = context.stores.ledger.reservations({"run": context.run.id})
    tasks = _tasks(context, attempts, reservations)
    started, completed = datetime.fromisoformat(context.run.started_at), context.clock.now()
    return build_summary(
        context.plan,
        tasks=tasks,
        execution=_execution(context, tasks, attempts, reservations, (completed - started).total_seconds()),
        started=started,
        completed=completed,
        files_modified=tuple(sorted({file for task in tasks for file in task.files})),
    )


def _tasks(
    context: RunContext, attempts: Sequence[AttemptRow], reservations: Sequence[Reservation]
) -> tuple[SummaryTask, ...]:
    own: dict[str, list[AttemptRow]] = defaultdict(list)
    tokens: Counter[str] = Counter()
    for attempt in attempts:
        own[attempt.task].append(attempt)
    for item in reservations:
        tokens[item.labels["task"]] += item.known.tokens
    commits = (row.commit for row in attempts if row.state is AttemptState.SUCCEEDED and row.commit)
    files = files_by_commit(context.repository, commits)
    return tuple(_task(task, own[task.number], tokens[task.number], files) for task in context.plan.tasks)


def _task(task: Task, own: Sequence[AttemptRow], tokens: int, files: Mapping[str, tuple[str, ...]]) -> SummaryTask:
    merged = next((attempt for attempt in own if attempt.state is AttemptState.SUCCEEDED), None)
    commit = merged.commit if merged else None
    return SummaryTask(
        number=task.number,
        name=task.name or task.type,
        commit=commit,
        files=files[commit] if commit else (),
        model=merged.model if merged else None,
        tokens=tokens if own else None,
        seconds=sum(map(_seconds, own)) if own else None,
        verdict=_verdict(task),
    )


def _verdict(task: Task) -> str:
    if task.is_checkpoint:
        return "approved"
    return "verified" if task.commands else "done, nothing to run"


def _execution(
    context: RunContext,
    tasks: Sequence[SummaryTask],
    attempts: Sequence[AttemptRow],
    reservations: Sequence[Reservation],
    elapsed_seconds: float,
) -> Execution:
    costs = [item.known.nano_usd for item in reservations]
    cost = None if None in costs else sum(cost for cost in costs if cost is not None)
    worked = sum(task.seconds or 0.0 for task in tasks)
    return Execution(
        parallel_batches=sum(1 for wave in context.graph.waves() if len(wave) > 1),
        subagent_spawns=len(attempts),
        total_subagent_tokens=sum(item.known.tokens for item in reservations),
        main_context_tokens=0,  # the conductor makes no model calls
        parallelization_efficiency=round(worked / elapsed_seconds, 2) if elapsed_seconds > 0 else None,
        unknown_outcome_tokens=sum(item.unknown.tokens for item in reservations),
        cost_usd=None if cost is None else format_usd(cost, digits=4).removesuffix(" USD"),
    )


def _seconds(attempt: AttemptRow) -> float:
    if attempt.ended_at is None:
        return 0.0
    return (datetime.fromisoformat(attempt.ended_at) - datetime.fromisoformat(attempt.started_at)).total_seconds()
