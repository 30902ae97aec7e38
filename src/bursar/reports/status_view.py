"""A run's status as text: bars for its budgets, a row for each instance. The words are the same without colour."""

from __future__ import annotations

from bursar.budget import Balance, OnLimit, Unit, format_quantity, title_of
from bursar.journal import TaskState
from bursar.layout import Column, lay_out, shorten
from bursar.reports.run_status import InstanceLine, RunStatus
from bursar.reports.words import Paint, count_of, painter, plain

_GREEN, _YELLOW, _RED, _DIM, _BOLD = "32", "33", "31", "2", "1"
_CELLS = 20
_FEW_CELLS = 10  # where the terminal is narrow
_NARROW = 72
_WIDEST = 24
_WORDS = {
    TaskState.PENDING: "waiting",
    TaskState.RUNNING: "running",
    TaskState.WAITING: "a person",
    TaskState.MERGED: "done",
    TaskState.FAILED: "failed",
    TaskState.STOPPED: "stopped",
    TaskState.SKIPPED: "skipped",
}
_COLOURS = {TaskState.RUNNING: _BOLD, TaskState.MERGED: _GREEN, TaskState.FAILED: _RED, TaskState.STOPPED: _YELLOW}
_COLUMNS = (
    Column("#", is_right=True),
    Column("name", least=8),
    Column("state"),
    Column("model", rank=3, least=12),
    Column("time", is_right=True, rank=2),
    Column("tokens", is_right=True),
    Column("cache", is_right=True, rank=5),
    Column("tools", is_right=True, rank=4),
    Column("budget", rank=1),
)


def render_status(
    status: RunStatus, *, in_colour: bool = False, with_bars: bool = True, width: int | None = None
) -> str:
    """The whole status.

    Args:
        with_bars: budgets are drawn, and not only told in numbers.
        width: of the terminal; what matters least is left out where it does not fit. None for any.
    """
    paint = painter(in_colour)
    cells = _CELLS if width is None or width >= _NARROW else _FEW_CELLS
    lines = [paint(_BOLD, _headline(status))]
    longest = max((len(_title(balance, status.run_id)) for balance in status.budgets), default=0)
    for balance in status.budgets:
        bar = f"{render_bar(used_of(balance), balance.budget.limit.quantity, paint, cells=cells)} " if with_bars else ""
        lines.append(f"  {_title(balance, status.run_id):<{longest}}  {bar}{_figures(balance)}")
    return "\n".join([*lines, *_table(status, paint, width)])


def render_bar(used: int, limit: int, paint: Paint, *, cells: int = _CELLS) -> str:
    """`used` of `limit` as a bar of so many cells: green, yellow over 70 percent, red over 90.

    Source: founding document 003, step 8.
    """
    full = min(cells, cells * used // limit) if limit else cells
    colour = _RED if 100 * used > 90 * limit else _YELLOW if 100 * used > 70 * limit else _GREEN
    return paint(colour, "█" * full) + paint(_DIM, "░" * (cells - full))


def used_of(balance: Balance) -> int:
    """What is spent, and what running agents have used of what is held for them."""
    return balance.spent + balance.metered


def duration_text(seconds: float) -> str:
    """`42s`, `3m 05s`, `1h 02m`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    return f"{whole // 60}m {whole % 60:02}s" if whole < 3600 else f"{whole // 3600}h {whole % 3600 // 60:02}m"


def _headline(status: RunStatus) -> str:
    running, done = status.count(TaskState.RUNNING), status.count(TaskState.MERGED)
    waiting = status.count(TaskState.PENDING, TaskState.WAITING)
    ended = len(status.lines) - running - done - waiting
    parts = [f"{running} running", f"{waiting} waiting", f"{done} done", *([f"{ended} not done"] if ended else [])]
    head = f"status of {plain(status.plan_id)} · run {status.run_id} · {duration_text(status.seconds)}"
    return f"{head} · {count_of(len(status.lines), status.noun)}: {', '.join(parts)}"


def _title(balance: Balance, run_id: str) -> str:
    """What the budget is over: `overall-tokens`, `/analyze`, or a name of the settings."""
    own = f"run-{run_id}"
    if balance.budget.name == own:
        return "overall"
    return plain(title_of(balance.budget.name).removeprefix(f"{own}/").removeprefix("command"))


def _figures(balance: Balance) -> str:
    limit, unit = balance.budget.limit.quantity, balance.budget.limit.unit
    used, held = used_of(balance), balance.reserved - balance.metered
    more = f", {_bare(held, unit)} more held" if held > 0 else ""
    warns = ", only warns" if balance.budget.on_limit is OnLimit.WARN else ""
    return f"{_percent(used, limit):>3} %  {_bare(used, unit)} of {format_quantity(limit, unit)}{more}{warns}"


def _bare(quantity: int, unit: Unit) -> str:
    """The quantity without its unit, which is said once."""
    return format_quantity(quantity, unit).rpartition(" ")[0]


def _percent(used: int, limit: int) -> int:
    return 100 * used // limit if limit else 100


def _table(status: RunStatus, paint: Paint, width: int | None) -> list[str]:
    """Columns as wide as their widest cell; colour comes last, so that it counts for nothing."""
    titles = [status.noun if column.title == "name" else column.title for column in _COLUMNS]
    (head, *texts), _ = lay_out(_COLUMNS, [titles, *map(_cells, status.lines)], width, indent=2)
    return [paint(_DIM, head), *(_painted(line, text, paint) for line, text in zip(status.lines, texts, strict=True))]


def _painted(line: InstanceLine, text: str, paint: Paint) -> str:
    colour = _COLOURS.get(line.row.state)
    return text if colour is None else paint(colour, text)


def _cells(line: InstanceLine) -> list[str]:
    """In the order of the columns."""
    has_begun = line.seconds is not None
    return [
        line.row.number,
        shorten(plain(line.row.name), _WIDEST),
        _WORDS[line.row.state],
        shorten(plain(line.model), _WIDEST),
        duration_text(line.seconds or 0.0) if has_begun else "",
        f"{line.usage.total_tokens:,}" if has_begun else "",
        _cache(line) if has_begun else "",
        "" if line.tools is None else str(line.tools),
        _budget(line),
    ]


def _cache(line: InstanceLine) -> str:
    """The share of what went in that was read from a cache."""
    usage = line.usage
    return f"{100 * usage.cache_read_tokens // usage.total_input_tokens} %" if usage.total_input_tokens else "–"


def _budget(line: InstanceLine) -> str:
    """Its own budget; else what is held for it."""
    if line.budget is not None:
        limit = line.budget.budget.limit
        return f"{_percent(used_of(line.budget), limit.quantity)} % of {_bare(limit.quantity, limit.unit)}"
    return f"holds {line.held_tokens:,}" if line.held_tokens else ""
