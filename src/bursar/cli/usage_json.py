"""What `bursar usage --json` prints, under the keys that scripts for ccusage expect. Imports next to nothing."""

from __future__ import annotations

import time
from _json import encode_basestring

from bursar.logs import add_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bursar.logs import Block, Totals, UsageRow

KEYS = {"daily": "date", "weekly": "week", "monthly": "month", "session": "sessionId"}
_LISTS = {"session": "sessions"}
_NANO_PER_USD = 1_000_000_000
_NUMBERS = (int, float)


def rows_as_json(action: str, rows: Sequence[UsageRow]) -> str:
    """The report; costs in USD."""
    data = {_LISTS.get(action, action): [_row(action, row) for row in rows], "totals": _totals_of_all(rows)}
    return to_json(data) + "\n"


def blocks_as_json(blocks: Sequence[Block], now: int) -> str:
    """The blocks; `now` in ms."""
    return to_json({"blocks": [_block(block, now) for block in blocks]}) + "\n"


def to_json(value: object, indent: str = "\n") -> str:
    """JSON of what these reports consist of; the `json` module takes longer to import than the whole report.

    Most of it are numbers, which are written with as little as can be. Keys of tables are plain words.
    """
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [
            f'"{key}": {each!r}' if each.__class__ in _NUMBERS else f'"{key}": {to_json(each, inner)}'
            for key, each in value.items()
        ]
        return f"{{{inner}{f',{inner}'.join(parts)}{indent}}}" if parts else "{}"
    if isinstance(value, list):
        parts = [to_json(each, inner) for each in value]
        return f"[{inner}{f',{inner}'.join(parts)}{indent}]" if parts else "[]"
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None:
        return "null"
    return repr(value).lower() if isinstance(value, bool) else repr(value)


def unpriced_models(rows: Sequence[UsageRow]) -> list[str]:
    """Models of which a call's cost is not known."""
    return sorted({model for row in rows for model, totals in row.models.items() if totals.unpriced})


def dearest_first(models: Mapping[str, Totals]) -> list[tuple[str, Totals]]:
    """Models and what they were used for."""
    return sorted(models.items(), key=lambda item: -item[1].nano_usd)


def utc_text(at: int) -> str:
    """`2026-11-18T10:00:00.000Z`, of ms since 1970."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at // 1000))}.{at % 1000:03}Z"


def _row(action: str, row: UsageRow) -> dict[str, object]:
    data: dict[str, object] = {KEYS[action]: row.label, **_totals(row.totals)}
    data["modelsUsed"] = list(row.models)
    data["modelBreakdowns"] = [_model(model, totals) for model, totals in dearest_first(row.models)]
    if action == "session":
        data |= {"agent": row.source, "projectPath": row.project}
        data |= {"firstActivity": utc_text(row.first_at), "lastActivity": utc_text(row.last_at)}
    return data


def _model(model: str, totals: Totals) -> dict[str, object]:
    data: dict[str, object] = {"modelName": model, **_named_counters(totals), "cost": _number(totals.nano_usd)}
    return data | ({"missingPricing": True} if totals.unpriced else {})


def _totals_of_all(rows: Sequence[UsageRow]) -> dict[str, object]:
    data = _totals(add_up(row.totals for row in rows))
    models = unpriced_models(rows)
    return data | ({"unpricedModels": models} if models else {})


def _totals(totals: Totals) -> dict[str, object]:
    return _named_counters(totals) | {"totalTokens": totals.total_tokens, "totalCost": _number(totals.nano_usd)}


def _block(block: Block, now: int) -> dict[str, object]:
    totals, start, rates = block.totals, utc_text(block.starts_at), block.rates(now)
    return {
        "id": f"gap-{start}" if block.last_at is None else start,
        "startTime": start,
        "endTime": utc_text(block.ends_at),
        "actualEndTime": None if block.last_at is None else utc_text(block.last_at),
        "isActive": block.is_active(now),
        "isGap": block.last_at is None,
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
        "burnRate": rates and {"tokensPerMinute": rates.tokens_per_minute, "costPerHour": rates.usd_per_hour},
        "projection": rates
        and {
            "totalTokens": rates.tokens_at_end,
            "totalCost": rates.usd_at_end,
            "remainingMinutes": rates.minutes_left,
        },
    }


def _named_counters(totals: Totals) -> dict[str, object]:
    return {
        "inputTokens": totals.input_tokens,
        "outputTokens": totals.output_tokens,
        "cacheCreationTokens": totals.cache_write_tokens,
        "cacheReadTokens": totals.cache_read_tokens,
    }


def _number(nano_usd: int) -> float:
    """USD as JSON has numbers; for output alone, nothing is worked out with it."""
    return nano_usd / _NANO_PER_USD
