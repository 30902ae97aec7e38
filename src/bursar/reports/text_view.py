"""A run's report as text. Colour is the caller's wish; the words are the same without it."""

from __future__ import annotations

from bursar.budget import Balance, format_quantity, name_window, title_of
from bursar.journal import AttemptRow, AttemptState, RunState, TaskState, WindowRecord
from bursar.money import format_usd
from bursar.reports.run_report import AttemptLine, RunReport, TaskLine
from bursar.reports.words import BOLD, DIM, GREEN, RED, YELLOW, Paint, count_of, painter, plain

_BAR_CELLS = 24

_MARKS = {
    TaskState.MERGED: ("✓", GREEN),
    TaskState.FAILED: ("✗", RED),
    TaskState.STOPPED: ("■", YELLOW),
    TaskState.SKIPPED: ("–", DIM),
    TaskState.WAITING: ("?", YELLOW),
    TaskState.RUNNING: ("…", DIM),
    TaskState.PENDING: ("·", DIM),
}

_STATE_WORDS = {
    RunState.RUNNING: "running",
    RunState.SUCCEEDED: "done",
    RunState.FAILED: "not done: a task failed",
    RunState.STOPPED: "stopped by a budget",
    RunState.INTERRUPTED: "interrupted",
    RunState.CANCELLED: "cancelled",
}


def render_report(report: RunReport, *, in_colour: bool = False) -> str:
    """The short report at the end of a run, or of one that is asked for later."""
    paint = painter(in_colour)
    done = sum(1 for task in report.tasks if task.row.state is TaskState.MERGED)
    state = "waits for a person" if _waits(report) else _STATE_WORDS[report.run.state]
    head = f"{report.run.plan_id} {state} · {done} of {count_of(len(report.tasks), 'task')}"
    width = max((len(task.row.name[:48]) for task in report.tasks), default=0)
    lines = [paint(BOLD, head), *(line for task in report.tasks for line in _render_task(task, width, paint)), ""]
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
    lines += [f"{paint(YELLOW, '!')} {plain(said)} ({where})" for said, where in _remarks(report)]
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


def _render_task(task: TaskLine, width: int, paint: Paint) -> list[str]:
    """The task; where it took several attempts, each of them with what it cost."""
    mark, colour = _MARKS[task.row.state]
    name = plain(task.row.name)[:48].ljust(width)
    tokens = f"{task.metered_tokens:>12,} tokens" if task.attempts else " " * 19
    model = task.attempts[-1].row.model if task.attempts else ""
    tail = task.row.commit[:9] if task.row.commit else plain(task.row.note) or _cut_off(task)
    line = f"  {paint(colour, mark)} {task.row.number:>3}  {name}  {model:<8}{tokens}  {tail}".rstrip()
    tries = task.attempts if len(task.attempts) > 1 else ()
    return [line, *(paint(DIM, _render_attempt(each)) for each in tries)]


def _cut_off(task: TaskLine) -> str:
    """What became of work that was begun and is still to be done; empty where nothing was, or nothing more is to be."""
    if not task.attempts or task.row.state is not TaskState.PENDING:
        return ""
    last = task.attempts[-1].row.state
    return str(last) if last in (AttemptState.INTERRUPTED, AttemptState.STOPPED) else ""


def _render_attempt(line: AttemptLine) -> str:
    cost = f"{line.metered_tokens:,} tokens, {format_usd(line.nano_usd, digits=4)}"
    return f"         {line.row.number}: {line.row.model}, {cost}, {line.row.state}"


def _render_difference(attempt: AttemptRow, said: str, paint: Paint) -> str:
    who = f"task {attempt.task}, attempt {attempt.number}"
    return f"{paint(YELLOW, '!')} {who}: its sources differ: {plain(said)}"


def _render_budget(balance: Balance, paint: Paint) -> str:
    limit, unit = balance.budget.limit.quantity, balance.budget.limit.unit
    taken = balance.spent + balance.reserved
    percent = 100 * taken // limit
    cells = min(_BAR_CELLS, _BAR_CELLS * taken // limit)
    colour = RED if percent > 90 else YELLOW if percent > 70 else GREEN
    bar = paint(colour, "█" * cells) + paint(DIM, "░" * (_BAR_CELLS - cells))
    held = f", {format_quantity(balance.reserved, unit)} reserved" if balance.reserved else ""
    return (
        f"budget {title_of(balance.budget.name)}  {bar} {percent:>3} %  {format_quantity(balance.spent, unit)} of"
        f" {format_quantity(limit, unit)} spent{held}{_render_left_out(balance)}"
    )


def _render_left_out(balance: Balance) -> str:
    """What a budget in USD does not count, and why."""
    parts = []
    if balance.exempt:
        parts.append(f"{count_of(balance.exempt, 'operation')} on a subscription: their dollars are not real")
    if balance.unpriced:
        parts.append(f"{count_of(balance.unpriced, 'operation')} of unknown cost")
    return f" (without {' and '.join(parts)})" if parts else ""


def _render_overrun(balance: Balance, paint: Paint) -> str:
    over = format_quantity(balance.overrun, balance.budget.limit.unit)
    return paint(RED, f"budget {title_of(balance.budget.name)} was passed by {over}")


def _render_window(window: WindowRecord, paint: Paint) -> str:
    name, limit = name_window(window.agent or "of any agent", window.minutes), f"{window.limit_percent:g} %"
    if window.percent is None:
        return f"{name}  nothing is known of it; its limit is {limit}"
    used = 100 * window.percent / window.limit_percent
    colour = RED if used > 90 else YELLOW if used > 70 else GREEN
    said = "an estimate"
    if window.is_official:
        said = f"said at {window.said_at.astimezone():%Y-%m-%d %H:%M}" if window.said_at else "said by its provider"
    return f"{name}  {paint(colour, f'{window.percent:.0f} %')} used ({said}), its limit is {limit}"
