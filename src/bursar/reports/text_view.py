"""A run's report as text. Colour is the caller's wish; the words are the same without it."""

from __future__ import annotations

from collections.abc import Sequence

from bursar.budget import Balance, format_quantity, name_window, title_of
from bursar.journal import AttemptRow, AttemptState, RunState, TaskState, WindowRecord
from bursar.layout import Column, columns_of, lay_out, shorten
from bursar.money import format_usd
from bursar.reports.run_report import AttemptLine, RunReport, TaskLine
from bursar.reports.words import BOLD, DIM, GREEN, RED, YELLOW, Paint, count_of, painter, plain

_BAR_CELLS = 24
_FEW_CELLS = 10  # where the terminal is narrow
_NARROW = 72
_WIDEST = 48
_COMMIT = 9
_COLUMNS = (Column(""), Column("name", least=10), Column("model", rank=1), Column("tokens", is_right=True))

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


def render_report(report: RunReport, *, in_colour: bool = False, width: int | None = None) -> str:
    """The short report at the end of a run, or of one that is asked for; `width`: of the terminal, None for any."""
    paint = painter(in_colour)
    done = sum(1 for task in report.tasks if task.row.state is TaskState.MERGED)
    state = "waits for a person" if _waits(report) else _STATE_WORDS[report.run.state]
    head = f"{report.run.plan_id} {state} · {done} of {count_of(len(report.tasks), 'task')}"
    lines = [paint(BOLD, head), *_render_tasks(report.tasks, paint, width), ""]
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
    cells = _BAR_CELLS if width is None or width >= _NARROW else _FEW_CELLS
    lines += [_render_budget(balance, paint, cells) for balance in report.budgets]
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


def _render_tasks(tasks: Sequence[TaskLine], paint: Paint, width: int | None) -> list[str]:
    """A line for each task, and for each of its attempts, where it took several."""
    longest = max((len(task.row.number) for task in tasks), default=0)
    for_commits = 2 + _COMMIT if any(task.row.commit for task in tasks) else 0
    digits = 10 if width is None or width >= _NARROW else 0
    cells = [_cells(task, longest, digits, paint) for task in tasks]
    rows, _ = lay_out(_COLUMNS, cells, None if width is None else width - for_commits, indent=2, is_padded=True)
    lines: list[str] = []
    for task, row in zip(tasks, rows, strict=True):
        lines += _with_tail(row, task, width)
        tries = task.attempts if len(task.attempts) > 1 else ()
        lines += [paint(DIM, _render_attempt(each)) for each in tries]
    return lines


def _with_tail(row: str, task: TaskLine, width: int | None) -> list[str]:
    """The row with its commit behind it, or with what is to be said of the task; below it, for want of room."""
    tail = task.row.commit[:_COMMIT] if task.row.commit else plain(task.row.note) or _cut_off(task)
    if not tail or width is None or columns_of(row) + 2 + columns_of(tail) <= width:
        return [f"{row}  {tail}".rstrip()]
    return [row.rstrip()] if task.row.commit else [row.rstrip(), f"{' ' * 9}{tail}"]


def _cells(task: TaskLine, longest: int, digits: int, paint: Paint) -> list[str]:
    """In the order of the columns: mark and number, name, model, tokens."""
    mark, colour = _MARKS[task.row.state]
    lead = f"{paint(colour, mark)} {task.row.number:>{max(3, longest)}}"
    tokens = f"{task.metered_tokens:>{digits},} tokens" if task.attempts else " " * (digits + 7)
    model = task.attempts[-1].row.model if task.attempts else ""
    return [lead, shorten(plain(task.row.name), _WIDEST), f"{model:<8}", tokens]


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


def _render_budget(balance: Balance, paint: Paint, cells: int) -> str:
    limit, unit = balance.budget.limit.quantity, balance.budget.limit.unit
    taken = balance.spent + balance.reserved
    percent = 100 * taken // limit
    full = min(cells, cells * taken // limit)
    colour = RED if 100 * taken > 90 * limit else YELLOW if 100 * taken > 70 * limit else GREEN
    bar = paint(colour, "█" * full) + paint(DIM, "░" * (cells - full))
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
