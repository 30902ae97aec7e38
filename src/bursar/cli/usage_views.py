"""What `bursar usage` prints for people, and as CSV."""

from __future__ import annotations

from bursar.cli.usage_json import KEYS, dearest_first, unpriced_models, utc_text
from bursar.cli.usage_zone import local_text
from bursar.layout import Column, lay_out, say_left_out
from bursar.logs import Block, Totals, UsageRow, Zone, add_up
from bursar.money import NANO_PER_USD, format_usd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_COUNTED = (
    Column("input", is_right=True, rank=3),
    Column("output", is_right=True, rank=2),
    Column("cache write", is_right=True, rank=5),
    Column("cache read", is_right=True, rank=4),
    Column("total", is_right=True),
    Column("cost", is_right=True),
)
_HEAD = tuple(column.title for column in _COUNTED)
_LEAST_LABEL = 10  # a day fits
_COLUMNS = ("calls", "inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens", "totalTokens", "cost")


def rows_as_csv(action: str, rows: Sequence[UsageRow]) -> str:
    """A line for each row and model."""
    lines = [
        (row.label, row.project, model, *_numbers(totals), row.source)
        for row in rows
        for model, totals in row.models.items()
    ]
    return _csv((KEYS[action], "project", "model", *_COLUMNS, "agent"), lines)


def blocks_as_csv(blocks: Sequence[Block]) -> str:
    """A line for each block and model; gaps are left out."""
    lines = [
        (utc_text(block.starts_at), utc_text(block.ends_at), model, *_numbers(totals))
        for block in blocks
        for model, totals in block.models.items()
    ]
    return _csv(("startTime", "endTime", "model", *_COLUMNS), lines)


def render_rows(action: str, rows: Sequence[UsageRow], by_model: bool, width: int | None = None) -> str:
    """A table, with a line for the whole at its end; `width`: of the terminal, None for any."""
    if not rows:
        return "nothing was used\n"
    lines: list[tuple[str, ...]] = [(KEYS[action].removesuffix("Id"), *_HEAD)]
    for row in rows:
        lines.append((row.label, *_cells(row.totals)))
        lines += _model_lines(row) if by_model else []
    lines.append(("total", *_cells(add_up(row.totals for row in rows))))
    models = unpriced_models(rows)
    unpriced = f"\nwithout a known price, and not in the cost: {', '.join(map(one_line, models))}\n" if models else ""
    return _table(lines, width) + unpriced


def render_blocks(blocks: Sequence[Block], zone: Zone, *, by_model: bool, width: int | None = None) -> str:
    """A table; gaps are left out; `width`: of the terminal, None for any."""
    used = [block for block in blocks if block.last_at is not None]
    if not used:
        return "nothing was used\n"
    lines: list[tuple[str, ...]] = [("block", *_HEAD)]
    for block in used:
        lines.append((local_text(block.starts_at, zone), *_cells(block.totals)))
        lines += _model_lines(block) if by_model else []
    return _table(lines, width)


def _model_lines(row: UsageRow | Block) -> list[tuple[str, ...]]:
    return [(f"  {model}", *_cells(totals)) for model, totals in dearest_first(row.models)]


def _table(lines: Sequence[tuple[str, ...]], width: int | None) -> str:
    columns = (Column(lines[0][0], least=_LEAST_LABEL), *_COUNTED)
    laid_out, left_out = lay_out(columns, [(one_line(first), *rest) for first, *rest in lines], width)
    return "".join(f"{line}\n" for line in laid_out) + say_left_out(left_out)


def one_line(name: str) -> str:
    """A name out of a log, in which nothing begins a line that would look like one of ours."""
    return name if name.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in name)


def _csv(head: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    import csv  # not for tables: it imports more than they take
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(lines)
    return out.getvalue()


def _cells(totals: Totals) -> tuple[str, ...]:
    cost = "unknown" if totals.calls and totals.unpriced == totals.calls else format_usd(totals.nano_usd)
    return (*(f"{count:,}" for count in (*_counters(totals), totals.total_tokens)), cost)


def _numbers(totals: Totals) -> tuple[object, ...]:
    cost = "" if totals.unpriced else _usd(totals.nano_usd)
    return (totals.calls, *_counters(totals), totals.total_tokens, cost)


def _counters(totals: Totals) -> tuple[int, int, int, int]:
    return totals.input_tokens, totals.output_tokens, totals.cache_write_tokens, totals.cache_read_tokens


def _usd(nano_usd: int) -> str:
    return f"{nano_usd // NANO_PER_USD}.{nano_usd % NANO_PER_USD:09}".rstrip("0").rstrip(".")
