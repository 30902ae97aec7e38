"""A run's report and its events as text. Colour is the caller's wish; the words are the same without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, assert_never

from bursar.budget import Balance, Unit, format_quantity, name_window, title_of
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
from bursar.journal import AttemptRow, AttemptState, RunState, TaskState, WindowRecord
from bursar.money import format_usd
from bursar.reports.run_report import AttemptLine, RunReport, TaskLine

_GREEN, _YELLOW, _RED, _DIM, _BOLD = "32", "33", "31", "2", "1"
_BAR_CELLS = 24

Paint = Callable[[str, str], str]

_MARKS = {
    TaskState.MERGED: ("✓", _GREEN),
    TaskState.FAILED: ("✗", _RED),
    TaskState.STOPPED: ("■", _YELLOW),
    TaskState.SKIPPED: ("–", _DIM),
    TaskState.WAITING: ("?", _YELLOW),
    TaskState.RUNNING: ("…", _DIM),
    TaskState.PENDING: ("·", _DIM),
}
_STATE_WORDS = {
    RunState.RUNNING: "running",
    RunState.SUCCEEDED: "done",
    RunState.FAILED: "not done: a task failed",
    RunState.STOPPED: "stopped by a budget",
    RunState.INTERRUPTED: "interrupted",
    RunState.CANCELLED: "cancelled",
}
_REQUESTS = {
    "pause": "paused by {by}: nothing new starts; {running} may finish",
    "stop": "stopped by {by}: {running} told to end; what was begun is kept",
    "cancel": "cancelled by {by}: {running} told to end, for good",
}


def painter(in_colour: bool) -> Paint:
    """A function that puts text into an ANSI style, or leaves it alone."""
    return (lambda style, text: f"\033[{style}m{text}\033[0m") if in_colour else (lambda _, text: text)


def render_event(event: RunEvent, *, in_colour: bool = False) -> str:
    """One line on what has just happened. Names, notes and messages are others' words: they cannot steer a terminal."""
    event, paint = _printable(event), painter(in_colour)
    match event:
        case RunStarted():
            before = f", {event.done_before} done before" if event.done_before else ""
            budget = _render_limits(event.limit, event.budgets, event.windows) + _render_learned(event)
            head = f"plan {event.plan_id} · run {event.run_id} · {count_of(event.tasks, 'task')}{before}"
            return f"{paint(_BOLD, head)} · at most {event.max_parallel} at once · {budget}"
        case AttemptStarted():
            how = "goes on by itself" if event.adopted else f"holds {event.held_tokens:,} tokens"
            inherits = f" · inherits {event.inherited_bytes:,} bytes" if event.inherited_bytes else ""
            again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
            return f"  {paint(_DIM, '▸')} {event.task}  {event.name}{again} · {event.model} · {how}{inherits}"
        case AttemptEnded():
            return _render_ended(event, paint)
        case TaskSkipped():
            return f"  {paint(_DIM, '–')} {event.task}  {event.name} · skipped: {event.because}"
        case TaskRerouted():
            return f"  {paint(_YELLOW, '↻')} {event.task}  {event.name} · {event.because}{_render_price(event)}"
        case TaskWaited():
            line = f"  {paint(_YELLOW, '?')} {event.task}  {event.name} · not started: {event.because}"
            return "\n".join([line, *(f"      {plain(asked)}" for asked in event.question)])
        case RunWaited():
            local = f"{datetime.fromisoformat(event.until).astimezone():%Y-%m-%d %H:%M %Z}".strip()
            return f"  {paint(_YELLOW, '?')} waits until {local}: {event.because}; ctrl-C calls it off"
        case RequestTaken():
            return f"  {paint(_YELLOW, '■')} {_render_request(event)}"
        case CheckpointPassed():
            return f"  {paint(_GREEN, '✓')} {event.task}  {event.name} · {event.note}"
        case StartWarned():
            return f"  {paint(_YELLOW, '!')} {event.task}  {event.name} · starts all the same: {event.because}"
        case AlertFired():
            return f"  {paint(_RED if event.level == 'critical' else _YELLOW, '!')} {event.level}: {event.message}"
        case ForecastChanged():
            return f"  {paint(_DIM, '≈')} {_render_forecast(event)}"
        case CheckoutForwarded():
            return _render_forwarded(event, paint)
        case SummaryWritten():
            return f"  summary: {event.path}"
        case PhaseStarted():
            held = f" · holds {event.held_tokens:,} tokens of the session" if event.held_tokens else ""
            return paint(_BOLD, f"phase {event.phase}  {event.name}") + f" · {count_of(event.tasks, 'task')}{held}"
        case PhaseEnded():
            return f"{paint(_BOLD, f'phase {event.phase}  {event.name}')} · {_how_far(event)} · {event.tokens:,} tokens"
        case PhaseHeldBack():
            return f"  {paint(_YELLOW, '!')} phase {event.phase}  {event.name} · {event.because}"
        case _:
            assert_never(event)


def _how_far(event: PhaseEnded) -> str:
    return "done" if event.done == event.tasks else f"not done: {event.done} of {count_of(event.tasks, 'task')}"


def render_report(report: RunReport, *, in_colour: bool = False) -> str:
    """The short report at the end of a run, or of one that is asked for later."""
    paint = painter(in_colour)
    done = sum(1 for task in report.tasks if task.row.state is TaskState.MERGED)
    state = "waits for a person" if _waits(report) else _STATE_WORDS[report.run.state]
    head = f"{report.run.plan_id} {state} · {done} of {count_of(len(report.tasks), 'task')}"
    width = max((len(task.row.name[:48]) for task in report.tasks), default=0)
    lines = [paint(_BOLD, head), *(line for task in report.tasks for line in _render_task(task, width, paint)), ""]
    lines.append(
        f"metered {report.metered_tokens:,} tokens ({format_usd(report.nano_usd, digits=4)} at list price) in"
        f" {count_of(sum(len(task.attempts) for task in report.tasks), 'attempt')}"
    )
    if lost := [line for task in report.tasks for line in task.attempts if line.row.state is AttemptState.FAILED]:
        costs = [line.nano_usd for line in lost]
        cost = None if None in costs else sum(filter(None, costs))
        tokens = sum(line.metered_tokens for line in lost)
        lines.append(
            f"of that in {count_of(len(lost), 'failed attempt')}: {tokens:,} tokens, {format_usd(cost, digits=4)}"
        )
    if report.unknown_tokens:
        lines.append(f"charged for unknown outcomes: {report.unknown_tokens:,} tokens, on top of what was metered")
    lines += [_render_difference(*each, paint) for each in _differences(report)]
    lines += [f"{paint(_YELLOW, '!')} {plain(said)} ({where})" for said, where in _remarks(report)]
    lines += [_render_budget(balance, paint) for balance in report.budgets]
    lines += [_render_overrun(balance, paint) for balance in report.overruns]
    if report.budgets and report.most_at_once:
        lines.append(
            "limit: bounded, metered from the agents' own reports; one call in flight per running agent may pass it"
            f" (here at most {count_of(report.most_at_once, 'call')} at a time)"
        )
    if report.unsandboxed:
        lines.append("unsandboxed: agents and verify commands had all of your rights")
    lines += [_render_window(window, paint) for window in report.windows]
    if report.windows:
        lines.append(
            "windows: observed, not enforced; a percentage that is told after the call cannot be held, so what ran may"
            " have passed one"
        )
    return "\n".join(lines)


def _waits(report: RunReport) -> bool:
    """Nothing is in the way but a checkpoint."""
    is_waiting = any(task.row.state is TaskState.WAITING for task in report.tasks)
    return is_waiting and report.run.state is RunState.INTERRUPTED


def _render_forecast(event: ForecastChanged) -> str:
    unit = Unit(event.unit)
    left, to_pay = (format_quantity(quantity, unit) for quantity in (event.left, event.needed_to_pay))
    end = f"{count_of(event.open_tasks, 'task')} still open: with {left} left in {event.budget} this finishes with"
    end = f"{end} probability {event.finishes:.2f}"
    if event.needed is not None:
        return f"{end}; it needs {format_quantity(event.needed, unit)} for 0.9"
    return f"{end}; no budget makes that 0.9, because tasks fail; {to_pay} pays for what is begun"


def _render_learned(event: RunStarted) -> str:
    """Whose routes they are, where what was learned chooses; that may end an attempt where no budget would."""
    if event.learned_from is None:
        return ""
    is_free = not (event.limit or event.budgets or event.windows)
    ends = ", but attempts that are not worth going on with" if is_free else ""
    return f"{ends} · routes learned from {count_of(event.learned_from, 'attempt')}"


def _render_price(event: TaskRerouted) -> str:
    """What the attempt before it has taken; that money is gone."""
    if event.tokens is None:
        return ""
    return f" · it took {event.tokens:,} tokens, {format_usd(event.nano_usd, digits=4)}"


def _render_request(event: RequestTaken) -> str:
    return _REQUESTS[event.kind].format(by=event.by_user, running=count_of(event.running, "attempt"))


def _render_ended(event: AttemptEnded, paint: Paint) -> str:
    mark, colour = ("✓", _GREEN) if event.outcome == "succeeded" else ("✗", _RED)
    if event.outcome in {"stopped", "interrupted"}:
        mark, colour = "■", _YELLOW
    unknown = f" + {event.unknown_tokens:,} for unknown outcomes" if event.unknown_tokens else ""
    cost = f"{event.metered_tokens:,} tokens{unknown} · {format_usd(event.nano_usd, digits=4)}"
    end = f" · {event.commit[:9]}" if event.commit else (f" · {event.outcome}: {event.note}" if event.note else "")
    kept = f" · its work is on branch {event.branch}" if event.branch else ""
    head = f"  {paint(colour, mark)} {event.task}  {event.name} · {cost} · {event.wall_seconds:.1f} s{end}{kept}"
    differing = [f"    {paint(_YELLOW, '!')} its sources differ: {plain(each)}" for each in event.differences]
    assumed = [f"    {paint(_YELLOW, '!')} {plain(each)}" for each in event.remarks]
    return "\n".join([head, *differing, *assumed])


def _differences(report: RunReport) -> list[tuple[AttemptRow, str]]:
    return [(line.row, said) for task in report.tasks for line in task.attempts for said in line.differences]


def _remarks(report: RunReport) -> list[tuple[str, str]]:
    """Each once, and of which attempts it was said."""
    where: dict[str, list[AttemptRow]] = {}
    for task in report.tasks:
        for line in task.attempts:
            for said in line.remarks:
                where.setdefault(said, []).append(line.row)
    return [
        (said, f"task {rows[0].task}, attempt {rows[0].number}" if len(rows) == 1 else count_of(len(rows), "attempt"))
        for said, rows in where.items()
    ]


def _render_difference(attempt: AttemptRow, said: str, paint: Paint) -> str:
    who = f"task {attempt.task}, attempt {attempt.number}"
    return f"{paint(_YELLOW, '!')} {who}: its sources differ: {plain(said)}"


def _render_forwarded(event: CheckoutForwarded, paint: Paint) -> str:
    branch = event.branch or "the detached HEAD"
    if event.obstacle:
        head = paint(_YELLOW, f"  {branch} was not moved: {event.obstacle}")
        return f"{head}\n  the merged work is on branch {event.left_on}: git merge {event.left_on}"
    if not event.commits:
        return f"  {branch}: nothing new"
    return f"  {branch}: {count_of(event.commits, 'new commit')}, now at {event.commit[:9]}"


def _render_task(task: TaskLine, width: int, paint: Paint) -> list[str]:
    """The task; where it took several attempts, each of them with what it cost."""
    mark, colour = _MARKS[task.row.state]
    name = plain(task.row.name)[:48].ljust(width)
    tokens = f"{task.metered_tokens:>12,} tokens" if task.attempts else " " * 19
    model = task.attempts[-1].row.model if task.attempts else ""
    tail = task.row.commit[:9] if task.row.commit else plain(task.row.note)
    line = f"  {paint(colour, mark)} {task.row.number:>3}  {name}  {model:<8}{tokens}  {tail}".rstrip()
    tries = task.attempts if len(task.attempts) > 1 else ()
    return [line, *(paint(_DIM, _render_attempt(each)) for each in tries)]


def _render_attempt(line: AttemptLine) -> str:
    cost = f"{line.metered_tokens:,} tokens, {format_usd(line.nano_usd, digits=4)}"
    return f"         {line.row.number}: {line.row.model}, {cost}, {line.row.state}"


def _render_budget(balance: Balance, paint: Paint) -> str:
    limit, unit = balance.budget.limit.quantity, balance.budget.limit.unit
    taken = balance.spent + balance.reserved
    percent = 100 * taken // limit
    cells = min(_BAR_CELLS, _BAR_CELLS * taken // limit)
    colour = _RED if percent > 90 else _YELLOW if percent > 70 else _GREEN
    bar = paint(colour, "█" * cells) + paint(_DIM, "░" * (_BAR_CELLS - cells))
    held = f", {format_quantity(balance.reserved, unit)} reserved" if balance.reserved else ""
    return (
        f"budget {title_of(balance.budget.name)}  {bar} {percent:>3} %  {format_quantity(balance.spent, unit)} of"
        f" {format_quantity(limit, unit)} spent{held}{_render_left_out(balance)}"
    )


def _render_window(window: WindowRecord, paint: Paint) -> str:
    name, limit = name_window(window.agent or "of any agent", window.minutes), f"{window.limit_percent:g} %"
    if window.percent is None:
        return f"{name}  nothing is known of it; its limit is {limit}"
    used = 100 * window.percent / window.limit_percent
    colour = _RED if used > 90 else _YELLOW if used > 70 else _GREEN
    said = "an estimate"
    if window.is_official:
        said = f"said at {window.said_at.astimezone():%Y-%m-%d %H:%M}" if window.said_at else "said by its provider"
    return f"{name}  {paint(colour, f'{window.percent:.0f} %')} used ({said}), its limit is {limit}"


def _render_left_out(balance: Balance) -> str:
    """What a budget in USD does not count, and why."""
    parts = []
    if balance.exempt:
        parts.append(f"{count_of(balance.exempt, 'operation')} on a subscription: their dollars are not real")
    if balance.unpriced:
        parts.append(f"{count_of(balance.unpriced, 'operation')} of unknown cost")
    return f" (without {' and '.join(parts)})" if parts else ""


def _render_limits(limit: str | None, others: Sequence[str], windows: Sequence[str]) -> str:
    if not limit and not others and not windows:
        return "no budget: nothing will be stopped"
    parts = [f"budget {limit}"] if limit else []
    return ", ".join([*parts, *(f"budget {name}" for name in others), *windows])


def _render_overrun(balance: Balance, paint: Paint) -> str:
    over = format_quantity(balance.overrun, balance.budget.limit.unit)
    return paint(_RED, f"budget {title_of(balance.budget.name)} was passed by {over}")


def _printable(event: RunEvent) -> RunEvent:
    values: dict[str, Any] = {field.name: getattr(event, field.name) for field in fields(event)}
    texts: dict[str, Any] = {name: plain(text) for name, text in values.items() if isinstance(text, str)}
    return replace(event, **texts)


def plain(text: str) -> str:
    """The text on one line, with a mark in place of everything that a terminal would obey or not show."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else " " if sign.isspace() else "�" for sign in text)


def count_of(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
