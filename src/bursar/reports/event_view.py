"""Events of a run as lines of text. Colour is the caller's wish; the words are the same without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, assert_never

from bursar.budget import Unit, format_quantity
from bursar.events import (
    AlertFired,
    AttemptEnded,
    AttemptStarted,
    CheckoutForwarded,
    CheckpointPassed,
    ForecastChanged,
    PhaseEnded,
    PhaseHeldBack,
    PhaseStarted,
    RequestTaken,
    RunEvent,
    RunStarted,
    RunWaited,
    StartWarned,
    SummaryWritten,
    TaskRerouted,
    TaskSkipped,
    TaskWaited,
)
from bursar.money import format_usd
from bursar.reports.words import BOLD, DIM, GREEN, RED, YELLOW, Paint, count_of, painter, plain

_REQUESTS = {
    "pause": "paused by {by}: nothing new starts; {running} may finish",
    "stop": "stopped by {by}: {running} told to end; what was begun is kept",
    "cancel": "cancelled by {by}: {running} told to end, for good",
}


def render_event(event: RunEvent, *, in_colour: bool = False) -> str:
    """One line on what has just happened. Names, notes and messages are others' words: they cannot steer a terminal."""
    event, paint = _printable(event), painter(in_colour)
    match event:
        case RunStarted():
            before = f", {event.done_before} done before" if event.done_before else ""
            budget = _render_limits(event.limit, event.budgets, event.windows) + _render_learned(event)
            head = f"plan {event.plan_id} · run {event.run_id} · {count_of(event.tasks, 'task')}{before}"
            return f"{paint(BOLD, head)} · at most {event.max_parallel} at once · {budget}"
        case AttemptStarted():
            how = "goes on by itself" if event.adopted else f"holds {event.held_tokens:,} tokens"
            inherits = f" · inherits {event.inherited_bytes:,} bytes" if event.inherited_bytes else ""
            again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
            return f"  {paint(DIM, '▸')} {event.task}  {event.name}{again} · {event.model} · {how}{inherits}"
        case AttemptEnded():
            return _render_ended(event, paint)
        case TaskSkipped():
            return f"  {paint(DIM, '–')} {event.task}  {event.name} · skipped: {event.because}"
        case TaskRerouted():
            return f"  {paint(YELLOW, '↻')} {event.task}  {event.name} · {event.because}"
        case TaskWaited():
            line = f"  {paint(YELLOW, '?')} {event.task}  {event.name} · not started: {event.because}"
            return "\n".join([line, *(f"      {plain(asked)}" for asked in event.question)])
        case RunWaited():
            local = f"{datetime.fromisoformat(event.until).astimezone():%Y-%m-%d %H:%M %Z}".strip()
            return f"  {paint(YELLOW, '?')} waits until {local}: {event.because}; ctrl-C calls it off"
        case RequestTaken():
            return f"  {paint(YELLOW, '■')} {_render_request(event)}"
        case CheckpointPassed():
            return f"  {paint(GREEN, '✓')} {event.task}  {event.name} · {event.note}"
        case StartWarned():
            return f"  {paint(YELLOW, '!')} {event.task}  {event.name} · starts all the same: {event.because}"
        case AlertFired():
            return f"  {paint(RED if event.level == 'critical' else YELLOW, '!')} {event.level}: {event.message}"
        case ForecastChanged():
            return f"  {paint(DIM, '≈')} {_render_forecast(event)}"
        case CheckoutForwarded():
            return _render_forwarded(event, paint)
        case SummaryWritten():
            return f"  summary: {event.path}"
        case PhaseStarted():
            held = f" · holds {event.held_tokens:,} tokens of the session" if event.held_tokens else ""
            return paint(BOLD, f"phase {event.phase}  {event.name}") + f" · {count_of(event.tasks, 'task')}{held}"
        case PhaseEnded():
            return f"{paint(BOLD, f'phase {event.phase}  {event.name}')} · {_how_far(event)} · {event.tokens:,} tokens"
        case PhaseHeldBack():
            return f"  {paint(YELLOW, '!')} phase {event.phase}  {event.name} · {event.because}"
        case _:
            assert_never(event)


def _render_limits(limit: str | None, others: Sequence[str], windows: Sequence[str]) -> str:
    if not limit and not others and not windows:
        return "no budget: nothing will be stopped"
    parts = [f"budget {limit}"] if limit else []
    return ", ".join([*parts, *(f"budget {name}" for name in others), *windows])


def _render_learned(event: RunStarted) -> str:
    """Whose routes they are, where what was learned chooses; that may end an attempt where no budget would."""
    if event.learned_from is None:
        return ""
    is_free = not (event.limit or event.budgets or event.windows)
    ends = ", but attempts that are not worth going on with" if is_free else ""
    return f"{ends} · routes learned from {count_of(event.learned_from, 'attempt')}"


def _render_ended(event: AttemptEnded, paint: Paint) -> str:
    mark, colour = ("✓", GREEN) if event.outcome == "succeeded" else ("✗", RED)
    if event.outcome in {"stopped", "interrupted"}:
        mark, colour = "■", YELLOW
    unknown = f" + {event.unknown_tokens:,} for unknown outcomes" if event.unknown_tokens else ""
    cost = f"{event.metered_tokens:,} tokens{unknown} · {format_usd(event.nano_usd, digits=4)}"
    end = f" · {event.commit[:9]}" if event.commit else (f" · {event.outcome}: {event.note}" if event.note else "")
    kept = f" · its work is on branch {event.branch}" if event.branch else ""
    head = f"  {paint(colour, mark)} {event.task}  {event.name} · {cost} · {event.wall_seconds:.1f} s{end}{kept}"
    differing = [f"    {paint(YELLOW, '!')} its sources differ: {plain(each)}" for each in event.differences]
    assumed = [f"    {paint(YELLOW, '!')} {plain(each)}" for each in event.remarks]
    return "\n".join([head, *differing, *assumed])


def _render_request(event: RequestTaken) -> str:
    words = _REQUESTS[event.kind].format(by=event.by_user, running=count_of(event.running, "attempt"))
    if not (event.grace_seconds and event.running):
        return words
    return f"{words}; whoever can be told to wrap up has {event.grace_seconds:g} s for that"


def _render_forecast(event: ForecastChanged) -> str:
    unit = Unit(event.unit)
    left, to_pay = (format_quantity(quantity, unit) for quantity in (event.left, event.needed_to_pay))
    end = f"{count_of(event.open_tasks, 'task')} still open: with {left} left in {event.budget} this finishes with"
    end = f"{end} probability {event.finishes:.2f}"
    if event.needed is not None:
        return f"{end}; it needs {format_quantity(event.needed, unit)} for 0.9"
    return f"{end}; no budget makes that 0.9, because tasks fail; {to_pay} pays for what is begun"


def _render_forwarded(event: CheckoutForwarded, paint: Paint) -> str:
    branch = event.branch or "the detached HEAD"
    if event.obstacle:
        head = paint(YELLOW, f"  {branch} was not moved: {event.obstacle}")
        return f"{head}\n  the merged work is on branch {event.left_on}: git merge {event.left_on}"
    if not event.commits:
        return f"  {branch}: nothing new"
    return f"  {branch}: {count_of(event.commits, 'new commit')}, now at {event.commit[:9]}"


def _how_far(event: PhaseEnded) -> str:
    return "done" if event.done == event.tasks else f"not done: {event.done} of {count_of(event.tasks, 'task')}"


def _printable(event: RunEvent) -> RunEvent:
    values: dict[str, Any] = {field.name: getattr(event, field.name) for field in fields(event)}
    texts: dict[str, Any] = {name: plain(text) for name, text in values.items() if isinstance(text, str)}
    return replace(event, **texts)
