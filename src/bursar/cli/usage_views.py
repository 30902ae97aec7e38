"""What `bursar usage` prints: tables for people, JSON with the keys that scripts for ccusage expect, CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from bursar.logs import Block, Totals, UsageRow, add_up
from bursar.money import NANO_PER_USD, format_usd

_KEYS = {"daily": "date", "weekly": "week", "monthly": "month", "session": "sessionId"}
_LISTS = {"session": "sessions"}
_HEAD = ("input", "output", "cache write", "cache read", "total", "cost")


def rows_as_json(action: str, rows: Sequence[UsageRow]) -> str:
    """The report under the keys of ccusage; costs in USD."""
    data = {_LISTS.get(action, action): [_row(action, row) for row in rows], "totals": _totals_of_all(rows)}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def blocks_as_json(blocks: Sequence[Block]) -> str:
    """The blocks under the keys of ccusage."""
    return json.dumps({"blocks": [_block(block) for block in blocks]}, indent=2, ensure_ascii=False) + "\n"


def rows_as_csv(action: str, rows: Sequence[UsageRow]) -> str:
    """A line for each row and model."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = ("calls", "inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens", "totalTokens", "cost")
    writer.writerow((_KEYS[action], "project", "model", *columns))
    for row in rows:
        for model, totals in row.models.items():
            counters = _counters(totals)
            cost = "" if totals.unpriced else _usd(totals.nano_usd)
            writer.writerow((row.label, row.project, model, totals.calls, *counters, totals.total_tokens, cost))
    return out.getvalue()


def render_rows(action: str, rows: Sequence[UsageRow], *, by_model: bool) -> str:
    """A table, with a line for the whole at its end."""
    if not rows:
        return "nothing was used\n"
    lines: list[tuple[str, ...]] = [(_KEYS[action].removesuffix("Id"), *_HEAD)]
    for row in rows:
        lines.append((row.label, *_cells(row.totals)))
        if by_model:
            lines += [(f"  {model}", *_cells(totals)) for model, totals in _dearest_first(row.models)]
    lines.append(("total", *_cells(add_up(row.totals for row in rows))))
    return _table(lines) + _unpriced(rows)


def render_blocks(blocks: Sequence[Block], zone: tzinfo) -> str:
    """A table; gaps are left out."""
    used = [block for block in blocks if block.last_at is not None]
    if not used:
        return "nothing was used\n"
    lines = [("block", *_HEAD), *((f"{_local(block.starts_at, zone)}", *_cells(block.totals)) for block in used)]
    return _table(lines)


def _table(lines: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = ""
    for first, *rest in lines:
        cells = (f"{cell:>{width}}" for cell, width in zip(rest, widths[1:], strict=True))
        text += f"{first:<{widths[0]}}  {'  '.join(cells)}\n"
    return text


def _cells(totals: Totals) -> tuple[str, ...]:
    cost = "unknown" if totals.unpriced == totals.calls else format_usd(totals.nano_usd)
    return (*(f"{count:,}" for count in (*_counters(totals), totals.total_tokens)), cost)


def _unpriced(rows: Sequence[UsageRow]) -> str:
    models = _unpriced_models(rows)
    return f"\nwithout a known price, and not in the cost: {', '.join(models)}\n" if models else ""


def _unpriced_models(rows: Sequence[UsageRow]) -> list[str]:
    return sorted({model for row in rows for model, totals in row.models.items() if totals.unpriced})


def _row(action: str, row: UsageRow) -> dict[str, object]:
    data: dict[str, object] = {_KEYS[action]: row.label, **_totals(row.totals)}
    data["modelsUsed"] = list(row.models)
    data["modelBreakdowns"] = [_model(model, totals) for model, totals in _dearest_first(row.models)]
    if action == "session":
        data |= {"agent": row.source, "projectPath": row.project}
        data |= {"firstActivity": _utc(row.first_at), "lastActivity": _utc(row.last_at)}
    return data


def _model(model: str, totals: Totals) -> dict[str, object]:
    data: dict[str, object] = {"modelName": model, **_named_counters(totals), "cost": _number(totals.nano_usd)}
    return data | ({"missingPricing": True} if totals.unpriced else {})


def _totals_of_all(rows: Sequence[UsageRow]) -> dict[str, object]:
    data = _totals(add_up(row.totals for row in rows))
    models = _unpriced_models(rows)
    return data | ({"unpricedModels": models} if models else {})


def _totals(totals: Totals) -> dict[str, object]:
    return _named_counters(totals) | {"totalTokens": totals.total_tokens, "totalCost": _number(totals.nano_usd)}


def _block(block: Block) -> dict[str, object]:
    totals, is_gap = block.totals, block.last_at is None
    start = _utc(block.starts_at)
    return {
        "id": f"gap-{start}" if is_gap else start,
        "startTime": start,
        "endTime": _utc(block.ends_at),
        "actualEndTime": None if block.last_at is None else _utc(block.last_at),
        "isGap": is_gap,
        "entries": totals.calls,
        "models": list(block.models),
        "tokenCounts": {
            "inputTokens": totals.input_tokens,
            "outputTokens": totals.output_tokens,
            "cacheCreationInputTokens": totals.cache_write_tokens,
            "cacheReadInputTokens": totals.cache_read_tokens,
        },
        "totalTokens": totals.total_tokens,
        "costUSD": _number(totals.nano_usd),
    }


def _named_counters(totals: Totals) -> dict[str, object]:
    names = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
    return dict(zip(names, _counters(totals), strict=True))


def _counters(totals: Totals) -> tuple[int, int, int, int]:
    return totals.input_tokens, totals.output_tokens, totals.cache_write_tokens, totals.cache_read_tokens


def _dearest_first(models: Mapping[str, Totals]) -> list[tuple[str, Totals]]:
    return sorted(models.items(), key=lambda item: -item[1].nano_usd)


def _number(nano_usd: int) -> float:
    """USD as JSON has numbers; for output alone, nothing is worked out with it."""
    return nano_usd / NANO_PER_USD


def _usd(nano_usd: int) -> str:
    return f"{nano_usd // NANO_PER_USD}.{nano_usd % NANO_PER_USD:09}".rstrip("0").rstrip(".")


def _utc(at: int) -> str:
    return f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at % 1000:03}Z"


def _local(at: int, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at // 1000, UTC).astimezone(zone):%Y-%m-%d %H:%M}"
