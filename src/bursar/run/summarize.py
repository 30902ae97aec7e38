"""The SUMMARY of a plan that is done, from what the journal and the ledger know."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from bursar.journal import Answer, AttemptRow, AttemptState
from bursar.ledger import Reservation
from bursar.money import format_usd
from bursar.plan import Execution, Part, Summary, SummaryTask, Task, build_summary
from bursar.run.checkpoints import APPROVED, answers_by_task, decision_in_words
from bursar.run.context import RunContext
from bursar.run.overlap import Span, measure_overlap
from bursar.worktrees import files_by_commit

_SHOWN_ANSWER = 60
_MOST_OF_A_DECISION = 500


def summarize(context: RunContext, part: Part | None = None) -> Summary:
    """What was done, by whom and for how much, over every attempt of the run; of one of its plans, if several."""
    attempts = context.stores.journal.attempts(context.run.id)
    reservations = context.stores.ledger.reservations({"run": context.run.id})
    work = context.plan.tasks
    if part is not None:
        work = tuple(task for task in work if context.plan_of(task) is part.plan)
        numbers = {task.number for task in work}
        attempts = [row for row in attempts if row.task in numbers]
        reservations = [each for each in reservations if each.labels["task"] in numbers]
    answers = answers_by_task(context.stores.journal.controls.answers(context.run.id), context.plan)
    tasks = _tasks(context, work, attempts, reservations, answers)
    created = files_by_commit(context.repository, (task.commit for task in tasks if task.commit), only_new=True)
    is_new = {file for files in created.values() for file in files}
    changed = sorted({file for task in tasks for file in task.files})
    began = context.run.started_at if part is None else min((row.started_at for row in attempts), default=context.now())
    started, completed = datetime.fromisoformat(began), context.clock.now()
    return build_summary(
        context.plan if part is None else part.plan,
        tasks=tasks,
        execution=_execution(attempts, reservations),
        started=started,
        completed=completed,
        decisions=tuple(
            f"{context.own_task(task).number}: {decision_in_words(task, answers[task.number].text)}"[
                :_MOST_OF_A_DECISION
            ]
            for task in work
            if task.number in answers and answers[task.number].text != APPROVED
        ),
        files_created=tuple(file for file in changed if file in is_new),
        files_modified=tuple(file for file in changed if file not in is_new),
    )


def _tasks(
    context: RunContext,
    work: Sequence[Task],
    attempts: Sequence[AttemptRow],
    reservations: Sequence[Reservation],
    answers: Mapping[str, Answer],
) -> tuple[SummaryTask, ...]:
    own: dict[str, list[AttemptRow]] = defaultdict(list)
    tokens: Counter[str] = Counter()
    for attempt in attempts:
        own[attempt.task].append(attempt)
    for item in reservations:
        tokens[item.labels["task"]] += item.known.tokens
    commits = (row.commit for row in attempts if row.state is AttemptState.SUCCEEDED and row.commit)
    files = files_by_commit(context.repository, commits)
    return tuple(
        _task(context.own_task(task), own[task.number], tokens[task.number], files, answers.get(task.number))
        for task in work
    )


def _task(
    task: Task,
    own: Sequence[AttemptRow],
    tokens: int,
    files: Mapping[str, tuple[str, ...]],
    answer: Answer | None,
) -> SummaryTask:
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
        verdict=_verdict(task, answer),
    )


def _verdict(task: Task, answer: Answer | None) -> str:
    if task.is_checkpoint:
        return "approved" if answer is None or answer.text == APPROVED else f"decided: {answer.text[:_SHOWN_ANSWER]}"
    return "verified" if task.commands else "done, nothing to run"


def _execution(attempts: Sequence[AttemptRow], reservations: Sequence[Reservation]) -> Execution:
    costs = [item.known.nano_usd for item in reservations]
    cost = None if None in costs else sum(cost for cost in costs if cost is not None)
    overlap = measure_overlap([span for attempt in attempts if (span := _span(attempt)) is not None])
    return Execution(
        parallel_batches=overlap.batches,
        subagent_spawns=len(attempts),
        total_subagent_tokens=sum(item.known.tokens for item in reservations),
        main_context_tokens=0,  # the conductor makes no model calls
        parallelization_efficiency=overlap.efficiency,
        unknown_outcome_tokens=sum(item.unknown.tokens for item in reservations),
        cost_usd=None if cost is None else format_usd(cost, digits=4).removesuffix(" USD"),
    )


def _seconds(attempt: AttemptRow) -> float:
    span = _span(attempt)
    return 0.0 if span is None else span.ended - span.started


def _span(attempt: AttemptRow) -> Span | None:
    """From when to when it ran; None where nobody saw its end."""
    if attempt.ended_at is None:
        return None
    started, ended = (datetime.fromisoformat(moment).timestamp() for moment in (attempt.started_at, attempt.ended_at))
    return Span(started, max(started, ended))
